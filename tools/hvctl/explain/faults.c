// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be wrong with a field of a VMCS, where several rules ask for it.
 *
 * A fault that hangs on the CPU is one if no CPU could take it; else, where the CPU is not
 * known, the rule counts as not checked.
 */
#include <stdio.h>
#include <string.h>

#include "lib/x86.h"
#include "rules.h"

bool bad_combination(struct probe *p)
{
	(void)p;
	return true;
}

bool bad_ones(struct probe *p)
{
	return p->value & p->rule->arg;
}

bool bad_zeros(struct probe *p)
{
	return ~p->value & p->rule->arg;
}

bool bad_null(struct probe *p)
{
	return !p->value;
}

/* --- addresses --- */

/* Whether all bits from @low up are the same. */
static bool same_from(uint64_t value, unsigned int low)
{
	int64_t top = (int64_t)value >> low;

	return top == 0 || top == -1;
}

/* Linear addresses have 48 bits or 57: between them the answer is open. */
static bool wider_than(struct probe *p, uint64_t value, unsigned int less)
{
	unsigned int width = p->dump->cpu ? p->dump->cpu->linear_bits : 0;

	if (width)
		return !same_from(value, width - less);
	if (!same_from(value, 57 - less))
		return true;
	p->unknown |= !same_from(value, 48 - less);
	return false;
}

bool bad_canonical(struct probe *p)
{
	return wider_than(p, p->value, 1);
}

bool bad_pointer(struct probe *p)
{
	return bad_ones(p) || bad_canonical(p);
}

bool bad_linear(struct probe *p)
{
	return wider_than(p, p->value, 0);
}

/* Physical addresses have 32 to 52 bits. */
static bool beyond_memory(struct probe *p, uint64_t value)
{
	unsigned int width = p->dump->cpu ? p->dump->cpu->phys_bits : 0;

	if (width)
		return value >> width;
	if (value >> 52)
		return true;
	p->unknown |= value >> 32 != 0;
	return false;
}

bool bad_phys(struct probe *p)
{
	return beyond_memory(p, p->value);
}

bool bad_address(struct probe *p)
{
	return bad_ones(p) || bad_phys(p);
}

/* --- control registers --- */

/* Append to the detail: which bits are wrong, by name where they have one. */
static void tell_bits(struct probe *p, const struct vmx_bits *names, uint64_t bits, int must_be)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *name = vmx_bit_name(names, bit);
		size_t used = strlen(p->detail);

		if (!(bits >> bit & 1))
			continue;
		snprintf(p->detail + used, sizeof(p->detail) - used, "%sbit %u%s%s%s must be %d",
			 used ? ", " : "", bit, name ? " (" : "", name ? name : "", name ? ")" : "",
			 must_be);
	}
}

/* @must_be_1 are the bits that must be 1, all outside of @may_be_1 must be 0. */
static bool bad_bits(struct probe *p, const struct vmx_bits *names, uint64_t must_be_1,
		     uint64_t may_be_1)
{
	tell_bits(p, names, must_be_1 & ~p->value, 1);
	tell_bits(p, names, p->value & ~may_be_1, 0);
	return p->detail[0];
}

/*
 * A control register against its two MSRs of fixed bits. Where those are not known @least is
 * what every CPU demands, and @most what one could allow.
 */
static bool bad_fixed(struct probe *p, const struct vmx_bits *names, uint32_t msr0, uint64_t least,
		      uint64_t most, uint64_t freed)
{
	uint64_t fixed0, fixed1;

	if (probe_knows_msr(p, msr0, &fixed0) && probe_knows_msr(p, msr0 + 1, &fixed1))
		return bad_bits(p, names, fixed0 & ~freed, fixed1);
	if (bad_bits(p, names, least & ~freed, most))
		return true;
	p->unknown = true;
	return false;
}

bool bad_cr0(struct probe *p)
{
	uint64_t freed = p->rule->arg && unrestricted_on(p) ? p->rule->arg : 0;

	return bad_fixed(p, &vmx_cr0_bits, MSR_VMX_CR0_FIXED0, X86_CR0_PG | X86_CR0_NE | X86_CR0_PE,
			 UINT32_MAX, freed);
}

bool bad_cr4(struct probe *p)
{
	return bad_fixed(p, &vmx_cr4_bits, MSR_VMX_CR4_FIXED0, X86_CR4_VMXE, UINT64_MAX, 0);
}

bool bad_cet_without_wp(struct probe *p)
{
	return p->value & X86_CR4_CET && !(probe_get(p, (uint32_t)p->rule->arg) & X86_CR0_WP);
}

/* Linear-address masking puts its switches into bits 62:61. */
#define CR3_LAM		(3ULL << 61)

bool bad_cr3(struct probe *p)
{
	if (p->value & CR3_LAM && !beyond_memory(p, p->value & ~CR3_LAM))
		return !(probe_msr(p, MSR_VMX_CR4_FIXED1) & X86_CR4_LAM_SUP);
	return bad_phys(p);
}

/* --- MSRs --- */

bool bad_pat(struct probe *p)
{
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int type = p->value >> (8 * i) & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return true;
	}
	return false;
}

static const struct vmx_bits no_names;

/*
 * Reserved bits of an MSR that CPUs have more or less of: @here are the bits that this CPU's
 * has, if it is known; some CPU has those of @arg.
 */
static bool bad_reserved(struct probe *p, uint64_t here)
{
	if (bad_bits(p, &no_names, 0, p->rule->arg))
		return true;
	if (!p->value || !probe_cpu(p))
		return false;
	return bad_bits(p, &no_names, 0, here);
}

/* Only IA32_PERF_CAPABILITIES, which nobody gives us, tells of PERF_METRICS. */
#define PERF_METRICS	(1ULL << 48)

bool bad_perf_global(struct probe *p)
{
	const struct vmx_cpu *cpu = p->dump->cpu;
	uint64_t doubtful = PERF_METRICS;

	/* We may run on another kind of core than the VM did. */
	if (cpu && cpu->hybrid)
		doubtful = p->rule->arg;
	if (bad_reserved(p, cpu ? cpu->perf_global | doubtful : 0))
		return true;
	p->unknown |= (p->value & doubtful) != 0;
	return false;
}

bool bad_lbr_ctl(struct probe *p)
{
	return bad_reserved(p, p->dump->cpu ? p->dump->cpu->lbr_ctl : 0);
}

bool bad_rtit_ctl(struct probe *p)
{
	return bad_reserved(p, p->dump->cpu ? p->dump->cpu->rtit_ctl : 0);
}

/* The stack level and what else is in bits 11:0 goes along with the address of a page. */
bool bad_fred_config(struct probe *p)
{
	return bad_ones(p) || wider_than(p, p->value & ~0xfffULL, 1);
}

/* ENDBR suppression and tracking state cannot be on together. */
bool bad_s_cet(struct probe *p)
{
	return p->value & 0x3c0 || (p->value & 0xc00) == 0xc00 || bad_canonical(p);
}

/* --- control words --- */

bool bad_word(struct probe *p)
{
	const struct vmx_word *word = &vmx_words[p->rule->arg];
	struct vmx_limits limits;

	if (p->dump->cpu && vmx_word_limits(p->dump->cpu, word, &limits))
		return bad_bits(p, &word->bits, limits.must_be_1, limits.may_be_1);
	p->unknown = true;
	return false;
}
