/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of an autopsy have in common. */
#ifndef HV_DEBUG_AUTOPSY_PARTS_H
#define HV_DEBUG_AUTOPSY_PARTS_H

#include <stdio.h>

#include "autopsy.h"

enum hv_access {
	HV_ACCESS_READ = 0,
	HV_ACCESS_WRITE = 1 << 0,
	HV_ACCESS_FETCH = 1 << 1,
	HV_ACCESS_USER = 1 << 2,	/* at CPL 3 */
	HV_ACCESS_SYSTEM = 1 << 3,	/* the CPU's own: SMAP forbids user pages in any case */
};

/* An exception with its cause; returns false, for those who say so of what they have tried. */
bool hv_ordeal_set(struct hv_ordeal *ordeal, unsigned int vector, uint32_t error_code,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * May @bytes at linear address @gla be accessed (enum hv_access)? If not: #PF, or #GP(0) where
 * that is not canonical; @what says what is there.
 */
bool hv_autopsy_access(const struct hv_view *view, uint64_t gla, unsigned int bytes,
		       unsigned int access, const char *what, struct hv_ordeal *fault);

/* The same, as the CPU reads its tables; what no RAM is there floats. */
bool hv_autopsy_read(const struct hv_view *view, uint64_t gla, void *buf, unsigned int bytes,
		     const char *what, struct hv_ordeal *fault);

/* A segment descriptor, unpacked. */
struct hv_segment_facts {
	uint16_t selector;
	uint64_t base;
	uint32_t limit;
	uint32_t ar;			/* TINYVMX_AR_* */
};

/*
 * Read the descriptor that @selector stands for. If that fails: @vector with the selector, or #PF.
 * @ext: X86_ERROR_EXT or 0.
 */
bool hv_autopsy_descriptor(const struct hv_view *view, uint16_t selector, unsigned int vector,
			   uint32_t ext, const char *what, struct hv_segment_facts *segment,
			   struct hv_ordeal *fault);

/* Deliver @event; false: @fault comes of it. */
bool hv_autopsy_deliver(const struct hv_view *view, const struct hv_ordeal *event,
			struct hv_ordeal *fault);

enum hv_first {
	HV_FIRST_NOTHING,		/* the instruction raises nothing that can be seen */
	HV_FIRST_MAYBE,			/* @event is possible: it depends on what cannot be seen */
	HV_FIRST_CERTAIN,
};

/* What the instruction at RIP raises. */
enum hv_first hv_autopsy_first(const struct hv_view *view, struct hv_ordeal *event);

#endif
