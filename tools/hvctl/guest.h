/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory by linear address, RAM and chips alike: what an emulated instruction sees. */
#ifndef HV_GUEST_H
#define HV_GUEST_H

#include "bus.h"
#include "walk.h"

struct hv_guest {
	const struct hv_memory *memory;
	struct hv_bus *bus;
	struct hv_paging paging;
	/* A translation that the CPU has just done, rights checked. */
	bool known;
	uint64_t known_gla;
	uint64_t known_gpa;
};

/*
 * Read or write @width (1, 2, 4 or 8) bytes at linear address @gla. An access
 * that crosses a page is done only if the guest may do all of it. Returns false
 * with @fault filled when it may not; then nothing was done.
 */
bool hv_guest_access(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write,
		     uint64_t *value, struct hv_fault *fault);

/* May the guest do that access? Nothing is done but what a page walk does. */
bool hv_guest_check(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write,
		    struct hv_fault *fault);

#endif
