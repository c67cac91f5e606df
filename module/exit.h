/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VM exits: the dispatcher.
 */
#ifndef TVX_EXIT_H
#define TVX_EXIT_H

#include "vcpu.h"

/*
 * tvx_exit_dispatch - handle the VM exit that has just happened
 *
 * VMCS current, interrupts disabled, as for every handler.
 */
enum tvx_result tvx_exit_dispatch(struct tvx_vcpu *vcpu);

/* VMLAUNCH or VMRESUME failed without trying to enter. */
enum tvx_result tvx_exit_vmfail(struct tvx_vcpu *vcpu);

/* An exit that nobody handles as one: give the host the NMI or machine check that it may be. */
void tvx_exit_give_host(struct tvx_vcpu *vcpu, u32 reason, u32 intr_info);

#endif
