// SPDX-License-Identifier: GPL-2.0-only
/*
 * What handlers of VM exits have in common: telling userspace, finishing an instruction.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/processor-flags.h>

#include "event.h"
#include "exit_common.h"

/* ---------------------------------------------------------- to userspace */

void tvx_regs_get(struct tvx_vcpu *vcpu, struct tinyvmx_regs *regs)
{
	BUILD_BUG_ON(sizeof(regs->gpr) != sizeof(vcpu->world.gpr));
	memcpy(regs->gpr, vcpu->world.gpr, sizeof(regs->gpr));
	regs->gpr[TINYVMX_RSP] = vmcs_readn(GUEST_RSP);
	regs->rip = vmcs_readn(GUEST_RIP);
	regs->rflags = tvx_rflags(vcpu);
}

#define RFLAGS_KNOWN \
	(X86_EFLAGS_CF | X86_EFLAGS_FIXED | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
	 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_OF |    \
	 X86_EFLAGS_IOPL | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_VM | X86_EFLAGS_AC |  \
	 X86_EFLAGS_VIF | X86_EFLAGS_VIP | X86_EFLAGS_ID)

int tvx_regs_set(struct tvx_vcpu *vcpu, const struct tinyvmx_regs *regs)
{
	u64 rflags = READ_ONCE(regs->rflags);

	if ((rflags & ~(u64)RFLAGS_KNOWN) || !(rflags & X86_EFLAGS_FIXED))
		return -EINVAL;
	memcpy(vcpu->world.gpr, regs->gpr, sizeof(vcpu->world.gpr));
	vmcs_writen(GUEST_RSP, vcpu->world.gpr[TINYVMX_RSP]);
	vmcs_writen(GUEST_RIP, READ_ONCE(regs->rip));
	tvx_set_rflags(vcpu, rflags);
	return 0;
}

/* What the exit interrupted: none but exceptions and NMIs write the fields. */
static void tell_interruption(struct tvx_vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;
	u32 info;

	run->intr_info = 0;
	run->intr_error_code = 0;
	if (likely(!(vcpu->exit.flags & TVX_ROW_INTERRUPTION)))
		return;
	info = vmcs_read32(VM_EXIT_INTR_INFO);
	run->intr_info = info;
	if (info & INTR_INFO_DELIVER_CODE_MASK)
		run->intr_error_code = vmcs_read32(VM_EXIT_INTR_ERROR_CODE);
}

enum tvx_result tvx_exit_to_user(struct tvx_vcpu *vcpu, u32 reason)
{
	struct tinyvmx_run *run = vcpu->run;

	run->reason = reason;
	run->flags = 0;
	run->exit_reason = vcpu->exit.reason;
	run->instruction_len = vcpu->exit.flags & TVX_ROW_INSTRUCTION ?
		vmcs_read32(VM_EXIT_INSTRUCTION_LEN) : 0;
	run->exit_qualification = tvx_exit_qualification(vcpu);
	run->rip = tvx_exit_rip(vcpu);
	run->exits = vcpu->exits;
	run->unknown_msrs = vcpu->unknown_msrs;
	tell_interruption(vcpu);
	if (!(vcpu->pending & (TINYVMX_PENDING_EVENT | TINYVMX_PENDING_EXTINT)) &&
	    tvx_event_extint_ready(vcpu))
		run->flags |= TINYVMX_RUN_INTR_READY;
	return TVX_USER;
}

enum tvx_result tvx_exit_to_user_regs(struct tvx_vcpu *vcpu, u32 reason)
{
	tvx_exit_to_user(vcpu, reason);
	tvx_regs_get(vcpu, &vcpu->run->regs);
	vcpu->run->flags |= TINYVMX_RUN_REGS;
	return TVX_USER;
}

enum tvx_result tvx_exit_eoi(struct tvx_vcpu *vcpu)
{
	vcpu->run->eoi.vector = vcpu->lapic.eoi;
	vcpu->run->eoi.pad = 0;
	vcpu->lapic.eoi = 0;
	return tvx_exit_to_user(vcpu, TINYVMX_EXIT_EOI);
}

/* ------------------------------------------------ finished instructions */

static __always_inline void complete_instruction(struct tvx_vcpu *vcpu)
{
	/* Nearly always the first to ask: read without looking whether it is known. */
	vcpu->exit.blocking = vmcs_read32(GUEST_INTERRUPTIBILITY_INFO);
	vcpu->exit.rflags = vmcs_readn(GUEST_RFLAGS);
	vcpu->exit.valid |= TVX_EXIT_BLOCKING | TVX_EXIT_RFLAGS;
	if (unlikely(vcpu->exit.blocking & TVX_BLOCKING_BY_SHADOW))
		tvx_set_blocking(vcpu, vcpu->exit.blocking & ~TVX_BLOCKING_BY_SHADOW);
	if (unlikely(vcpu->exit.rflags & X86_EFLAGS_TF))
		tvx_event_single_step(vcpu);
	tvx_debug_count_step(vcpu);
}

void tvx_complete_instruction(struct tvx_vcpu *vcpu)
{
	complete_instruction(vcpu);
}

void tvx_skip_instruction(struct tvx_vcpu *vcpu)
{
	unsigned long rip = tvx_exit_rip(vcpu);
	unsigned long next = rip + vmcs_read32(VM_EXIT_INSTRUCTION_LEN);

	/* Outside 64-bit mode EIP wraps around. */
	if (unlikely((rip ^ next) >> 32) && !tvx_in_long_mode())
		next = (u32)next;
	vmcs_writen(GUEST_RIP, next);
	complete_instruction(vcpu);
}
