// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exit table and its dispatcher; exits that are events of the host.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/processor-flags.h>

#include "event.h"
#include "exit.h"
#include "trace.h"
#include "vmx_timer.h"

#define TVX_EXIT_REASON_GETSEC	11	/* not in the kernel's header */

/* The exit may have cut the delivery of an event short. */
#define TVX_ROW_VECTORING	BIT(0)
/* The exit was caused by an instruction, whose length is valid. */
#define TVX_ROW_INSTRUCTION	BIT(1)
/* The exit is an exception or an NMI, and says which. */
#define TVX_ROW_INTERRUPTION	BIT(2)

struct tvx_exit_row {
	enum tvx_result (*handler)(struct tvx_vcpu *vcpu);
	u32 flags;
};

/* ------------------------------------------------------ to userspace */

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

static enum tvx_result entry_failed(struct tvx_vcpu *vcpu, u32 instruction_error)
{
	tvx_event_cancel(vcpu);
	vcpu->run->entry_failed.instruction_error = instruction_error;
	vcpu->run->entry_failed.pad = 0;
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_ENTRY_FAILED);
}

enum tvx_result tvx_exit_vmfail(struct tvx_vcpu *vcpu)
{
	vcpu->exit.reason = 0;
	vcpu->exit.flags = 0;
	vcpu->exit.valid = TVX_EXIT_QUAL;
	vcpu->exit.qualification = 0;
	return entry_failed(vcpu, vmcs_read32(VM_INSTRUCTION_ERROR));
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

/* ------------------------------------------------------- host's events */

/*
 * NMIs and machine checks are the host's: run its handler as the CPU would have,
 * before interrupts come back on. The IRET in it ends blocking by NMI.
 */
static void deliver_to_host(u8 vector)
{
	if (vector == X86_TRAP_NMI)
		asm volatile("int $2");
	else
		asm volatile("int $18");
}

static enum tvx_result tvx_exit_exception_nmi(struct tvx_vcpu *vcpu)
{
	u32 info = vmcs_read32(VM_EXIT_INTR_INFO);
	u8 vector = info & INTR_INFO_VECTOR_MASK;

	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR || vector == X86_TRAP_MC) {
		deliver_to_host(vector);
		vcpu->recheck = true;
		return TVX_RESUME;
	}
	if (info & INTR_INFO_UNBLOCK_NMI)
		tvx_event_block_nmi_again(vcpu);
	switch (vector) {
	case X86_TRAP_DB:
		if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_PRIV_SW_EXCEPTION)
			return tvx_event_icebp(vcpu);
		tvx_event_debug(vcpu, tvx_exit_qualification(vcpu));
		return TVX_RESUME;
	case X86_TRAP_AC:
		tvx_event_exception(vcpu, vector, vmcs_read32(VM_EXIT_INTR_ERROR_CODE));
		return TVX_RESUME;
	}
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_UNKNOWN);
}

static enum tvx_result tvx_exit_external_interrupt(struct tvx_vcpu *vcpu)
{
	tvx_vcpu_open_interrupts(vcpu);
	return TVX_RESUME;
}

/*
 * Window exits come before external interrupts (SDM, "Other Causes of VM Exits"):
 * open interrupts, so that no series of them can keep the host out. The same goes for
 * INIT, which is the host's own business, as SIPI is, and means nothing to the guest.
 */
static enum tvx_result tvx_exit_window(struct tvx_vcpu *vcpu)
{
	tvx_vcpu_open_interrupts(vcpu);
	return TVX_RESUME;
}

/*
 * The local APIC's timer. This exit, too, comes before external interrupts, and a
 * short period could make a series of them.
 */
static enum tvx_result tvx_exit_preemption_timer(struct tvx_vcpu *vcpu)
{
	vmx_timer_clear();
	tvx_lapic_timer_fired(vcpu);
	tvx_vcpu_open_interrupts(vcpu);
	return TVX_RESUME;
}

static enum tvx_result tvx_exit_triple_fault(struct tvx_vcpu *vcpu)
{
	vcpu->activity = TINYVMX_ACTIVITY_SHUTDOWN;
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_SHUTDOWN);
}

/* ------------------------------------------------------------ the table */

#define INSN(_handler)	{ .handler = (_handler), .flags = TVX_ROW_INSTRUCTION }

