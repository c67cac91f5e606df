/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's memory type range registers.
 */
#ifndef TVX_MSR_MTRR_H
#define TVX_MSR_MTRR_H

#include "vcpu.h"

/* RDMSR and WRMSR; @n: TVX_MTRR_*. Return: false for #GP(0). */
bool tvx_mtrr_read(struct tvx_vcpu *vcpu, u32 n, u64 *value);
bool tvx_mtrr_write_default(struct tvx_vcpu *vcpu, u32 n, u64 value);
bool tvx_mtrr_write_fixed(struct tvx_vcpu *vcpu, u32 n, u64 value);
bool tvx_mtrr_write_base(struct tvx_vcpu *vcpu, u32 n, u64 value);
bool tvx_mtrr_write_mask(struct tvx_vcpu *vcpu, u32 n, u64 value);
bool tvx_mtrr_read_cap(struct tvx_vcpu *vcpu, u32 arg, u64 *value);

#endif
