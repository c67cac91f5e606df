/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What handlers of VM exits have in common. VMCS current, interrupts disabled.
 */
#ifndef TVX_EXIT_COMMON_H
#define TVX_EXIT_COMMON_H

#include <linux/bits.h>

#include "exit_info.h"
#include "vcpu.h"

/* Rows of the exit table, tvx_exit.flags: the exit may have cut the delivery of an event short. */
#define TVX_ROW_VECTORING	BIT(0)
/* The exit was caused by an instruction, whose length is valid. */
#define TVX_ROW_INSTRUCTION	BIT(1)
/* The exit is an exception or an NMI, and says which. */
#define TVX_ROW_INTERRUPTION	BIT(2)

/* Fill the response header of the run page and return TVX_USER. */
enum tvx_result tvx_exit_to_user(struct tvx_vcpu *vcpu, u32 reason);

/* The same with registers. */
enum tvx_result tvx_exit_to_user_regs(struct tvx_vcpu *vcpu, u32 reason);

/* Tell userspace of the EOI of a level-triggered interrupt. */
enum tvx_result tvx_exit_eoi(struct tvx_vcpu *vcpu);

/*
 * Copy the registers out of, and into, the vCPU. @regs may be the run page. Set:
 * -EINVAL for reserved RFLAGS bits.
 */
void tvx_regs_get(struct tvx_vcpu *vcpu, struct tinyvmx_regs *regs);
int tvx_regs_set(struct tvx_vcpu *vcpu, const struct tinyvmx_regs *regs);

/*
 * tvx_complete_instruction - an instruction has been executed for the guest
 *
 * Ends blocking by STI and MOV SS and raises the single-step trap, as the CPU
 * would have.
 */
void tvx_complete_instruction(struct tvx_vcpu *vcpu);

/* The exiting instruction is done: go behind it, and complete it. */
void tvx_skip_instruction(struct tvx_vcpu *vcpu);

#endif
