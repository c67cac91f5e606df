/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions as the MMIO emulation wants them: what Zydis found, boiled down and remembered. */
#ifndef HV_EMUL_DECODE_H
#define HV_EMUL_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/x86.h"
#include "tinyvmx.h"

/* The size of code: 16, 32 or 64. */
static inline unsigned int hv_code_bits(uint64_t efer, uint32_t cs_ar)
{
	if (efer & X86_EFER_LMA && cs_ar & TINYVMX_AR_L)
		return 64;
	return cs_ar & TINYVMX_AR_DB ? 32 : 16;
}

enum hv_operand_kind {
	HV_OPERAND_REGISTER, HV_OPERAND_MEMORY, HV_OPERAND_IMMEDIATE, HV_OPERAND_SEGMENT,
};

#define HV_NO_REGISTER 0xff
#define HV_NO_SEGMENT 0xff		/* or one whose base does not count */

struct hv_operand {
	uint8_t kind;			/* enum hv_operand_kind */
	uint16_t bits;			/* 8, 16, 32 or 64; memory: any multiple of 8 */
	uint8_t reg;			/* TINYVMX_RAX, _ES ...; memory: base or HV_NO_REGISTER */
	uint8_t shift;			/* register: 8 for AH, CH, DH and BH, else 0 */
	uint8_t index;			/* memory: register or HV_NO_REGISTER */
	uint8_t scale;			/* memory: 1, 2, 4, 8 */
	uint8_t segment;		/* memory: TINYVMX_ES ... or HV_NO_SEGMENT */
	bool rip_relative;		/* memory */
	bool stack;			/* memory: through SS, in 64-bit mode too */
	union {
		uint64_t mask;		/* register: which of its bits */
		uint64_t displacement;	/* memory */
		uint64_t immediate;
	};
};

/* Instructions of one name that have nothing in common. */
enum hv_form {
	HV_FORM_PLAIN,
	HV_FORM_STRING,
	HV_FORM_SEGMENT,		/* an operand is a segment register */
	HV_FORM_FAR,			/* a branch to another code segment */
};

/*
 * An instruction whose explicit operands are general and segment registers, memory and
 * immediates.
 */
struct hv_insn {
	uint16_t mnemonic;		/* ZydisMnemonic */
	uint8_t form;			/* enum hv_form */
	uint8_t length;
	uint16_t bits;			/* of the first operand; strings: of an element */
	uint8_t operand_bits;		/* the operand size: 8, 16, 32 or 64 */
	uint8_t address_bits;
	bool rep;			/* any of REP, REPE, REPNE */
	bool repne;
	uint8_t source_segment;		/* strings: TINYVMX_DS ... or HV_NO_SEGMENT */
	uint8_t count;			/* of explicit operands */
	bool reads, writes;		/* native.h: what becomes of the memory operand, op[0] */
	bool vector;			/* ... it has to do with more than general registers */
	uint8_t states;			/* ... XCR0 bits that it needs for that */
	uint8_t modrm;			/* ... its byte of that name */
	uint8_t native_len;		/* ... as it is executed, in bytes */
	bool masked;			/* ... a mask says what of op[0] it touches */
	uint8_t twin_len;		/* ... and a store under the same mask, if it is a load */
	struct hv_operand op[2];
};

/* The longest instruction there is, in bytes. */
#define HV_INSN_MAX 15

enum hv_decode_result {
	HV_DECODE_DONE,
	HV_DECODE_BAD,			/* no instruction */
	HV_DECODE_FOREIGN,		/* other operands, or more of them */
};

/* @code: @len bytes of 16-, 32- or 64-bit code. */
enum hv_decode_result hv_decode(struct hv_insn *insn, const uint8_t *code, size_t len,
				unsigned int code_bits);

#endif
