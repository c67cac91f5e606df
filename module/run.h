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

/*
 * tvx_vcpu_lend - give the CPU to the guest, as for a run, and have @fn do what it wants of it
 *
 * @fn is called with the VMCS current and all in it as for an entry but for events, and with
 * interrupts disabled; it may call tvx_vcpu_enter(), and leaves the VMCS as it was. Return: 0;
 * -EINTR: a signal came before VMX could be had. May sleep. @vcpu->lock held.
 */
int tvx_vcpu_lend(struct tvx_vcpu *vcpu, void (*fn)(struct tvx_vcpu *vcpu, void *arg), void *arg);

/* One VM entry and whatever ends it. Return: whether it failed, as of tvx_vmenter(). */
bool tvx_vcpu_enter(struct tvx_vcpu *vcpu);

#endif
