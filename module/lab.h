/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lab mode: a VM entry with fields of the VMCS as somebody wants them.
 */
#ifndef TVX_LAB_H
#define TVX_LAB_H

#include "vcpu.h"

/* Whether the administrator has asked for lab mode when the module was loaded. */
bool tvx_lab_is_on(void);

/* TINYVMX_LAB. Return: see there. May sleep. @vcpu->lock held. */
int tvx_lab_try(struct tvx_vcpu *vcpu, struct tinyvmx_lab *lab);

#endif
