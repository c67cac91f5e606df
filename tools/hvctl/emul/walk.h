/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's page tables, read as its CPU reads them: linear to physical address. */
#ifndef HV_EMUL_WALK_H
#define HV_EMUL_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/memory.h"
#include "tinyvmx.h"

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

#define HV_WALK_MAX_LEVELS 5

/* An entry of a paging structure that a walk went through, and what it left there. */
struct hv_walk_step {
	const void *at;
	uint64_t value;
};

struct hv_walk_path {
	unsigned int levels;		/* 0: no paging */
	unsigned int entry_size;	/* 4 or 8 bytes */
	struct hv_walk_step entry[HV_WALK_MAX_LEVELS];
};

/*
 * Translate one linear address. Sets the accessed and dirty bits as a CPU does.
 * Returns false and fills @fault (a page fault, or a general protection fault
 * for a non-canonical address) when the guest may not do this. @path may be NULL;
 * after a fault it means nothing.
 */
bool hv_walk(const struct hv_memory *memory, const struct hv_paging *paging, uint64_t gla,
	     unsigned int access, uint64_t *gpa, struct hv_fault *fault, struct hv_walk_path *path);

/* Is @gla one in the paging mode; without long mode each is. */
bool hv_is_canonical(const struct hv_paging *paging, uint64_t gla);

/* Another vCPU may be writing the entry: it is read once. */
static inline uint64_t hv_walk_read_entry(const void *at, unsigned int entry_size)
{
	if (entry_size == 4)
		return __atomic_load_n((const uint32_t *)at, __ATOMIC_RELAXED);
	return __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED);
}

/* Would that walk, with the same paging and access, go the same way to the same place now? */
static inline bool hv_walk_path_holds(const struct hv_walk_path *path)
{
	const struct hv_walk_step *step = path->entry;
	unsigned int left = path->levels;

	if (path->entry_size == 8)
		for (; left && hv_walk_read_entry(step->at, 8) == step->value; left--)
			step++;
	else
		for (; left && hv_walk_read_entry(step->at, 4) == step->value; left--)
			step++;
	return !left;
}

/*
 * The PDPTEs at CR3, as MOV to CR and task switches load them. Where there is no RAM the bus
 * floats: all ones. False, with nothing read, if one has reserved bits.
 */
bool hv_walk_read_pdptes(const struct hv_memory *memory, uint64_t cr3, unsigned int gpa_bits,
			 __u64 pdpte[4]);

/* Copy @len bytes of RAM at a linear address, for explaining; returns how many are there. */
size_t hv_peek(const struct hv_memory *memory, const struct hv_paging *paging, uint64_t gla,
	       void *buf, size_t len);

#endif