/* An empty row goes to userspace as unknown. */
static const struct tvx_exit_row rows[TINYVMX_NR_EXIT_COUNTS] = {
	[EXIT_REASON_EXCEPTION_NMI]	= { tvx_exit_exception_nmi,
					    TVX_ROW_VECTORING | TVX_ROW_INTERRUPTION },
	[EXIT_REASON_EXTERNAL_INTERRUPT] = { tvx_exit_external_interrupt },
	[EXIT_REASON_TRIPLE_FAULT]	= { tvx_exit_triple_fault },
	[EXIT_REASON_INIT_SIGNAL]	= { tvx_exit_window },
	[EXIT_REASON_SIPI_SIGNAL]	= { tvx_exit_window },
	[EXIT_REASON_INTERRUPT_WINDOW]	= { tvx_exit_window },
	[EXIT_REASON_NMI_WINDOW]	= { tvx_exit_window },
	[EXIT_REASON_TASK_SWITCH]	= { NULL, TVX_ROW_VECTORING },
	[EXIT_REASON_CPUID]		= INSN(tvx_exit_cpuid),
	[TVX_EXIT_REASON_GETSEC]	= INSN(tvx_exit_ud),
	[EXIT_REASON_HLT]		= INSN(tvx_exit_hlt),
	[EXIT_REASON_INVD]		= INSN(tvx_exit_nop),
	[EXIT_REASON_RDPMC]		= INSN(tvx_exit_rdpmc),
	[EXIT_REASON_VMCALL]		= INSN(tvx_exit_ud),
	[EXIT_REASON_VMCLEAR]		= INSN(tvx_exit_ud),
	[EXIT_REASON_VMLAUNCH]		= INSN(tvx_exit_ud),
	[EXIT_REASON_VMPTRLD]		= INSN(tvx_exit_ud),
	[EXIT_REASON_VMPTRST]		= INSN(tvx_exit_ud),
	[EXIT_REASON_VMREAD]		= INSN(tvx_exit_ud),
	[EXIT_REASON_VMRESUME]		= INSN(tvx_exit_ud),
	[EXIT_REASON_VMWRITE]		= INSN(tvx_exit_ud),
	[EXIT_REASON_VMOFF]		= INSN(tvx_exit_ud),
	[EXIT_REASON_VMON]		= INSN(tvx_exit_ud),
	[EXIT_REASON_CR_ACCESS]		= INSN(tvx_exit_cr_access),
	[EXIT_REASON_DR_ACCESS]		= INSN(tvx_exit_dr_access),
	[EXIT_REASON_IO_INSTRUCTION]	= INSN(tvx_exit_io),
	[EXIT_REASON_MSR_READ]		= INSN(tvx_exit_rdmsr),
	[EXIT_REASON_MSR_WRITE]		= INSN(tvx_exit_wrmsr),
	[EXIT_REASON_MWAIT_INSTRUCTION]	= INSN(tvx_exit_ud),
	[EXIT_REASON_MONITOR_INSTRUCTION] = INSN(tvx_exit_ud),
	[EXIT_REASON_TPR_BELOW_THRESHOLD] = { tvx_exit_tpr_below_threshold },
	[EXIT_REASON_APIC_ACCESS]	= { tvx_exit_apic_access, TVX_ROW_VECTORING },
	[EXIT_REASON_EOI_INDUCED]	= { tvx_exit_eoi_induced },
	[EXIT_REASON_EPT_VIOLATION]	= { tvx_exit_ept_violation, TVX_ROW_VECTORING },
	[EXIT_REASON_EPT_MISCONFIG]	= { tvx_exit_ept_misconfig, TVX_ROW_VECTORING },
	[EXIT_REASON_INVEPT]		= INSN(tvx_exit_ud),
	[EXIT_REASON_PREEMPTION_TIMER]	= { tvx_exit_preemption_timer },
	[EXIT_REASON_INVVPID]		= INSN(tvx_exit_ud),
	[EXIT_REASON_WBINVD]		= INSN(tvx_exit_nop),
	[EXIT_REASON_XSETBV]		= INSN(tvx_exit_xsetbv),
	[EXIT_REASON_APIC_WRITE]	= { tvx_exit_apic_write },
	[EXIT_REASON_VMFUNC]		= INSN(tvx_exit_ud),
	[EXIT_REASON_ENCLS]		= INSN(tvx_exit_ud),
};

void tvx_exit_trace_entry(struct tvx_vcpu *vcpu)
{
	trace_tinyvmx_entry(vcpu->id, vmcs_readn(GUEST_RIP),
			    vmcs_read32(VM_ENTRY_INTR_INFO_FIELD));
}

static enum tvx_result late_entry_failure(struct tvx_vcpu *vcpu)
{
	if ((vcpu->exit.reason & 0xffff) == EXIT_REASON_MCE_DURING_VMENTRY)
		deliver_to_host(X86_TRAP_MC);
	return entry_failed(vcpu, 0);
}

/* A failed entry, or a reason or a flag that is newer than this table. */
static enum tvx_result no_plain_exit(struct tvx_vcpu *vcpu)
{
	vcpu->exit.flags = 0;
	if (vcpu->exit.reason & VMX_EXIT_REASONS_FAILED_VMENTRY)
		return late_entry_failure(vcpu);
	vcpu->vmcs.launched = true;
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_UNKNOWN);
}

enum tvx_result tvx_exit_dispatch(struct tvx_vcpu *vcpu)
{
	u32 reason = vmcs_read32(VM_EXIT_REASON);
	/* An index of 8 bits needs no bound. */
	const struct tvx_exit_row *row = &rows[reason % TINYVMX_NR_EXIT_COUNTS];

	vcpu->exit.reason = reason;
	vcpu->exit.valid = 0;
	vcpu->exit.flags = row->flags;
	vcpu->exits++;
	vcpu->exit_counts.count[reason % TINYVMX_NR_EXIT_COUNTS]++;
	if (trace_tinyvmx_exit_enabled())
		trace_tinyvmx_exit(vcpu->id, reason, tvx_exit_rip(vcpu),
				   tvx_exit_qualification(vcpu),
				   vmcs_read32(VM_EXIT_INTR_INFO));
	if (unlikely(reason >= TINYVMX_NR_EXIT_COUNTS))
		return no_plain_exit(vcpu);
	vcpu->vmcs.launched = true;
	if (row->flags & TVX_ROW_VECTORING)
		tvx_event_requeue(vcpu);
	if (unlikely(!row->handler))
		return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_UNKNOWN);
	return row->handler(vcpu);
}
