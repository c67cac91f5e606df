// SPDX-License-Identifier: GPL-2.0-only
/* Page walks remembered, and proven at each use. */
#include "tlb.h"

bool hv_tlb_walk(struct hv_tlb *tlb, const struct hv_memory *memory, const struct hv_paging *paging,
		 uint64_t gla, unsigned int access, uint64_t *gpa, struct hv_fault *fault)
{
	struct hv_tlb_entry *entry = &tlb->entry[hv_tlb_index(gla, access)];

	if (!hv_walk(memory, paging, gla, access, gpa, fault, &entry->path)) {
		entry->path.levels = 0;
		return false;
	}
	/* Without paging there are no levels: what takes no walk is not remembered. */
	entry->page = gla & ~4095ULL;
	entry->paging = *paging;
	entry->access = access;
	entry->gpa = *gpa & ~4095ULL;
	return true;
}
