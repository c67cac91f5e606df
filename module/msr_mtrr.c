// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory type range registers (SDM, "Memory Type Range Registers (MTRRs)").
 *
 * They are kept, and refuse what a CPU's refuse. They say nothing about the guest's memory,
 * whose type is in the EPT.
 */
#include <linux/bits.h>

#include "msr_mtrr.h"

/* SDM, "IA32_MTRRCAP MSR": write-combining, fixed ranges, how many variable ones. */
#define CAP_WC		BIT(10)
#define CAP_FIXED	BIT(8)

/* SDM, "IA32_MTRR_DEF_TYPE MSR" and "Variable Range MTRRs": what is not reserved. */
#define TYPE		0xffULL
#define DEFAULT_ENABLES	(BIT_ULL(10) | BIT_ULL(11))
#define MASK_VALID	BIT_ULL(11)

/* UC, WC, WT, WP, WB: bit n: type n is one. */
#define TYPES		(BIT(0) | BIT(1) | BIT(4) | BIT(5) | BIT(6))

static bool is_type(u8 type)
{
	return type < 8 && (BIT(type) & TYPES);
}

/* The bits of a page's address. */
static u64 address_bits(const struct tvx_vcpu *vcpu)
{
	return GENMASK_ULL(vcpu->policy.gpa_bits - 1, 12);
}

static bool write(struct tvx_vcpu *vcpu, u32 n, u64 value, bool good)
{
	if (!vcpu->policy.mtrr || !good)
		return false;
	vcpu->mtrr[n] = value;
	return true;
}

bool tvx_mtrr_read(struct tvx_vcpu *vcpu, u32 n, u64 *value)
{
	*value = vcpu->mtrr[n];
	return vcpu->policy.mtrr;
}

bool tvx_mtrr_read_cap(struct tvx_vcpu *vcpu, u32 arg, u64 *value)
{
	*value = CAP_WC | CAP_FIXED | TVX_MTRR_PAIRS;
	return vcpu->policy.mtrr;
}

bool tvx_mtrr_write_default(struct tvx_vcpu *vcpu, u32 n, u64 value)
{
	return write(vcpu, n, value, is_type(value) && !(value & ~(TYPE | DEFAULT_ENABLES)));
}

bool tvx_mtrr_write_fixed(struct tvx_vcpu *vcpu, u32 n, u64 value)
{
	u64 types = value;
	bool good = true;

	for (; types; types >>= 8)
		good &= is_type(types);
	return write(vcpu, n, value, good);
}

bool tvx_mtrr_write_base(struct tvx_vcpu *vcpu, u32 n, u64 value)
{
	return write(vcpu, n, value,
		     is_type(value) && !(value & ~(TYPE | address_bits(vcpu))));
}

bool tvx_mtrr_write_mask(struct tvx_vcpu *vcpu, u32 n, u64 value)
{
	return write(vcpu, n, value, !(value & ~(MASK_VALID | address_bits(vcpu))));
}
