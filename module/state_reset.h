/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VMCS from nothing to a processor after RESET; INIT, and what starts it again.
 */
#ifndef TVX_STATE_RESET_H
#define TVX_STATE_RESET_H

#include "vcpu.h"

/* Fill the current VMCS of @vcpu; interrupts disabled. */
void tvx_reset_vmcs(struct tvx_vcpu *vcpu, u64 tsc_offset);

/*
 * tvx_reset_startup - do what INIT and SIPI ask of @vcpu
 *
 * On its thread, not loaded; may sleep. Return: 0, or -EIO: VMX is off for good.
 */
int tvx_reset_startup(struct tvx_vcpu *vcpu);

#endif
