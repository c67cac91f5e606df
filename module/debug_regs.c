// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU's debug registers, shared out between the guest and a debugger outside of it.
 */
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/string.h>

#include "debug_regs.h"

#define NR_REGS		4
#define ALL_REGS	GENMASK(NR_REGS - 1, 0)
/* LE and GE. */
#define DR7_EXACT	0x300ULL

static unsigned long enabled(u64 dr7)
{
	unsigned long regs = 0;
	unsigned int n;

	for (n = 0; n < NR_REGS; n++)
		if (TVX_DR7_ENABLES(dr7, n))
			regs |= BIT(n);
	return regs;
}

static unsigned long debuggers(const struct tvx_vcpu *vcpu)
{
	return vcpu->debugger.flags & TINYVMX_DEBUG_BREAKPOINTS ? enabled(vcpu->debugger.dr7) : 0;
}

static unsigned long guests(const struct tvx_vcpu *vcpu)
{
	return enabled(vcpu->debug.dr7);
}

/* Which of the CPU's has the guest's @n. NR_REGS: none, or the guest does not enable it. */
static unsigned int place(const struct tvx_vcpu *vcpu, unsigned int n)
{
	unsigned long moved = guests(vcpu) & debuggers(vcpu);
	unsigned long free = ALL_REGS & ~(guests(vcpu) | debuggers(vcpu));
	unsigned int i;

	if (!(guests(vcpu) & BIT(n)))
		return NR_REGS;
	if (!(moved & BIT(n)))
		return n;
	for (i = 0; i < n; i++)
		if (moved & BIT(i))
			free &= free - 1;
	return free ? __ffs(free) : NR_REGS;
}

/* What DR7 says of breakpoint @from, for breakpoint @to. */
static u64 dr7_fields(u64 dr7, unsigned int from, unsigned int to)
{
	u64 kind = TVX_DR7_RW(dr7, from) | TVX_DR7_LEN(dr7, from) << 2;

	return TVX_DR7_ENABLES(dr7, from) << (2 * to) | kind << (16 + 4 * to);
}

u64 tvx_debug_regs_dr7(const struct tvx_vcpu *vcpu)
{
	u64 theirs = vcpu->debugger.dr7, its = vcpu->debug.dr7;
	u64 dr7 = TVX_DR7_FIXED | ((theirs | its) & DR7_EXACT);
	unsigned int n;

	for (n = 0; n < NR_REGS; n++) {
		if (debuggers(vcpu) & BIT(n))
			dr7 |= dr7_fields(theirs, n, n);
		if (place(vcpu, n) < NR_REGS)
			dr7 |= dr7_fields(its, n, place(vcpu, n));
	}
	return dr7;
}

void tvx_debug_regs_get(const struct tvx_vcpu *vcpu, u64 dr[4])
{
	unsigned int n;

	memcpy(dr, vcpu->debugger.dr, sizeof(vcpu->debugger.dr));
	for (n = 0; n < NR_REGS; n++)
		if (place(vcpu, n) < NR_REGS)
			dr[place(vcpu, n)] = vcpu->debug.dr[n];
}

/* The CPU may tell of one that matches though it is not enabled. */
u64 tvx_debug_regs_debuggers(const struct tvx_vcpu *vcpu, u64 dr6)
{
	return dr6 & debuggers(vcpu);
}

u64 tvx_debug_regs_guests(const struct tvx_vcpu *vcpu, u64 dr6)
{
	u64 hits = 0;
	unsigned int n;

	for (n = 0; n < NR_REGS; n++)
		if (place(vcpu, n) < NR_REGS && (dr6 & BIT(place(vcpu, n))))
			hits |= BIT(n);
	return hits;
}

/* @pending with these hits, and no others. */
static u64 with_hits(u64 pending, u64 hits)
{
	return (pending & ~TVX_PENDING_HITS) | (hits ? hits | TVX_PENDING_BREAKPOINT : 0);
}

u64 tvx_debug_regs_pending(const struct tvx_vcpu *vcpu, u64 pending)
{
	u64 hits = pending & TVX_PENDING_BREAKPOINT ? tvx_debug_regs_guests(vcpu, pending) : 0;

	return with_hits(pending, hits);
}

u64 tvx_debug_regs_set_pending(const struct tvx_vcpu *vcpu, u64 guests_pending)
{
	u64 hits = 0;
	unsigned int n;

	for (n = 0; n < NR_REGS; n++)
		if ((guests_pending & BIT(n)) && place(vcpu, n) < NR_REGS)
			hits |= BIT(place(vcpu, n));
	return with_hits(guests_pending, hits);
}
