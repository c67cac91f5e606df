/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest RAM: one mapping of this process, seen by the guest in up to two ranges; and a ROM. */
#ifndef HV_MEMORY_H
#define HV_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define HV_KIB (1ULL << 10)
#define HV_MIB (1ULL << 20)
#define HV_GIB (1ULL << 30)

/* RAM from 3 GiB on is seen at 4 GiB: the gap is for the chips and PCI. */
#define HV_GAP_BEGIN (3 * HV_GIB)
#define HV_GAP_END (4 * HV_GIB)

#define HV_MEMORY_MAX_RANGES 2

struct hv_ram_range {
	uint64_t gpa;
	uint64_t len;
	uint8_t *hva;
};

struct hv_memory {
	uint64_t size;			/* of all RAM, in bytes */
	struct hv_ram_range range[HV_MEMORY_MAX_RANGES];
	unsigned int count;
	struct hv_ram_range rom;	/* up to 4 GiB; the guest cannot write to it */
	void *map;			/* the whole mapping, with alignment slack */
	size_t map_len;
};

/* @size: bytes, a multiple of 4096 and at least 1 MiB; filled with zeroes. */
int hv_memory_init(struct hv_memory *memory, uint64_t size, struct hv_error *err);
void hv_memory_exit(struct hv_memory *memory);

/* Add a ROM of @size bytes, a multiple of 4096, that ends at 4 GiB. */
int hv_memory_add_rom(struct hv_memory *memory, uint64_t size, struct hv_error *err);
#define HV_ROM_MAX (16 * HV_MIB)

/* RAM is all zeroes again. */
void hv_memory_clear(struct hv_memory *memory);

static inline bool hv_ram_range_has(const struct hv_ram_range *range, uint64_t gpa, uint64_t len)
{
	uint64_t offset = gpa - range->gpa;

	return offset < range->len && len <= range->len - offset;
}

/* Where guest-physical @gpa ... @gpa + @len - 1 lies; NULL unless all of it is RAM, or all ROM. */
static inline void *hv_memory_at(const struct hv_memory *memory, uint64_t gpa, uint64_t len)
{
	const struct hv_ram_range *range = memory->range, *end = range + memory->count;

	for (; range < end; range++)
		if (hv_ram_range_has(range, gpa, len))
			return range->hva + (gpa - range->gpa);
	range = &memory->rom;
	return hv_ram_range_has(range, gpa, len) ? range->hva + (gpa - range->gpa) : NULL;
}

static inline bool hv_memory_is_rom(const struct hv_memory *memory, uint64_t gpa)
{
	return gpa - memory->rom.gpa < memory->rom.len;
}

/* The end of the RAM that begins at address 0. */
static inline uint64_t hv_memory_low_end(const struct hv_memory *memory)
{
	return memory->range[0].len;
}

#endif
