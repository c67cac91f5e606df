// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: what to inject next, the windows to wait for, what to inject again.
 */
#include <linux/bitops.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "state_cr.h"
#include "event.h"
#include "exit_controls.h"
#include "irqchip/lapic.h"
#include "vcpu_switch.h"
#include "vmx_caps.h"

#define EVENT_TYPE(info)	((info) & INTR_INFO_INTR_TYPE_MASK)
#define EVENT_VECTOR(info)	((info) & INTR_INFO_VECTOR_MASK)

/* Exceptions reported on the instruction itself, which set RF on the stack. */
static bool is_fault(u8 vector)
{
	return !(BIT(vector) & (BIT(X86_TRAP_DB) | BIT(X86_TRAP_NMI) | BIT(X86_TRAP_BP) |
				BIT(X86_TRAP_OF) | BIT(X86_TRAP_DF) | BIT(X86_TRAP_MC)));
}

/* SDM, "Interrupt 8 - Double Fault Exception": the three classes. */
static bool is_contributory(u8 vector)
{
	return vector == X86_TRAP_DE || (vector >= X86_TRAP_TS && vector <= X86_TRAP_GP);
}

static bool makes_double_fault(u8 first, u8 second)
{
	if (is_contributory(first))
		return is_contributory(second);
	if (first == X86_TRAP_PF)
		return is_contributory(second) || second == X86_TRAP_PF;
	return false;
}

bool tvx_event_is_software(u32 info)
{
	u32 type = EVENT_TYPE(info);

	return type == INTR_TYPE_SOFT_INTR || type == INTR_TYPE_PRIV_SW_EXCEPTION ||
	       type == INTR_TYPE_SOFT_EXCEPTION;
}

static bool interrupted_exception(const struct tvx_vcpu *vcpu)
{
	return (vcpu->pending & TINYVMX_PENDING_EVENT) &&
	       EVENT_TYPE(vcpu->event.info) == INTR_TYPE_HARD_EXCEPTION;
}

static void set_event(struct tvx_vcpu *vcpu, u32 info, u32 error_code, u32 len)
{
	vcpu->event.info = info | INTR_INFO_VALID_MASK;
	vcpu->event.error_code = error_code;
	vcpu->event.instruction_len = len;
	vcpu->pending |= TINYVMX_PENDING_EVENT;
	vcpu->event_held = true;
	vcpu->recheck = true;
}

void tvx_event_exception(struct tvx_vcpu *vcpu, u8 vector, u32 error_code)
{
	u32 info = INTR_TYPE_HARD_EXCEPTION;

	if (interrupted_exception(vcpu)) {
		u8 first = EVENT_VECTOR(vcpu->event.info);

		if (first == X86_TRAP_DF &&
		    (is_contributory(vector) || vector == X86_TRAP_PF)) {
			vcpu->activity = TINYVMX_ACTIVITY_SHUTDOWN;
			vcpu->pending &= ~TINYVMX_PENDING_EVENT;
			vcpu->recheck = true;
			return;
		}
		if (makes_double_fault(first, vector)) {
			vector = X86_TRAP_DF;
			error_code = 0;
		}
	}
	/* In real mode exceptions push no error code. */
	if (error_code != TVX_NO_ERROR_CODE && (vmcs_readn(GUEST_CR0) & X86_CR0_PE))
		info |= INTR_INFO_DELIVER_CODE_MASK;
	if (is_fault(vector))
		tvx_set_rflags(vcpu, tvx_rflags(vcpu) | X86_EFLAGS_RF);
	set_event(vcpu, info | vector, error_code, 0);
}

/* SDM, "Debug Registers" and "IA32_DEBUGCTL MSR": what delivering #DB clears. */
static void clear_for_debug(struct tvx_vcpu *vcpu)
{
	tvx_dr7_write(vcpu, vcpu->debug.dr7 & ~TVX_DR7_GD);
	vmcs_write64(GUEST_IA32_DEBUGCTL,
		     vmcs_read64(GUEST_IA32_DEBUGCTL) & ~(u64)DEBUGCTLMSR_BTF);
}

void tvx_event_debug(struct tvx_vcpu *vcpu, u64 dr6_bits)
{
	struct tvx_debug *debug = &vcpu->debug;

	tvx_vcpu_disown_debug(vcpu);
	/* B3:B0 tell of this exception alone; the others are sticky. */
	debug->dr6 = (debug->dr6 & ~TVX_DR6_TRAPS) | dr6_bits | TVX_DR6_FIXED;
	clear_for_debug(vcpu);
	tvx_event_exception(vcpu, X86_TRAP_DB, TVX_NO_ERROR_CODE);
}

