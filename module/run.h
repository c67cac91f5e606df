/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running a vCPU.
 */
#ifndef TVX_RUN_H
#define TVX_RUN_H

#include "vcpu.h"

/*
 * tvx_vcpu_run - TINYVMX_RUN: run the guest until userspace is needed
 *
 * Return: 0: the run page says why; -EINTR; -EINVAL: the run page asks for
 * registers no CPU can have; -EIO: the VM is dead. May sleep. @vcpu->lock held.
 */
int tvx_vcpu_run(struct tvx_vcpu *vcpu);

#endif
