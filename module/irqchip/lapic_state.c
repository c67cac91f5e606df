// SPDX-License-Identifier: GPL-2.0-only
/*
 * Saving and restoring a local APIC.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "lapic.h"
#include "lapic_regs.h"
#include "lapic_timer.h"

void tvx_lapic_get_state(struct tvx_vcpu *vcpu, struct tinyvmx_lapic *state)
{
	struct tvx_lapic *lapic = &vcpu->lapic;
	unsigned int reg;
	u64 value;

	tvx_lapic_take_posted(lapic);
	state->base = lapic->base;
	tvx_lapic_timer_get(vcpu, state);
	for (reg = 0; reg < TVX_LAPIC_REGS; reg++)
		if (tvx_lapic_read(vcpu, reg, &value))
			state->regs[reg] = value;
	/* What reads otherwise in x2APIC mode, or is no register there. */
	state->regs[LAPIC_LDR] = lapic->regs[LAPIC_LDR];
	state->regs[LAPIC_DFR] = lapic->regs[LAPIC_DFR];
	state->regs[LAPIC_ICR_HIGH] = *tvx_lapic_icr_high(lapic);
}

/* Those that the virtual-APIC page keeps. */
static void store_page(struct tvx_lapic *lapic, const u32 *regs)
{
	unsigned int reg;

	for (reg = LAPIC_ISR; reg < LAPIC_IRR + 8; reg++)
		*tvx_lapic_reg(lapic, reg) = regs[reg];
	*tvx_lapic_reg(lapic, LAPIC_TPR) = regs[LAPIC_TPR];
	*tvx_lapic_reg(lapic, LAPIC_ICR) = regs[LAPIC_ICR];
	*tvx_lapic_icr_high(lapic) = regs[LAPIC_ICR_HIGH];
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
	if (state->pad || !tvx_lapic_base_valid(vcpu, state->base))
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
	store_page(lapic, state->regs);
	tvx_lapic_timer_set(vcpu, state);
	tvx_lapic_reload(vcpu);
	return 0;
}
