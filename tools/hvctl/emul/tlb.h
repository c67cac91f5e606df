/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page walks remembered. Unlike a CPU's TLB this one is never stale: a hit is proven by
 * reading again what the walk went through, so nobody has to flush anything.
 */
#ifndef HV_EMUL_TLB_H
#define HV_EMUL_TLB_H

#include "lib/x86.h"
#include "walk.h"

struct hv_tlb_entry {
	uint64_t page;			/* linear address, without the offset */
	struct hv_paging paging;
	unsigned int access;
	uint64_t gpa;			/* of the page */
	struct hv_walk_path path;	/* no levels: the entry is empty */
};

#define HV_TLB_ENTRIES 16		/* a power of 2 */

/* Zeroes: empty. One for each vCPU, used by its thread alone. */
struct hv_tlb {
	struct hv_tlb_entry entry[HV_TLB_ENTRIES];
};

/* Of all flags a walk looks at AC alone, and at that for SMAP. */
static inline bool hv_tlb_same_paging(const struct hv_paging *a, const struct hv_paging *b)
{
	return a->cr3 == b->cr3 && a->cr0 == b->cr0 && a->cr4 == b->cr4 && a->efer == b->efer &&
	       a->user == b->user && !((a->rflags ^ b->rflags) & X86_RFLAGS_AC);
}

/* The place of a translation: reads and writes of a page, and fetches from it, have their own. */
static inline unsigned int hv_tlb_index(uint64_t gla, unsigned int access)
{
	return ((gla >> 12) ^ access) % HV_TLB_ENTRIES;
}

/* What hv_walk() would say now; false: it is not known. */
static inline bool hv_tlb_find(const struct hv_tlb *tlb, const struct hv_paging *paging,
			       uint64_t gla, unsigned int access, uint64_t *gpa)
{
	const struct hv_tlb_entry *entry = &tlb->entry[hv_tlb_index(gla, access)];

	if (entry->page != (gla & ~4095ULL) || entry->access != access || !entry->path.levels ||
	    !hv_tlb_same_paging(&entry->paging, paging) || !hv_walk_path_holds(&entry->path))
		return false;
	*gpa = entry->gpa | (gla & 4095);
	return true;
}

/* hv_walk(), which is remembered. */
bool hv_tlb_walk(struct hv_tlb *tlb, const struct hv_memory *memory, const struct hv_paging *paging,
		 uint64_t gla, unsigned int access, uint64_t *gpa, struct hv_fault *fault);

#endif
