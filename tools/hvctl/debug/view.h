/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU that stands still and its memory, as far as one looks at them: nothing is changed. */
#ifndef HV_DEBUG_VIEW_H
#define HV_DEBUG_VIEW_H

#include <stdio.h>

#include "lib/memory.h"
#include "lib/x86.h"
#include "tinyvmx.h"

struct hv_view {
	const struct tinyvmx_regs *regs;
	const struct tinyvmx_sregs *sregs;
	const struct hv_memory *memory;
	unsigned int gpa_bits;
	/* "name+0x10" of @address; false: it has no name. May be NULL. */
	bool (*find_symbol)(const void *symbols, uint64_t address, char *text, size_t len);
	const void *symbols;
};

static inline bool hv_view_is_protected(const struct hv_view *view)
{
	return view->sregs->cr0 & X86_CR0_PE;
}

static inline bool hv_view_is_long(const struct hv_view *view)
{
	return view->sregs->efer & X86_EFER_LMA;
}

static inline bool hv_view_is_v86(const struct hv_view *view)
{
	return hv_view_is_protected(view) && !hv_view_is_long(view) &&
	       view->regs->rflags & X86_RFLAGS_VM;
}

static inline unsigned int hv_view_cpl(const struct hv_view *view)
{
	if (!hv_view_is_protected(view))
		return 0;
	return view->sregs->seg[TINYVMX_SS].ar >> TINYVMX_AR_DPL_SHIFT & 3;
}

/* Copy RAM at a linear address, whoever may access it; returns how many bytes are there. */
unsigned int hv_view_peek(const struct hv_view *view, uint64_t gla, void *buf, unsigned int bytes);

/* Where code at @rip is, and how wide it is: 16, 32 or 64. */
uint64_t hv_view_code(const struct hv_view *view, uint64_t rip);
unsigned int hv_view_bits(const struct hv_view *view);

/* " name+0x10", or nothing. */
const char *hv_view_symbol(const struct hv_view *view, uint64_t address, char *text, size_t len);

/* Some instructions before RIP, if it can be seen where they begin, that one, and some behind. */
void hv_view_print_code(const struct hv_view *view, FILE *out);

/* @count instructions from @rip on. */
void hv_view_print_insns(const struct hv_view *view, uint64_t rip, unsigned int count, FILE *out);

/* Who has called whom, by frame pointers; nothing where there are none. */
void hv_view_print_backtrace(const struct hv_view *view, FILE *out);

#endif
