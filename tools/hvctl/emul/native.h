/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions executed by this CPU on a copy of their memory operand. What an instruction
 * computes is then what the guest's CPU computes, for it is the same one, and so are its
 * exceptions; which address it has, and which rights, is none of its business.
 */
#ifndef HV_EMUL_NATIVE_H
#define HV_EMUL_NATIVE_H

#include "decode.h"
#include "tinyvmx.h"

/* What native_run.S loads, and stores again; it knows the offsets. */
struct hv_native_frame {
	uint64_t gpr[TINYVMX_NR_GPR];	/* but RSP, which stays the host's */
	uint64_t rflags;
	const void *code;
	void *image;			/* of XSAVE, or NULL: vector registers do not matter */
	uint64_t xsave_mask;		/* HV_NATIVE_STATES that it has room for; 0: of FXSAVE */
	uint64_t vector;		/* the exception it raised, or HV_NATIVE_NONE */
	uint64_t end;			/* of the code */
	uint64_t fip, fdp;		/* where instruction and operand are in the guest */
};

#define HV_NATIVE_NONE 256

/* native_run.S: no more than that. */
void hv_native_enter(struct hv_native_frame *frame);

/* Bits of XCR0: x87, SSE, AVX, AVX-512. Not PKRU, which is the host's. */
#define HV_NATIVE_STATES 0xe7ULL

/* A page of code and one for operands; zeroes: there are none yet. */
struct hv_native {
	uint8_t *page;
	struct tinyvmx_xsave *xsave;
	uint64_t states;		/* XCR0 bits of what its image has room for */
};

/* Instructions there is room for, each in a place of its own. */
#define HV_NATIVE_PLACES 64

/*
 * Make the instruction in @code, @len bytes of @code_bits code, ready at place @place: fills
 * @insn with its memory operand, op[0], and what becomes of that. Returns NULL, or why it
 * cannot be done.
 */
const char *hv_native_build(struct hv_native *native, unsigned int place, struct hv_insn *insn,
			    const uint8_t *code, size_t len, unsigned int code_bits);

/* The copy of the memory operand. */
void *hv_native_operand(const struct hv_native *native);

/*
 * Execute the instruction at @place. Without an exception, frame->gpr, frame->rflags (the
 * arithmetic flags alone), the operand and the image are what it has made of them.
 */
void hv_native_run(struct hv_native *native, unsigned int place, const struct hv_insn *insn,
		   struct hv_native_frame *frame);

/*
 * Which bytes of its operand does a masked instruction touch? Bit 0 is the first. An exception
 * comes as above; the operand is then what a store would have made of it.
 */
uint64_t hv_native_touched(struct hv_native *native, unsigned int place, const struct hv_insn *insn,
			   struct hv_native_frame *frame);

void hv_native_free(struct hv_native *native);

#endif
