// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory by linear address. */
#include <string.h>

#include "guest.h"
#include "lib/x86.h"

#define PAGE_OFFSET 4095ULL

static bool translate(struct hv_guest *guest, uint64_t gla, unsigned int access, uint64_t *gpa)
{
	return hv_tlb_find(&guest->tlb, &guest->paging, gla, access, gpa) ||
	       hv_tlb_walk(&guest->tlb, guest->memory, &guest->paging, gla, access, gpa,
			   &guest->fault);
}

bool hv_guest_fault(struct hv_guest *guest, unsigned int vector, uint32_t error_code)
{
	guest->fault = (struct hv_fault){ .vector = vector, .error_code = error_code };
	return false;
}

static bool is_known(const struct hv_guest *guest, uint64_t gla, bool write)
{
	return guest->known & (write ? HV_KNOWN_WRITE : HV_KNOWN_READ) &&
	       !((gla ^ guest->known_gla) & ~PAGE_OFFSET);
}

static uint64_t known_gpa(const struct hv_guest *guest, uint64_t gla)
{
	return (guest->known_gpa & ~PAGE_OFFSET) | (gla & PAGE_OFFSET);
}

static bool translate_data(struct hv_guest *guest, uint64_t gla, bool write, uint64_t *gpa)
{
	if (!is_known(guest, gla, write))
		return translate(guest, gla, write ? HV_WALK_WRITE : 0, gpa);
	*gpa = known_gpa(guest, gla);
	return true;
}

/* Constant widths compile to single moves: another vCPU may be looking. */
static void __attribute__((noinline))
ram_access(void *ram, unsigned int width, bool write, uint64_t *value)
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

static void read_ram(const struct hv_guest *guest, void *ram, uint64_t gpa, unsigned int width,
		     uint64_t *value)
{
	ram_access(ram, width, false, value);
	hv_veil_hide(guest->veil, gpa, value, width);
}

static void write_ram(const struct hv_guest *guest, void *ram, uint64_t gpa, unsigned int width,
		      uint64_t *value)
{
	uint64_t bytes = *value;

	hv_veil_merge(guest->veil, gpa, &bytes, width);
	ram_access(ram, width, true, &bytes);
	hv_memory_mark_dirty(guest->memory, gpa, width);
}

/* There is no RAM: a chip's, or the CPU's own. Within one page. */
static void chip_access(struct hv_guest *guest, uint64_t gpa, unsigned int width, bool write,
			uint64_t *value)
{
	if (guest->cpu_bus && (gpa & ~PAGE_OFFSET) == guest->cpu_page)
		hv_bus_access(guest->cpu_bus, HV_MMIO, gpa & PAGE_OFFSET, width, write, value);
	else
		hv_bus_access(guest->bus, HV_MMIO, gpa, width, write, value);
}

/* Within one page. */
static void physical_access(struct hv_guest *guest, uint64_t gpa, unsigned int width, bool write,
			    uint64_t *value)
{
	void *ram = hv_memory_at(guest->memory, gpa, width);

	if (!ram)
		chip_access(guest, gpa, width, write, value);
	/* Nobody hears what is written to a ROM. */
	else if (!write)
		read_ram(guest, ram, gpa, width, value);
	else if (!hv_memory_is_rom(guest->memory, gpa))
		write_ram(guest, ram, gpa, width, value);
}

static uint64_t low_bytes(uint64_t value, unsigned int bytes)
{
	return bytes >= 8 ? value : value & ((1ULL << (8 * bytes)) - 1);
}

/*
 * An access that ends beyond the canonical addresses does not come to its pages: they are
 * looked at in order, so its first byte needs no look.
 */
static bool ends_canonical(struct hv_guest *guest, uint64_t last)
{
	return hv_is_canonical(&guest->paging, last) || hv_guest_fault(guest, X86_VECTOR_GP, 0);
}

/* SDM, "Alignment Check Exception": pages come first; 6 bytes want 4, 10 want 8. */
static bool is_aligned(struct hv_guest *guest, uint64_t gla, unsigned int width)
{
	unsigned int alignment = 1U << (31 - __builtin_clz(width));

	return !guest->aligned || !(gla & (alignment - 1)) ||
	       hv_guest_fault(guest, X86_VECTOR_AC, 0);
}

bool hv_guest_check(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write)
{
	uint64_t gpa;

	return ends_canonical(guest, gla + width - 1) && translate_data(guest, gla, write, &gpa) &&
	       translate_data(guest, gla + width - 1, write, &gpa) && is_aligned(guest, gla, width);
}

