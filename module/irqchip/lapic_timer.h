/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The timer of the local APIC: one-shot, periodic and TSC-deadline.
 *
 * All on the vCPU's thread, VMCS not needed.
 */
#ifndef TVX_LAPIC_TIMER_H
#define TVX_LAPIC_TIMER_H

#include "../vcpu.h"

void tvx_lapic_timer_init(struct tvx_vcpu *vcpu);
void tvx_lapic_timer_destroy(struct tvx_vcpu *vcpu);

/* The longest one-shot or period, in TSC ticks: the count and the divisor at their limits. */
#define TVX_LAPIC_TIMER_MAX	((u64)U32_MAX << 7)

/* A write to the initial-count and divide registers; to the LVT, before it takes effect. */
void tvx_lapic_timer_start(struct tvx_vcpu *vcpu, u32 count);
void tvx_lapic_timer_divide(struct tvx_vcpu *vcpu, u32 divide);
void tvx_lapic_timer_mode(struct tvx_vcpu *vcpu, u32 lvt);
void tvx_lapic_timer_stop(struct tvx_vcpu *vcpu);

/* The current-count register. */
u32 tvx_lapic_timer_current(struct tvx_vcpu *vcpu);

/* The timer's part of the state; set it with the registers in place. */
void tvx_lapic_timer_get(struct tvx_vcpu *vcpu, struct tinyvmx_lapic *state);
void tvx_lapic_timer_set(struct tvx_vcpu *vcpu, const struct tinyvmx_lapic *state);

/* What the timer does when it fires; lapic_irq.c has it. */
void tvx_lapic_timer_interrupt(struct tvx_vcpu *vcpu);

#endif
