/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The controls that decide which events and instructions cause VM exits.
 */
#ifndef TVX_EXIT_CONTROLS_H
#define TVX_EXIT_CONTROLS_H

#include "vcpu.h"

/* Write all controls of a new VMCS. VMCS current, interrupts disabled. */
void tvx_controls_init(struct tvx_vcpu *vcpu, u64 tsc_offset);

/*
 * tvx_controls_update - compute the controls that vary from what @vcpu wishes,
 * its windows and its policy, and write those that changed
 *
 * VMCS current, interrupts disabled.
 */
void tvx_controls_update(struct tvx_vcpu *vcpu);

#endif
