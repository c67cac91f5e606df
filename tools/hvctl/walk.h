/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's page tables, read as its CPU reads them: linear to physical address. */
#ifndef HV_WALK_H
#define HV_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

/* What decides how a linear address is translated. */
struct hv_paging {
	uint64_t cr0;
	uint64_t cr3;
	uint64_t cr4;
	uint64_t efer;
	uint64_t rflags;		/* AC, for SMAP */
	bool user;			/* CPL is 3 */
};

/* Access kinds */
#define HV_WALK_WRITE	(1U << 0)
#define HV_WALK_FETCH	(1U << 1)
#define HV_WALK_PEEK	(1U << 2)	/* for explaining: no rights checked, nothing written */

/* An exception that the guest is to take. */
struct hv_fault {
	unsigned int vector;
	uint32_t error_code;
	uint64_t cr2;			/* with a page fault */
};

/*
 * Translate one linear address. Sets the accessed and dirty bits as a CPU does.
 * Returns false and fills @fault (a page fault, or a general protection fault
 * for a non-canonical address) when the guest may not do this.
 */
bool hv_walk(const struct hv_memory *memory, const struct hv_paging *paging, uint64_t gla,
	     unsigned int access, uint64_t *gpa, struct hv_fault *fault);

/* Copy @len bytes of RAM at a linear address, for explaining; returns how many are there. */
size_t hv_peek(const struct hv_memory *memory, const struct hv_paging *paging, uint64_t gla,
	       void *buf, size_t len);

#endif
