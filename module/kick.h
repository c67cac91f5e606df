/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reaching a vCPU from elsewhere.
 */
#ifndef TVX_KICK_H
#define TVX_KICK_H

#include "host.h"
#include "vcpu.h"

/* Have @vcpu look at what is pending, from wherever it is. Any context. */
void tvx_vcpu_kick(struct tvx_vcpu *vcpu);
void tvx_vcpu_request(struct tvx_vcpu *vcpu, unsigned int request);

/* @vcpu has made the host wake a task, which may want this CPU: no interrupt tells. */
static inline void tvx_vcpu_woke(struct tvx_vcpu *vcpu)
{
	if (tvx_host_need_resched())
		vcpu->recheck = true;
}

#endif
