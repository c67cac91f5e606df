// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exit table and its dispatcher; exits that are events of the host.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/errno.h>
#include <linux/printk.h>
#include <asm/trapnr.h>

#include "event.h"
#include "exit.h"
#include "exit_common.h"
#include "exit_debug.h"
#include "exit_handlers.h"
#include "exit_record.h"
#include "irqchip/lapic.h"
#include "vcpu_switch.h"
#include "vmx_timer.h"

/* Not in some kernel's header. */
#define TVX_EXIT_REASON_GETSEC	11
#define TVX_EXIT_REASON_SEAMCALL 76
#define TVX_EXIT_REASON_TDCALL	77

struct tvx_exit_row {
	enum tvx_result (*handler)(struct tvx_vcpu *vcpu);
	u32 flags;
};

/* -------------------------------------------------------- failed entries */

static enum tvx_result entry_failed(struct tvx_vcpu *vcpu, u32 instruction_error)
{
	tvx_event_cancel(vcpu);
	vcpu->run->entry_failed.instruction_error = instruction_error;
	vcpu->run->entry_failed.pad = 0;
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_ENTRY_FAILED);
}

enum tvx_result tvx_exit_vmfail(struct tvx_vcpu *vcpu)
{
	u32 error = vmcs_instruction_error();

	vcpu->exit.reason = 0;
	vcpu->exit.flags = 0;
	vcpu->exit.valid = TVX_EXIT_QUAL;
	vcpu->exit.qualification = 0;
	if (tvx_is_watched())
		tvx_watch_no_entry(vcpu, error);
	return entry_failed(vcpu, error);
}

/* ------------------------------------------------------- host's events */

/*
 * What crashes in the handlers of NMIs and machine checks shall not have to know of VMX that is
 * on for a section. In the NMI's, perf starts its counters again and kgdb sets breakpoints.
 */
static void begin_host_event(struct tvx_vcpu *vcpu)
{
	tvx_vcpu_put_debug(vcpu);
	vmx_section_end(&vcpu->vmcs);
}

static void end_host_event(struct tvx_vcpu *vcpu)
{
	vmx_section_begin(&vcpu->vmcs);
	tvx_vcpu_load_debug(vcpu);
	vcpu->recheck = true;
}

/*
 * NMIs are the host's: run its handler as the CPU would have, before interrupts come back
 * on. The IRET in it ends blocking by NMI.
 */
static enum tvx_result host_nmi(struct tvx_vcpu *vcpu)
{
	begin_host_event(vcpu);
	asm volatile("int $2");
	end_host_event(vcpu);
	return TVX_RESUME;
}

/* What the kernel decides is to be done may wait on the way to userspace. */
static enum tvx_result host_machine_check(struct tvx_vcpu *vcpu)
{
	bool handled;

	begin_host_event(vcpu);
	handled = tvx_host_machine_check();
	end_host_event(vcpu);
	if (handled)
		return TVX_RESUME;
	pr_emerg_ratelimited("machine check in a guest, and this kernel is without CONFIG_X86_MCE: VM killed\n");
	vcpu->error = -EIO;
	return TVX_FAIL;
}

void tvx_exit_give_host(struct tvx_vcpu *vcpu, u32 reason, u32 intr_info)
{
	if ((u16)reason == EXIT_REASON_MCE_DURING_VMENTRY)
		host_machine_check(vcpu);
	if (reason != EXIT_REASON_EXCEPTION_NMI)
		return;
	if ((intr_info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR)
		host_nmi(vcpu);
	else if ((intr_info & INTR_INFO_VECTOR_MASK) == X86_TRAP_MC)
		host_machine_check(vcpu);
}

/*
 * An #AC that the guest has not asked for is the host's, which wants to know of split locks
 * (SDM, "Alignment Check Exception"; "Split-Lock Detection"). The instruction is done again.
 */
static enum tvx_result alignment_check(struct tvx_vcpu *vcpu)
{
	bool cpl3 = VMX_AR_DPL(vmcs_read32(GUEST_SS_AR_BYTES)) == 3;

	if (!boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT) ||
	    (cpl3 && (vmcs_readn(GUEST_CR0) & X86_CR0_AM) &&
	     (tvx_rflags(vcpu) & X86_EFLAGS_AC))) {
		tvx_event_exception(vcpu, X86_TRAP_AC, vmcs_read32(VM_EXIT_INTR_ERROR_CODE));
		return TVX_RESUME;
	}
	/* The outer part wants to know where. */
	tvx_exit_rip(vcpu);
	vcpu->split_lock = true;
	vcpu->recheck = true;
	return TVX_RESUME;
}

