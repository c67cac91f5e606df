/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GET_STATE and SET_STATE: the vCPU's state in typed, versioned blobs.
 */
#ifndef TVX_STATE_H
#define TVX_STATE_H

#include "vcpu.h"

#define TVX_MAX_MSR_ENTRIES	256

/*
 * Do TINYVMX_GET_STATE or TINYVMX_SET_STATE on a copied-in argument. Return: 0 or
 * -errno as the ABI says. May sleep; vcpu->lock held.
 */
int tvx_state_get(struct tvx_vcpu *vcpu, const struct tinyvmx_state *arg);
int tvx_state_set(struct tvx_vcpu *vcpu, const struct tinyvmx_state *arg);

/* TINYVMX_INJECT on a copied-in argument, likewise. */
int tvx_state_inject(struct tvx_vcpu *vcpu, const struct tinyvmx_inject *arg);

#endif
