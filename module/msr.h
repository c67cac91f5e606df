/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's model-specific registers.
 */
#ifndef TVX_MSR_H
#define TVX_MSR_H

#include <asm/msr-index.h>

#include "vcpu.h"

/* IA32_EFER bits that a guest can have. */
#define TVX_EFER_KNOWN	((u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX))

/* The values after RESET of MSRs that nobody else has. */
void tvx_msr_init(struct tvx_vcpu *vcpu);

/* All of these: VMCS current, interrupts disabled. */

/* RDMSR and WRMSR. Return: false for #GP(0). */
bool tvx_msr_read(struct tvx_vcpu *vcpu, u32 index, u64 *value);
bool tvx_msr_write(struct tvx_vcpu *vcpu, u32 index, u64 value);
/* SET_STATE: as WRMSR, but for the TSC and its adjustment, which do not move each other. */
bool tvx_msr_restore(struct tvx_vcpu *vcpu, u32 index, u64 value);

/* The guest's TSC is the host's plus @offset; its adjustment stays. */
void tvx_tsc_restore(struct tvx_vcpu *vcpu, u64 offset);

/* The guest's access to an MSR gave #GP: if there is no such MSR, count it, and trace it once. */
void tvx_msr_refused(struct tvx_vcpu *vcpu, u32 index, bool write);

#endif
