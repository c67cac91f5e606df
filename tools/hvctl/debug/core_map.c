// SPDX-License-Identifier: GPL-2.0-only
/* Linear memory of an ELF core: all that the page tables of a vCPU map. */
#include <errno.h>
#include <stdlib.h>

#include "core.h"
#include "lib/x86.h"
#include "page_walk.h"

/*
 * The tables are the guest's: they may map one page billions of times, or go in circles. So many
 * walks for each page that there is, and some more, find what kernels map, and come to an end.
 */
#define WALKS_FOR_PAGE 4
#define WALKS_MIN      (1u << 20)
#define PAGE	       4096

/* First to last, both included: in the order in which they are looked at. */
struct window {
	uint64_t first, last;
};

static const struct window in_32_bits[] = { { 0, UINT32_MAX } };
static const struct window in_4_levels[] = {
	{ -2 * HV_GIB, UINT64_MAX },
	{ 0xffff800000000000, -2 * HV_GIB - 1 },
	{ 0, 0x00007fffffffffff },
};

static const struct window in_5_levels[] = {
	{ -2 * HV_GIB, UINT64_MAX },
	{ 0xff00000000000000, -2 * HV_GIB - 1 },
	{ 0, 0x00ffffffffffffff },
};

struct search {
	struct hv_core *core;
	const struct hv_memory *memory;
	const struct tinyvmx_sregs *sregs;
	unsigned int gpa_bits;
	uint64_t walks;			/* that are left */
};

/* One piece more, or the last one longer. False: there is no room. */
static bool add(struct hv_core *core, const struct hv_core_piece *piece)
{
	struct hv_core_piece *last = core->nr_mapped ? &core->mapped[core->nr_mapped - 1] : NULL;

	if (last && last->address + last->bytes == piece->address &&
	    last->offset + last->bytes == piece->offset && last->gpa + last->bytes == piece->gpa) {
		last->bytes += piece->bytes;
		return true;
	}
	if (core->nr_mapped == HV_CORE_MAPPED_MAX)
		return false;
	core->mapped[core->nr_mapped++] = *piece;
	return true;
}

/* What there is of @bytes at @gla, which are at @gpa: all, a part where memory ends, or nothing. */
static bool add_page(struct hv_core *core, uint64_t gla, uint64_t gpa, uint64_t bytes)
{
	for (unsigned int i = 0; i < core->count; i++) {
		const struct hv_core_piece *range = &core->memory[i];
		uint64_t begin = gpa > range->gpa ? gpa : range->gpa, end = gpa + bytes;
		struct hv_core_piece piece = {
			.address = gla + (begin - gpa),
			.gpa = begin,
			.offset = range->offset + (begin - range->gpa),
		};

		if (end > range->gpa + range->bytes)
			end = range->gpa + range->bytes;
		piece.bytes = end - begin;
		if (begin < end && !add(core, &piece))
			return false;
	}
	return true;
}

/* How much the entry that a walk has ended at stands for. */
static uint64_t reach_of(const struct hv_page_walk *walk, const struct tinyvmx_sregs *sregs)
{
	bool old = !(sregs->efer & X86_EFER_LMA) && !(sregs->cr4 & X86_CR4_PAE);

	if (walk->mapped)
		return walk->page_bytes;
	return 1ULL << (12 + (walk->step[walk->count - 1].level - 1) * (old ? 10 : 9));
}

/* False: not all of it was looked at. */
static bool search_window(struct search *search, const struct window *window)
{
	for (uint64_t gla = window->first;;) {
		struct hv_page_walk walk;
		uint64_t bytes, left;

		if (!search->walks--)
			return false;
		hv_page_walk(&walk, search->memory, search->sregs, search->gpa_bits, gla);
		bytes = reach_of(&walk, search->sregs);
		left = bytes - (gla & (bytes - 1));
		if (left - 1 > window->last - gla)
			left = window->last - gla + 1;
		if (walk.mapped && !add_page(search->core, gla, walk.gpa, left))
			return false;
		if (left - 1 == window->last - gla)
			return true;
		gla += left;
	}
}

static const struct window *windows_of(const struct tinyvmx_sregs *sregs, unsigned int *count)
{
	*count = 3;
	if (sregs->efer & X86_EFER_LMA)
		return sregs->cr4 & X86_CR4_LA57 ? in_5_levels : in_4_levels;
	*count = 1;
	return in_32_bits;
}

/* False: not all of it was found. */
static bool find_all(struct search *search)
{
	unsigned int count;
	const struct window *windows = windows_of(search->sregs, &count);

	/* Without paging an address is where it is. */
	if (!(search->sregs->cr0 & X86_CR0_PG))
		return add_page(search->core, 0, 0, 4 * HV_GIB);
	for (unsigned int i = 0; i < count; i++)
		if (!search_window(search, &windows[i]))
			return false;
	return true;
}

int hv_core_map(struct hv_core *core, const struct hv_memory *memory,
		const struct tinyvmx_sregs *sregs, unsigned int gpa_bits)
{
	struct search search = { core, memory, sregs, gpa_bits, WALKS_MIN };

	core->mapped = calloc(HV_CORE_MAPPED_MAX, sizeof(*core->mapped));
	if (!core->mapped)
		return -ENOMEM;
	for (unsigned int i = 0; i < core->count; i++)
		search.walks += core->memory[i].bytes / PAGE * WALKS_FOR_PAGE;
	core->cut_short = !find_all(&search);
	return 0;
}
