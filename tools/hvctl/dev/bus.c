// SPDX-License-Identifier: GPL-2.0-only
/* Who answers at a port or at an address of memory that is not RAM. */
#include <errno.h>
#include <string.h>

#include "bus.h"

static bool contains(const struct hv_region *region, uint64_t addr)
{
	return addr - region->base < region->len;
}

/*
 * How many regions of the table begin at @addr or below. Halved without a branch, which a CPU
 * could only guess.
 */
static size_t count_up_to(const struct hv_bus *bus, enum hv_space space, uint64_t addr)
{
	struct hv_region *const *regions = bus->regions[space];
	size_t n = bus->count[space], count = 0;

	while (n) {
		size_t half = (n + 1) / 2;

		count += regions[count + half - 1]->base <= addr ? half : 0;
		n -= half;
	}
	return count;
}

/* Regions do not overlap, so none but the neighbours can be in the way. */
int hv_bus_register(struct hv_bus *bus, struct hv_region *region)
{
	struct hv_region **regions = bus->regions[region->space];
	size_t *n = &bus->count[region->space];
	size_t at = count_up_to(bus, region->space, region->base);

	if ((at && contains(regions[at - 1], region->base)) ||
	    (at < *n && contains(region, regions[at]->base)))
		return -EEXIST;
	if (*n == HV_BUS_MAX_REGIONS)
		return -ENOSPC;
	memmove(&regions[at + 1], &regions[at], (*n - at) * sizeof(*regions));
	regions[at] = region;
	++*n;
	return 0;
}

void hv_bus_unregister(struct hv_bus *bus, struct hv_region *region)
{
	struct hv_region **regions = bus->regions[region->space];
	size_t *n = &bus->count[region->space];
	size_t at = count_up_to(bus, region->space, region->base);

	if (!at || regions[at - 1] != region)
		return;
	bus->last[region->space] = NULL;
	memmove(&regions[at - 1], &regions[at], (*n - at) * sizeof(*regions));
	--*n;
}

__attribute__((noinline)) static struct hv_region *search(struct hv_bus *bus, enum hv_space space,
							  uint64_t addr)
{
	size_t n = count_up_to(bus, space, addr);
	struct hv_region *below = n ? bus->regions[space][n - 1] : NULL;

	if (!below || !contains(below, addr))
		return NULL;
	return bus->last[space] = below;
}

/* A driver talks to one chip at a time. */
static struct hv_region *find(struct hv_bus *bus, enum hv_space space, uint64_t addr)
{
	struct hv_region *last = bus->last[space];

	return last && contains(last, addr) ? last : search(bus, space, addr);
}

/* What values of these widths, in bytes, can be. */
static const uint64_t width_mask[] = {
	[1] = UINT8_MAX, [2] = UINT16_MAX, [4] = UINT32_MAX, [8] = UINT64_MAX,
};

/* Nobody answers, or the access straddles an edge: each byte goes to whoever owns it. */
static bool __attribute__((noinline))
access_pieces(struct hv_bus *bus, enum hv_space space, uint64_t addr, unsigned int width,
	      bool write, uint64_t *value)
{
	uint64_t sum = 0;
	bool answered = false;

	if (width == 1) {
		if (!write)
			*value = UINT8_MAX;
		return false;
	}
	for (unsigned int i = 0; i < width; i++) {
		uint64_t byte = write ? *value >> (8 * i) & 0xff : 0;
		uint64_t at = addr + i;

		if (space == HV_PORT)
			at &= 0xffff;
		answered |= hv_bus_access(bus, space, at, 1, write, &byte);
		sum |= byte << (8 * i);
	}
	if (!write)
		*value = sum;
	return answered;
}

bool hv_bus_access(struct hv_bus *bus, enum hv_space space, uint64_t addr, unsigned int width,
		   bool write, uint64_t *value)
{
	struct hv_region *region = find(bus, space, addr);
	bool whole = region && width <= region->len - (addr - region->base) &&
		     !(width & (width - 1));

	if (!whole)
		return access_pieces(bus, space, addr, width, write, value);
	region->access(region->dev, addr - region->base, width, write, value);
	if (!write)
		*value &= width_mask[width];
	return true;
}
