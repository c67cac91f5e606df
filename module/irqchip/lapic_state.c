// SPDX-License-Identifier: GPL-2.0-only
/*
 * Saving and restoring a local APIC.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "../vcpu.h"
#include "lapic.h"
#include "lapic_regs.h"
#include "lapic_timer.h"

void tvx_lapic_get_state(struct tvx_vcpu *vcpu, struct tinyvmx_lapic *state)
{
	struct tvx_lapic *lapic = &vcpu->lapic;
	unsigned int reg;
	u64 value;

	state->base = lapic->base;
	tvx_lapic_timer_get(vcpu, state);
	for (reg = 0; reg < TVX_LAPIC_REGS; reg++)
		if (tvx_lapic_read(vcpu, reg, &value))
			state->regs[reg] = value;
	/* What reads otherwise in x2APIC mode, or is no register there. */
	state->regs[LAPIC_LDR] = lapic->regs[LAPIC_LDR];
	state->regs[LAPIC_DFR] = lapic->regs[LAPIC_DFR];
	state->regs[LAPIC_ICR_HIGH] = lapic->regs[LAPIC_ICR_HIGH];
}

static void store_bitmap(unsigned long *bitmap, const u32 *words)
{
	unsigned int n;

	for (n = 0; n < 256 / BITS_PER_LONG; n++)
		WRITE_ONCE(bitmap[n], words[2 * n] | ((u64)words[2 * n + 1] << 32));
}

/* Vectors below 16 are reserved in the three bitmaps. */
static bool registers_valid(const u32 *regs)
{
	unsigned int reg;

	if ((regs[LAPIC_ISR] | regs[LAPIC_TMR] | regs[LAPIC_IRR]) & 0xffff)
		return false;
	for (reg = 0; reg < TVX_LAPIC_REGS; reg++)
		if (regs[reg] & tvx_lapic_reserved(reg))
			return false;
	return true;
}

static bool state_valid(const struct tvx_vcpu *vcpu, const struct tinyvmx_lapic *state)
{
	u64 changeable = LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE;
	bool x2apic = state->base & LAPIC_BASE_X2APIC;

	if (state->pad || (state->base & ~changeable) != (vcpu->lapic.base & ~changeable))
		return false;
	if (x2apic && (!(state->base & LAPIC_BASE_ENABLE) || !vcpu->policy.x2apic))
		return false;
	return state->timer_left <= TVX_LAPIC_TIMER_MAX && registers_valid(state->regs);
}

int tvx_lapic_set_state(struct tvx_vcpu *vcpu, const struct tinyvmx_lapic *state)
{
	struct tvx_lapic *lapic = &vcpu->lapic;

	if (!state_valid(vcpu, state))
		return -EINVAL;
	tvx_lapic_timer_stop(vcpu);
	WRITE_ONCE(lapic->base, state->base);
	memcpy(lapic->regs, state->regs, sizeof(lapic->regs));
	lapic->esr = 0;
	vcpu->tpr = state->regs[LAPIC_TPR];
	store_bitmap(lapic->isr, &state->regs[LAPIC_ISR]);
	store_bitmap(lapic->tmr, &state->regs[LAPIC_TMR]);
	store_bitmap(lapic->irr, &state->regs[LAPIC_IRR]);
	tvx_lapic_timer_set(vcpu, state);
	vcpu->recheck = true;
	return 0;
}
