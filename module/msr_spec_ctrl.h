/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Speculation control for guests.
 */
#ifndef TVX_MSR_SPEC_CTRL_H
#define TVX_MSR_SPEC_CTRL_H

#include "vcpu.h"
#include "vmx_caps.h"

/* All of these: VMCS current, interrupts disabled. */

/* Set up the VMCS's MSR-load areas. */
void tvx_spec_ctrl_init(struct tvx_vcpu *vcpu);

/* The host's value may be another whenever interrupts have been enabled: before an entry. */
void tvx_spec_ctrl_take_host(struct tvx_vcpu *vcpu);

static inline void tvx_spec_ctrl_load(struct tvx_vcpu *vcpu)
{
	if (vmx_caps.spec_ctrl_mask)
		tvx_spec_ctrl_take_host(vcpu);
}

/* RDMSR and WRMSR. Return: false for #GP(0). */
bool tvx_spec_ctrl_read(struct tvx_vcpu *vcpu, u32 arg, u64 *value);
bool tvx_spec_ctrl_write(struct tvx_vcpu *vcpu, u32 arg, u64 value);
bool tvx_pred_cmd_write(struct tvx_vcpu *vcpu, u32 arg, u64 value);
bool tvx_arch_capabilities_read(struct tvx_vcpu *vcpu, u32 arg, u64 *value);

#endif
