// SPDX-License-Identifier: GPL-2.0-only
/* Integer arithmetic with the flags that x86 gives it. */
#include <stdbool.h>

#include "alu.h"
#include "lib/x86.h"

#define ARITHMETIC (X86_RFLAGS_CF | X86_RFLAGS_PF | X86_RFLAGS_AF | X86_RFLAGS_ZF | \
	X86_RFLAGS_SF | X86_RFLAGS_OF)

static uint64_t result_flags(uint64_t result, unsigned int bits)
{
	uint64_t flags = 0;

	if (!result)
		flags |= X86_RFLAGS_ZF;
	if (result >> (bits - 1) & 1)
		flags |= X86_RFLAGS_SF;
	if (!(__builtin_popcount(result & 0xff) & 1))
		flags |= X86_RFLAGS_PF;
	return flags;
}

/* @carry, @overflow: words whose top bit (of @bits) is the flag. */
static uint64_t carry_flags(uint64_t carry, uint64_t overflow, uint64_t half, unsigned int bits)
{
	uint64_t flags = 0;

	if (carry >> (bits - 1) & 1)
		flags |= X86_RFLAGS_CF;
	if (overflow >> (bits - 1) & 1)
		flags |= X86_RFLAGS_OF;
	if (half >> 4 & 1)
		flags |= X86_RFLAGS_AF;
	return flags;
}

static uint64_t add(uint64_t a, uint64_t b, uint64_t carry_in, unsigned int bits, uint64_t *flags)
{
	uint64_t r = hv_low_bits(a + b + carry_in, bits);

	*flags = carry_flags((a & b) | ((a | b) & ~r), (a ^ r) & (b ^ r), a ^ b ^ r, bits);
	return r;
}

static uint64_t subtract(uint64_t a, uint64_t b, uint64_t borrow_in, unsigned int bits,
			 uint64_t *flags)
{
	uint64_t r = hv_low_bits(a - b - borrow_in, bits);

	*flags = carry_flags((~a & b) | ((~a | b) & r), (a ^ b) & (a ^ r), a ^ b ^ r, bits);
	return r;
}

static uint64_t compute(enum hv_alu_op op, uint64_t a, uint64_t b, unsigned int bits,
			uint64_t carry, uint64_t *flags)
{
	*flags = 0;
	switch (op) {
	case HV_ALU_ADD:
		return add(a, b, 0, bits, flags);
	case HV_ALU_ADC:
		return add(a, b, carry, bits, flags);
	case HV_ALU_SUB:
		return subtract(a, b, 0, bits, flags);
	case HV_ALU_SBB:
		return subtract(a, b, carry, bits, flags);
	case HV_ALU_INC:
		return add(a, 1, 0, bits, flags);
	case HV_ALU_DEC:
		return subtract(a, 1, 0, bits, flags);
	case HV_ALU_AND:
		return a & b;
	case HV_ALU_OR:
		return a | b;
	case HV_ALU_XOR:
		return a ^ b;
	}
	return 0;
}

uint64_t hv_alu(enum hv_alu_op op, uint64_t a, uint64_t b, unsigned int bits, uint64_t *rflags)
{
	uint64_t changed = ARITHMETIC, flags, result;

	result = compute(op, hv_low_bits(a, bits), hv_low_bits(b, bits), bits,
			 *rflags & X86_RFLAGS_CF, &flags);
	flags |= result_flags(result, bits);
	if (op == HV_ALU_INC || op == HV_ALU_DEC)
		changed &= ~X86_RFLAGS_CF;
	*rflags = (*rflags & ~changed) | (flags & changed);
	return result;
}
