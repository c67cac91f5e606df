/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions that touch memory with a chip behind it: decoded by Zydis, done here. */
#ifndef HV_MMIO_H
#define HV_MMIO_H

#include "guest.h"
#include "tinyvmx.h"

enum hv_mmio_result {
	HV_MMIO_DONE,			/* registers are updated, RIP is behind it, or a REP goes on */
	HV_MMIO_FAULT,			/* the guest takes @fault */
	HV_MMIO_UNSUPPORTED,		/* @why says what is missing */
};

struct hv_mmio {
	struct hv_guest guest;
	struct tinyvmx_regs *regs;
	unsigned int code_bits;		/* 16, 32 or 64 */
	uint64_t cs_base;
	/*
	 * Base of a segment (TINYVMX_ES ...), asked for only where it matters: in
	 * 64-bit mode for FS and GS alone.
	 */
	uint64_t (*segment_base)(void *ctx, unsigned int segment);
	void *ctx;
	/* results */
	struct hv_fault fault;
	const char *why;
};

/* Iterations of a REP done per VM exit. */
#define HV_MMIO_BATCH 1024

enum hv_mmio_result hv_mmio_emulate(struct hv_mmio *mmio);

#endif
