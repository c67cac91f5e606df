/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID: the table that userspace sets, and what follows from it.
 */
#ifndef TVX_CPUID_H
#define TVX_CPUID_H

#include "vcpu.h"

/* The policy of a vCPU without a table: all that this host can do. */
void tvx_cpuid_init(struct tvx_vcpu *vcpu);

/*
 * tvx_cpuid_check - sort @entries and look for faults
 *
 * Return: 0; -EINVAL: padding; -EOPNOTSUPP: unknown flag; -EEXIST: a row twice.
 */
int tvx_cpuid_check(struct tinyvmx_cpuid *entries, unsigned int count);

/*
 * tvx_cpuid_replace - make @entries, checked, the table. VMCS current.
 *
 * Return: the old table, for the caller to free.
 */
struct tinyvmx_cpuid *tvx_cpuid_replace(struct tvx_vcpu *vcpu,
					struct tinyvmx_cpuid *entries, unsigned int count);

/* What INIT leaves in EDX: family, model, stepping, as leaf 1 has them. */
u32 tvx_cpuid_signature(const struct tvx_vcpu *vcpu);

/* Execute CPUID on the guest's registers. VMCS current. */
void tvx_cpuid_execute(struct tvx_vcpu *vcpu);

/* Whether XSETBV would take @xcr0. */
bool tvx_xcr0_valid(const struct tvx_vcpu *vcpu, u64 xcr0);

#endif
