/* SPDX-License-Identifier: GPL-2.0-only */
/* Integer arithmetic with the flags that x86 gives it. */
#ifndef HV_EMUL_ALU_H
#define HV_EMUL_ALU_H

#include <stdint.h>

enum hv_alu_op {
	HV_ALU_ADD, HV_ALU_ADC, HV_ALU_SUB, HV_ALU_SBB,
	HV_ALU_AND, HV_ALU_OR, HV_ALU_XOR,
	HV_ALU_INC, HV_ALU_DEC,		/* leave CF alone; @b is not used */
};

/*
 * @bits: 8, 16, 32 or 64; operands may have more, the result has not. The
 * arithmetic flags in *@rflags are updated; AF after AND, OR, XOR is cleared.
 */
uint64_t hv_alu(enum hv_alu_op op, uint64_t a, uint64_t b, unsigned int bits, uint64_t *rflags);

static inline uint64_t hv_low_bits(uint64_t value, unsigned int bits)
{
	return bits >= 64 ? value : value & ((1ULL << bits) - 1);
}

static inline uint64_t hv_sign_extend(uint64_t value, unsigned int bits)
{
	return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

#endif