void tvx_event_single_step(struct tvx_vcpu *vcpu)
{
	/* With BTF the trap waits for a branch, which no finished instruction is. */
	if (vmcs_read64(GUEST_IA32_DEBUGCTL) & DEBUGCTLMSR_BTF)
		return;
	vmcs_writen(GUEST_PENDING_DBG_EXCEPTIONS,
		    vmcs_readn(GUEST_PENDING_DBG_EXCEPTIONS) | TVX_DR6_BS);
}

enum tvx_result tvx_event_icebp(struct tvx_vcpu *vcpu)
{
	tvx_vcpu_disown_debug(vcpu);
	clear_for_debug(vcpu);
	set_event(vcpu, INTR_TYPE_PRIV_SW_EXCEPTION | X86_TRAP_DB, 0,
		  vmcs_read32(VM_EXIT_INSTRUCTION_LEN));
	return TVX_RESUME;
}

bool tvx_event_interrupted(struct tvx_event *event)
{
	u32 info = vmcs_read32(IDT_VECTORING_INFO_FIELD);

	*event = (struct tvx_event){ };
	if (likely(!(info & VECTORING_INFO_VALID_MASK)))
		return false;
	event->info = info & (VECTORING_INFO_VECTOR_MASK | VECTORING_INFO_TYPE_MASK |
			      VECTORING_INFO_DELIVER_CODE_MASK | VECTORING_INFO_VALID_MASK);
	if (info & VECTORING_INFO_DELIVER_CODE_MASK)
		event->error_code = vmcs_read32(IDT_VECTORING_ERROR_CODE);
	if (tvx_event_is_software(info))
		event->instruction_len = vmcs_read32(VM_EXIT_INSTRUCTION_LEN);
	return true;
}

void tvx_event_requeue(struct tvx_vcpu *vcpu)
{
	struct tvx_event event;

	if (likely(!tvx_event_interrupted(&event)))
		return;
	/* The delivery that failed has set it; injecting again needs it clear. */
	if (EVENT_TYPE(event.info) == INTR_TYPE_NMI_INTR)
		tvx_set_blocking(vcpu, tvx_blocking(vcpu) & ~GUEST_INTR_STATE_NMI);
	set_event(vcpu, event.info, event.error_code, event.instruction_len);
}

void tvx_event_block_nmi_again(struct tvx_vcpu *vcpu)
{
	if (vcpu->pending & TINYVMX_PENDING_EVENT)
		return;
	tvx_set_blocking(vcpu, tvx_blocking(vcpu) | GUEST_INTR_STATE_NMI);
}

void tvx_event_cancel(struct tvx_vcpu *vcpu)
{
	u32 info = vmcs_read32(VM_ENTRY_INTR_INFO_FIELD);

	if (!(info & INTR_INFO_VALID_MASK))
		return;
	/* The field stays as it is, to be explained; the event will overwrite it. */
	set_event(vcpu, info, vmcs_read32(VM_ENTRY_EXCEPTION_ERROR_CODE),
		  vmcs_read32(VM_ENTRY_INSTRUCTION_LEN));
}

static void inject(const struct tvx_event *event)
{
	if (event->info & INTR_INFO_DELIVER_CODE_MASK)
		vmcs_write32(VM_ENTRY_EXCEPTION_ERROR_CODE, event->error_code);
	if (tvx_event_is_software(event->info))
		vmcs_write32(VM_ENTRY_INSTRUCTION_LEN, event->instruction_len);
	vmcs_write32(VM_ENTRY_INTR_INFO_FIELD, event->info);
}

static bool nmi_ready(struct tvx_vcpu *vcpu)
{
	return !(tvx_blocking(vcpu) & (TVX_BLOCKING_BY_SHADOW | GUEST_INTR_STATE_NMI));
}

static bool has_extint(const struct tvx_vcpu *vcpu)
{
	return (vcpu->pending & TINYVMX_PENDING_EXTINT) || tvx_lapic_next(&vcpu->lapic) >= 0;
}

/* The local APIC's interrupt that is to be injected: the CPU delivers them itself if it can. */
static int next_to_inject(const struct tvx_vcpu *vcpu)
{
	return vmx_caps.apicv ? -1 : tvx_lapic_next(&vcpu->lapic);
}

