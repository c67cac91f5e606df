/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which MSRs the guest reaches without a VM exit.
 */
#ifndef TVX_MSR_BITMAP_H
#define TVX_MSR_BITMAP_H

#include "vcpu.h"

/* All of these: VMCS current, interrupts disabled. */

/* Set up the bitmap. */
void tvx_msr_bitmap_init(struct tvx_vcpu *vcpu);

/*
 * tvx_msr_update_wanted - IA32_EFER or the CPUID policy has changed: decide anew
 * which MSRs the guest reaches without a VM exit
 */
void tvx_msr_update_wanted(struct tvx_vcpu *vcpu);

/* Whether RDMSR and WRMSR of @index exit. */
void tvx_msr_set_intercepts(struct tvx_vcpu *vcpu, u32 index, bool read, bool write);

#endif
