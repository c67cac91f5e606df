/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions that touch memory with a chip behind it: decoded by Zydis, done here. */
#ifndef HV_EMUL_MMIO_H
#define HV_EMUL_MMIO_H

#include "decode.h"
#include "guest.h"
#include "tinyvmx.h"

enum hv_mmio_result {
	HV_MMIO_DONE,			/* registers updated, RIP behind it, or REP goes on */
	HV_MMIO_FAULT,			/* the guest takes guest.fault */
	HV_MMIO_UNSUPPORTED,		/* @why says what is missing */
};

/*
 * An instruction that was decoded before. Its meaning hangs on its bytes and the
 * size of code alone: a hit is proven by comparing both.
 */
struct hv_mmio_insn {
	unsigned int code_bits;		/* 0: empty */
	uint64_t code[2];		/* its bytes, the rest zero */
	uint64_t mask[2];		/* which of them are its */
	const struct hv_mmio_row *row;
	struct hv_insn insn;
};

#define HV_MMIO_INSNS 64		/* a power of 2 */

/* The emulation for one vCPU, used by its thread alone. */
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
	const char *why;		/* result */
	/* its own */
	struct hv_mmio_insn insns[HV_MMIO_INSNS];
};

/* Iterations of a REP done per VM exit. */
#define HV_MMIO_BATCH 1024

/* The instruction at RIP. The fields above but for the results, and its own, are set. */
enum hv_mmio_result hv_mmio_emulate(struct hv_mmio *mmio);

/*
 * The instruction of a TINYVMX_EXIT_MMIO: all but memory, bus and segment_base is taken from
 * @run.
 */
enum hv_mmio_result hv_mmio_exit(struct hv_mmio *mmio, struct tinyvmx_run *run);

#endif