/* Breakpoints (SDM, "Debug Registers") of @kinds, bits by R/W; the length field's 2 is 8 bytes. */
static void __attribute__((noinline))
meet_breakpoints(struct hv_guest *guest, uint64_t address, unsigned int width, unsigned int kinds)
{
	static const uint8_t lengths[] = { 1, 2, 8, 4 };
	uint64_t dr7 = guest->debug->dr7;

	for (unsigned int n = 0; n < 4; n++) {
		unsigned int len = lengths[X86_DR7_LEN(dr7, n)];
		uint64_t base = guest->debug->dr[n] & ~(len - 1ULL);

		if (X86_DR7_ENABLED(dr7, n) && kinds >> X86_DR7_RW(dr7, n) & 1 &&
		    (address - base < len || base - address < width))
			guest->dr6 |= 1ULL << n;
	}
}

void hv_guest_meet_port(struct hv_guest *guest, uint16_t port, unsigned int width)
{
	if (guest->paging.cr4 & X86_CR4_DE)
		meet_breakpoints(guest, port, width, 1U << X86_DR7_RW_IO);
}

static void meet_data(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write)
{
	meet_breakpoints(guest, gla, width,
			 1U << X86_DR7_RW_ACCESS | (write ? 1U << X86_DR7_RW_WRITE : 0));
}

static bool __attribute__((noinline))
access_two_pages(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write,
		 uint64_t *value)
{
	unsigned int first = PAGE_OFFSET + 1 - (gla & PAGE_OFFSET);
	uint64_t gpa, gpa2, high = write ? *value >> (8 * first) : 0;

	if (!ends_canonical(guest, gla + width - 1) || !translate_data(guest, gla, write, &gpa) ||
	    !translate_data(guest, gla + first, write, &gpa2) || !is_aligned(guest, gla, width))
		return false;
	physical_access(guest, gpa, first, write, value);
	physical_access(guest, gpa2, width - first, write, &high);
	if (guest->debug)
		meet_data(guest, gla, width, write);
	if (!write)
		*value = low_bytes(*value, first) | low_bytes(high, width - first) << (8 * first);
	return true;
}

static bool __attribute__((noinline))
access_one_page(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write,
		uint64_t *value)
{
	uint64_t gpa;

	if (!translate(guest, gla, write ? HV_WALK_WRITE : 0, &gpa) ||
	    (guest->aligned && !is_aligned(guest, gla, width)))
		return false;
	physical_access(guest, gpa, width, write, value);
	if (guest->debug)
		meet_data(guest, gla, width, write);
	return true;
}

/* There would have been no exit for RAM, but under a veil. */
static bool access_known_page(struct hv_guest *guest, uint64_t gpa, unsigned int width, bool write,
			      uint64_t *value)
{
	if (guest->veil || hv_memory_is_rom(guest->memory, gpa))
		physical_access(guest, gpa, width, write, value);
	else
		chip_access(guest, gpa, width, write, value);
	return true;
}

/* Nothing is known where alignment or breakpoints matter. */
bool hv_guest_access(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write,
		     uint64_t *value)
{
	if (!(guest->paging.efer & X86_EFER_LMA))
		gla &= UINT32_MAX;
	if (width > PAGE_OFFSET + 1 - (gla & PAGE_OFFSET))
		return access_two_pages(guest, gla, width, write, value);
	if (is_known(guest, gla, write))
		return access_known_page(guest, known_gpa(guest, gla), width, write, value);
	return access_one_page(guest, gla, width, write, value);
}

bool hv_guest_access_bytes(struct hv_guest *guest, uint64_t gla, unsigned int len, bool write,
			   void *bytes)
{
	uint8_t *at = bytes;

	if (!hv_guest_check(guest, gla, len, write))
		return false;
	for (unsigned int width; len; len -= width, gla += width, at += width) {
		uint64_t value = 0;

		width = len >= 8 ? 8 : 1U << (31 - __builtin_clz(len));
		if (write)
			memcpy(&value, at, width);
		if (!hv_guest_access(guest, gla, width, write, &value))
			return false;
		if (!write)
			memcpy(at, &value, width);
	}
	return true;
}

const void *hv_guest_code(struct hv_guest *guest, uint64_t gla, unsigned int len)
{
	uint64_t gpa;

	if (len > PAGE_OFFSET + 1 - (gla & PAGE_OFFSET) ||
	    !translate(guest, gla, HV_WALK_PEEK, &gpa))
		return NULL;
	return hv_memory_at(guest->memory, gpa, len);
}