/* A trap behind HLT: the single step, or a breakpoint that MOV SS has held back. */
static bool has_trap(void)
{
	return vmcs_readn(GUEST_PENDING_DBG_EXCEPTIONS) & (TVX_DR6_BS | TVX_PENDING_BREAKPOINT);
}

static bool wakes_from_hlt(struct tvx_vcpu *vcpu)
{
	if ((vcpu->pending & (TINYVMX_PENDING_EVENT | TINYVMX_PENDING_UNHALT)) || has_trap())
		return true;
	if ((vcpu->pending & TINYVMX_PENDING_NMI) && nmi_ready(vcpu))
		return true;
	return has_extint(vcpu) && tvx_event_extint_ready(vcpu);
}

/* Whether an interrupt that comes later, an NMI, or another vCPU would wake the halted guest. */
static bool can_wait(struct tvx_vcpu *vcpu)
{
	if (!vcpu->lapic.present)
		return false;
	if ((tvx_rflags(vcpu) & X86_EFLAGS_IF) || READ_ONCE(vcpu->run->wait_for_peers))
		return true;
	return READ_ONCE(vcpu->run->wait_for_nmi) && !(tvx_blocking(vcpu) & GUEST_INTR_STATE_NMI);
}

/*
 * SDM, "Checks on Guest Non-Register State": in the shadow of STI or MOV SS, TF goes with a
 * pending single step. An exit by #DB leaves none, since that was the step or came first.
 * With an exception to be injected VM entry checks it all the same, and then drops it.
 */
static void pend_step_in_shadow(struct tvx_vcpu *vcpu)
{
	if ((tvx_rflags(vcpu) & X86_EFLAGS_TF) && (tvx_blocking(vcpu) & TVX_BLOCKING_BY_SHADOW))
		tvx_event_single_step(vcpu);
}

/*
 * Inject the event that an exit has left behind. Its delivery may end in an exit that
 * leaves one behind, and so on for ever (CVE-2015-5307, CVE-2015-8104): external
 * interrupts make the guest leave at the boundaries of its instructions, and it never
 * comes to one. So this is where they get through. Return: false: let them in first.
 */
static bool inject_event(struct tvx_vcpu *vcpu)
{
	if (vcpu->event_held) {
		vcpu->event_held = false;
		return false;
	}
	pend_step_in_shadow(vcpu);
	inject(&vcpu->event);
	vcpu->pending &= ~TINYVMX_PENDING_EVENT;
	return true;
}

/*
 * Inject the most urgent of what else is pending and can be taken now; @vector is the
 * local APIC's next. Return: its next after that.
 */
static noinline int inject_next(struct tvx_vcpu *vcpu, int vector)
{
	struct tvx_event nmi = { INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR | X86_TRAP_NMI };
	struct tvx_event extint = { INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR };

	if ((vcpu->pending & TINYVMX_PENDING_NMI) && nmi_ready(vcpu)) {
		inject(&nmi);
		vcpu->pending &= ~TINYVMX_PENDING_NMI;
	} else if ((vcpu->pending & TINYVMX_PENDING_EXTINT) && tvx_event_extint_ready(vcpu)) {
		extint.info |= vcpu->extint_vector;
		inject(&extint);
		vcpu->pending &= ~TINYVMX_PENDING_EXTINT;
	} else if (vector >= 0 && tvx_event_extint_ready(vcpu)) {
		tvx_lapic_ack(vcpu, vector);
		extint.info |= vector;
		inject(&extint);
		return next_to_inject(vcpu);
	}
	return vector;
}

/* Whether something pending would be injected before userspace's interrupt. */
static bool has_more_urgent(struct tvx_vcpu *vcpu)
{
	if (vcpu->pending & (TINYVMX_PENDING_EVENT | TINYVMX_PENDING_EXTINT))
		return true;
	return (vcpu->pending & TINYVMX_PENDING_NMI) && nmi_ready(vcpu);
}

static void set_windows(struct tvx_vcpu *vcpu, bool intr, bool nmi)
{
	if (intr == vcpu->intr_window && nmi == vcpu->nmi_window)
		return;
	vcpu->intr_window = intr;
	vcpu->nmi_window = nmi;
	tvx_controls_update(vcpu);
}

