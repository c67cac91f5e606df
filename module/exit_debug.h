/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A debugger outside of the guest.
 */
#ifndef TVX_EXIT_DEBUG_H
#define TVX_EXIT_DEBUG_H

#include "vcpu.h"

/* TINYVMX_SET_DEBUG. Lock held; may sleep. Return: 0 or -errno. */
int tvx_debug_set(struct tvx_vcpu *vcpu, const struct tinyvmx_set_debug *arg);

/* All below: VMCS current, interrupts disabled. */

/* A step is done: tell userspace, and of breakpoints that it has met. */
enum tvx_result tvx_debug_exit_step(struct tvx_vcpu *vcpu);

/* The exit is INT3: tell userspace. */
enum tvx_result tvx_debug_exit_int3(struct tvx_vcpu *vcpu);

/* The exit is #DB: whose is it? */
enum tvx_result tvx_debug_exception(struct tvx_vcpu *vcpu);

#endif
