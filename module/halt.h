/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting in HLT.
 */
#ifndef TVX_HALT_H
#define TVX_HALT_H

#include <linux/types.h>

struct tvx_vcpu;

/*
 * tvx_halt_poll - look for a short while whether something ends @vcpu's HLT
 *
 * In the run loop, which looks at everything anew afterwards: interrupts have been
 * open. Return: whether something came; else sleep by tvx_halt_wait().
 */
bool tvx_halt_poll(struct tvx_vcpu *vcpu);

/*
 * tvx_halt_wait - wait until @vcpu has something to look at, or a signal comes
 *
 * It has halted, with a local APIC that can wake it. Not loaded; may sleep.
 */
void tvx_halt_wait(struct tvx_vcpu *vcpu);

#endif