static enum tvx_result tvx_exit_exception_nmi(struct tvx_vcpu *vcpu)
{
	u32 info = vmcs_read32(VM_EXIT_INTR_INFO);
	u8 vector = info & INTR_INFO_VECTOR_MASK;

	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR)
		return host_nmi(vcpu);
	if (vector == X86_TRAP_MC)
		return host_machine_check(vcpu);
	if (info & INTR_INFO_UNBLOCK_NMI)
		tvx_event_block_nmi_again(vcpu);
	switch (vector) {
	case X86_TRAP_DB:
		if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_PRIV_SW_EXCEPTION)
			return tvx_event_icebp(vcpu);
		return tvx_debug_exception(vcpu);
	case X86_TRAP_BP:
		return tvx_debug_exit_int3(vcpu);
	case X86_TRAP_AC:
		return alignment_check(vcpu);
	case X86_TRAP_MF:
		return tvx_exit_x87_error(vcpu);
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
 * short period could make a series of them. The next period is counted from when they are
 * done: they, and VMX that goes off and on for them, may take longer than it lasts, and
 * the guest would never come to an instruction.
 */
static enum tvx_result tvx_exit_preemption_timer(struct tvx_vcpu *vcpu)
{
	vmx_timer_clear();
	tvx_vcpu_open_interrupts(vcpu);
	tvx_lapic_timer_fired(vcpu);
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
	[EXIT_REASON_TASK_SWITCH]	= { tvx_exit_task_switch },
	[EXIT_REASON_CPUID]		= INSN(tvx_exit_cpuid),
	[TVX_EXIT_REASON_GETSEC]	= INSN(tvx_exit_ud),
	[EXIT_REASON_HLT]		= INSN(tvx_exit_hlt),
	[EXIT_REASON_INVD]		= INSN(tvx_exit_nop),
	[EXIT_REASON_RDPMC]		= INSN(tvx_exit_rdpmc),
	[EXIT_REASON_VMCALL]		= INSN(tvx_exit_vmcall),
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
	[EXIT_REASON_MONITOR_TRAP_FLAG]	= { tvx_exit_monitor_trap },
	[EXIT_REASON_MONITOR_INSTRUCTION] = INSN(tvx_exit_ud),
	[EXIT_REASON_PAUSE_INSTRUCTION]	= INSN(tvx_exit_pause),
	[EXIT_REASON_TPR_BELOW_THRESHOLD] = { tvx_exit_tpr_below_threshold },
	[EXIT_REASON_APIC_ACCESS]	= { tvx_exit_apic_access, TVX_ROW_VECTORING },
	[EXIT_REASON_EOI_INDUCED]	= { tvx_exit_eoi_induced },
	[EXIT_REASON_GDTR_IDTR]		= INSN(tvx_exit_descriptor_table),
	[EXIT_REASON_LDTR_TR]		= INSN(tvx_exit_descriptor_table),
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
	/* A CPU without TDX raises #UD by itself, as the testbed's does. */
	[TVX_EXIT_REASON_SEAMCALL]	= INSN(tvx_exit_ud),
	[TVX_EXIT_REASON_TDCALL]	= INSN(tvx_exit_ud),
};

static enum tvx_result late_entry_failure(struct tvx_vcpu *vcpu)
{
	if ((vcpu->exit.reason & 0xffff) == EXIT_REASON_MCE_DURING_VMENTRY &&
	    host_machine_check(vcpu) == TVX_FAIL)
		return TVX_FAIL;
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
	if (tvx_is_watched())
		tvx_watch_exit(vcpu);
	if (unlikely(reason >= TINYVMX_NR_EXIT_COUNTS))
		return no_plain_exit(vcpu);
	vcpu->vmcs.launched = true;
	if (row->flags & TVX_ROW_VECTORING)
		tvx_event_requeue(vcpu);
	if (unlikely(!row->handler))
		return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_UNKNOWN);
	return row->handler(vcpu);
}
