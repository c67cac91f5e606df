/* SPDX-License-Identifier: GPL-2.0-only */
/* A walk through the guest's page tables, entry by entry: for explaining, nothing is changed. */
#ifndef HV_DEBUG_PAGE_WALK_H
#define HV_DEBUG_PAGE_WALK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/memory.h"
#include "tinyvmx.h"

#define HV_PAGE_WALK_LEVELS 5

/* An entry of a paging structure. */
struct hv_page_step {
	const char *table;		/* "PML4" */
	unsigned int index;
	unsigned int level;		/* 1: of a page table */
	uint64_t gpa;			/* where it is, but ... */
	bool is_register;		/* ... PAE's four are in the CPU */
	bool is_ram;			/* else @value is 0, and nobody's */
	uint64_t value;
	uint64_t reserved;		/* bits that are set and must not be */
	bool maps;			/* a page */
};

struct hv_page_walk {
	bool canonical;
	unsigned int count;		/* of steps; 0: there is no paging */
	struct hv_page_step step[HV_PAGE_WALK_LEVELS];
	bool mapped;			/* to ... */
	uint64_t gpa;
	uint64_t page_bytes;
	bool writable, user, no_execute;	/* what all entries together allow */
};

/* What @gla stands for by @sregs; @gpa_bits: of guest-physical addresses. */
void hv_page_walk(struct hv_page_walk *walk, const struct hv_memory *memory,
		  const struct tinyvmx_sregs *sregs, unsigned int gpa_bits, uint64_t gla);

/* A walk from @gva on, with IA32_PAT's value: "steps", "mapping" if it has come to a page. */
json_t *hv_page_walk_json(const struct hv_page_walk *walk, uint64_t gva, uint64_t pat);

/* That in words, with what others have added: "backing", what is there; "ept", ept_walk.h. */
void hv_page_walk_print(const json_t *walk, FILE *out);

#endif
