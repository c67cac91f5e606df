// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory by linear address. */
#include <string.h>

#include "guest.h"
#include "x86.h"

#define PAGE_OFFSET 4095ULL

static bool translate(struct hv_guest *guest, uint64_t gla, bool write, uint64_t *gpa, struct hv_fault *fault)
{
	if (guest->known && !((gla ^ guest->known_gla) & ~PAGE_OFFSET)) {
		*gpa = (guest->known_gpa & ~PAGE_OFFSET) | (gla & PAGE_OFFSET);
		return true;
	}
	return hv_walk(guest->memory, &guest->paging, gla, write ? HV_WALK_WRITE : 0, gpa, fault);
}

/* Constant widths compile to single moves: another vCPU may be looking. */
static void ram_access(void *ram, unsigned int width, bool write, uint64_t *value)
{
	void *to = write ? ram : value, *from = write ? (void *)value : ram;

	if (!write)
		*value = 0;
	switch (width) {
	case 2:
		memcpy(to, from, 2);
		break;
	case 4:
		memcpy(to, from, 4);
		break;
	case 8:
		memcpy(to, from, 8);
		break;
	default:
		memcpy(to, from, width);
	}
}

/* Within one page. */
static void physical_access(struct hv_guest *guest, uint64_t gpa, unsigned int width, bool write, uint64_t *value)
{
	void *ram = hv_memory_at(guest->memory, gpa, width);

	/* Nobody hears what is written to a ROM. */
	if (write && hv_memory_is_rom(guest->memory, gpa))
		return;
	if (ram) {
		ram_access(ram, width, write, value);
		return;
	}
	/* Pieces of a page-crossing access have odd widths, which chips do not know. */
	if ((width & (width - 1)) == 0) {
		hv_bus_access(guest->bus, HV_MMIO, gpa, width, write, value);
		return;
	}
	for (unsigned int i = 0; i < width; i++) {
		uint64_t byte = *value >> (8 * i) & 0xff;

		hv_bus_access(guest->bus, HV_MMIO, gpa + i, 1, write, &byte);
		if (!write)
			*value = (*value & ~(0xffULL << (8 * i))) | byte << (8 * i);
	}
}

static uint64_t low_bytes(uint64_t value, unsigned int bytes)
{
	return bytes >= 8 ? value : value & ((1ULL << (8 * bytes)) - 1);
}

bool hv_guest_check(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write, struct hv_fault *fault)
{
	uint64_t gpa;

	return translate(guest, gla, write, &gpa, fault) &&
	       translate(guest, gla + width - 1, write, &gpa, fault);
}

bool hv_guest_access(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write,
		     uint64_t *value, struct hv_fault *fault)
{
	unsigned int first = PAGE_OFFSET + 1 - (gla & PAGE_OFFSET);
	uint64_t gpa, gpa2, high;

	if (!(guest->paging.efer & X86_EFER_LMA))
		gla &= UINT32_MAX;
	if (!translate(guest, gla, write, &gpa, fault))
		return false;
	if (width <= first) {
		physical_access(guest, gpa, width, write, value);
		*value = low_bytes(*value, width);
		return true;
	}
	if (!translate(guest, gla + first, write, &gpa2, fault))
		return false;
	high = *value >> (8 * first);
	physical_access(guest, gpa, first, write, value);
	physical_access(guest, gpa2, width - first, write, &high);
	if (!write)
		*value = low_bytes(*value, first) | low_bytes(high, width - first) << (8 * first);
	return true;
}
