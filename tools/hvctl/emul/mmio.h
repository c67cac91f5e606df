/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions that touch memory with a chip behind it: decoded by Zydis, done here. */
#ifndef HV_EMUL_MMIO_H
#define HV_EMUL_MMIO_H

#include "decode.h"
#include "guest.h"
#include "native.h"
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
	 * The rest of the vCPU's state (TINYVMX_STATE_*), asked for only where it matters:
	 * SREGS outside 64-bit mode and for FS and GS, XSAVE for vector registers. They return
	 * 0 or -errno, and tell whom it concerns of an error.
	 */
	int (*get_state)(void *ctx, uint32_t type, void *blob, size_t len);
	int (*set_state)(void *ctx, uint32_t type, const void *blob, size_t len);
	void *ctx;
	size_t xsave_bytes;		/* of an XSAVE image, as struct tinyvmx_info has it */
	unsigned int gpa_bits;		/* width of a guest-physical address */
	uint64_t xcr0_mask;		/* of what is in there; the guest's XCR0 may be less */
	const char *why;		/* result */
	/* its own */
	uint64_t again;			/* hv_mmio_mark_descriptor(): where; 0: nowhere */
	struct tinyvmx_sregs sregs;	/* if read since the last exit */
	bool sregs_read;
	struct tinyvmx_debug debug;	/* what guest.debug points to */
	char why_text[200];		/* what @why may point to */
	struct hv_native native;
	struct hv_mmio_insn insns[HV_MMIO_INSNS];
};

/* Zeroes are one that nothing has been done with. Frees what it keeps. */
void hv_mmio_free(struct hv_mmio *mmio);

/* The guest has breakpoints: its accesses look for them, guest->dr6 has those that they met. */
void hv_mmio_load_breakpoints(struct hv_mmio *mmio);

/* Iterations of a REP done per VM exit. */
#define HV_MMIO_BATCH 1024

/* The instruction at RIP. The fields above but for the results, and its own, are set. */
enum hv_mmio_result hv_mmio_emulate(struct hv_mmio *mmio);

/* Why an instruction of m->code_bits code is not carried out; NULL: it is. @m->regs is set. */
const char *hv_mmio_why_not(struct hv_mmio *m, const uint8_t *code, size_t len);

/*
 * The instruction of a TINYVMX_EXIT_MMIO: all but memory, bus and segment_base is taken from
 * @run.
 */
enum hv_mmio_result hv_mmio_exit(struct hv_mmio *mmio, struct tinyvmx_run *run);

/*
 * A CPU that loads a segment register, be it for MOV, a far branch, IRET or an event, writes
 * into the descriptor that it has been accessed. A PC's ROM ignores that, and the CPU goes on;
 * in a VM it is a TINYVMX_EXIT_MMIO with nothing done, at an instruction that has no such
 * operand. Then the bit is set for it, in the ROM, and true says: let the guest do it again.
 * If that comes to the same exit, it is false: who writes there now means it.
 */
bool hv_mmio_mark_descriptor(struct hv_mmio *mmio, const struct tinyvmx_run *run);

#endif
