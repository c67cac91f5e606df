/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VMCS from nothing to a processor after RESET.
 */
#ifndef TVX_STATE_RESET_H
#define TVX_STATE_RESET_H

#include "vcpu.h"

/* Fill the current VMCS of @vcpu; interrupts disabled. */
void tvx_reset_vmcs(struct tvx_vcpu *vcpu, u64 tsc_offset);

#endif