/* What the CPU has to know of the local APIC, where it has changed; @held: of no interrupt. */
static void load_lapic(struct tvx_vcpu *vcpu, bool held)
{
	struct tvx_lapic *lapic = &vcpu->lapic;
	unsigned int n;

	if (!lapic->stale && !held)
		return;
	lapic->stale = held;
	vmcs_write16(GUEST_INTR_STATUS, held ? tvx_lapic_interrupt_status(lapic) & ~0xff :
					       tvx_lapic_interrupt_status(lapic));
	if (!lapic->tmr_stale)
		return;
	lapic->tmr_stale = false;
	for (n = 0; n < 4; n++)
		__vmcs_write(EOI_EXIT_BITMAP0 + 2 * n, tvx_lapic_eoi_exits(lapic, n));
}

/* Without virtual-interrupt delivery: leave the guest when it lowers the TPR enough. */
static void set_tpr_threshold(struct tvx_vcpu *vcpu)
{
	u32 threshold = tvx_lapic_tpr_threshold(&vcpu->lapic);

	if (threshold == vcpu->tpr_threshold)
		return;
	vmcs_write32(TPR_THRESHOLD, threshold);
	vcpu->tpr_threshold = threshold;
}

void tvx_event_take_requests(struct tvx_vcpu *vcpu)
{
	/* One that comes too early may ask again: by then the deadline has passed. */
	while (test_and_clear_bit(TVX_REQUEST_TIMER, &vcpu->requests))
		tvx_lapic_timer_fired(vcpu);
	if (test_and_clear_bit(TVX_REQUEST_NMI, &vcpu->requests))
		vcpu->pending |= TINYVMX_PENDING_NMI;
	if (test_and_clear_bit(TVX_REQUEST_UNHALT, &vcpu->requests))
		vcpu->pending |= TINYVMX_PENDING_UNHALT;
}

void tvx_event_intr_line(struct tvx_vcpu *vcpu, bool raised)
{
	if (raised && tvx_lapic_lint0_is_nmi(&vcpu->lapic))
		vcpu->pending |= TINYVMX_PENDING_NMI;
	vcpu->want_window = raised;
}

enum tvx_entry tvx_event_prepare(struct tvx_vcpu *vcpu)
{
	bool held = tvx_debugger_holds_interrupts(vcpu);
	bool window = vcpu->want_window && tvx_lapic_accepts_extint(&vcpu->lapic) && !held;
	u32 mask = held ? TINYVMX_PENDING_EVENT : ~0U;
	int vector;

	tvx_lapic_take_posted(&vcpu->lapic);
	if (unlikely(vcpu->activity == TINYVMX_ACTIVITY_WAIT_FOR_SIPI))
		return READ_ONCE(vcpu->run->wait_for_peers) ? TVX_ENTER_WAIT : TVX_ENTER_HALTED;
	if (window && !has_more_urgent(vcpu) && tvx_event_extint_ready(vcpu) &&
	    vcpu->activity != TINYVMX_ACTIVITY_SHUTDOWN)
		return TVX_ENTER_WINDOW;
	if (unlikely(vcpu->activity != TINYVMX_ACTIVITY_ACTIVE)) {
		if (vcpu->activity == TINYVMX_ACTIVITY_SHUTDOWN)
			return TVX_ENTER_SHUTDOWN;
		if (!wakes_from_hlt(vcpu))
			return can_wait(vcpu) ? TVX_ENTER_WAIT : TVX_ENTER_HALTED;
		vcpu->activity = TINYVMX_ACTIVITY_ACTIVE;
		vcpu->pending &= ~TINYVMX_PENDING_UNHALT;
	}
	vector = held ? -1 : next_to_inject(vcpu);
	if ((vcpu->pending & mask) || vector >= 0) {
		if (!(vcpu->pending & TINYVMX_PENDING_EVENT))
			vector = inject_next(vcpu, vector);
		else if (!inject_event(vcpu))
			return TVX_ENTER_OPEN;
	}
	window |= (vcpu->pending & mask & TINYVMX_PENDING_EXTINT) || vector >= 0;
	set_windows(vcpu, window, vcpu->pending & mask & TINYVMX_PENDING_NMI);
	if (unlikely(vcpu->debugger.flags))
		pend_step_in_shadow(vcpu);
	if (vmx_caps.apicv)
		load_lapic(vcpu, held);
	else
		set_tpr_threshold(vcpu);
	return TVX_ENTER;
}
