/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of a vCPU: the module's blobs as records. */
#ifndef HV_VMM_VCPU_STATE_H
#define HV_VMM_VCPU_STATE_H

#include "state.h"
#include "vcpu.h"

/* All of it, its time standing still. Return 0 or -errno. */
int hv_vcpu_save(const struct hv_vcpu *vcpu, struct hv_state *state, struct hv_error *err);

/* Into a vCPU as it is made; on failure a part of it may have been loaded. */
int hv_vcpu_load(struct hv_vcpu *vcpu, const struct hv_state *state, struct hv_error *err);

#endif
