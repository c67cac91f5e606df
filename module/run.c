// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run loop.
 *
 * A run has an outer part that may sleep, and an inner loop with preemption and
 * interrupts disabled. An interrupt that becomes pending in the inner loop makes
 * the guest leave at its next instruction boundary; then interrupts are opened, and
 * only then can there be a new reason to leave. docs/locking.md tells of the exits
 * that open them by themselves.
 */
#include <linux/context_tracking.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/vtime.h>
#include <asm/apicdef.h>
#include <asm/special_insns.h>

#include "event.h"
#include "exit.h"
#include "exit_controls.h"
#include "exit_debug.h"
#include "exit_handlers.h"
#include "exit_record.h"
#include "halt.h"
#include "mitigations.h"
#include "msr_spec_ctrl.h"
#include "run.h"
#include "state_reset.h"
#include "vcpu_switch.h"
#include "vmenter.h"
#include "vmx_timer.h"

/* What vmenter.S knows. */
static_assert(offsetof(struct tvx_world, gpr) == 0 &&
	      offsetof(struct tvx_world, host_rsp) == 16 * sizeof(unsigned long) &&
	      HOST_RSP == 0x6c14);

/*
 * Give the CPU to the guest. Return: 0, with preemption and interrupts disabled;
 * -EAGAIN: VMX is off here.
 */
static int load(struct tvx_vcpu *vcpu)
{
	int moved;

	preempt_disable();
	moved = vmx_vmcs_load(&vcpu->vmcs);
	if (unlikely(moved < 0)) {
		preempt_enable();
		return moved;
	}
	if (unlikely(moved))
		tvx_vcpu_arrive(vcpu);
	tvx_exit_forget(vcpu);
	tvx_host_save(&vcpu->host);
	WRITE_ONCE(vcpu->loaded_cpu, smp_processor_id());
	/* This orders loaded_cpu before the look at what is pending, too. */
	tvx_memory_load(vcpu->memory);
	vmcs_host_write_thread(&vcpu->host_fields, vcpu->host.fs_base);
	tvx_vcpu_load_fpu(vcpu);
	tvx_vcpu_load_msrs(vcpu);
	vcpu->loaded = true;
	tvx_vcpu_load_breakpoints(vcpu);
	native_write_cr2(vcpu->cr2);
	vcpu->exposed = true;
	vcpu->recheck = true;
	/* Who was in between may have moved the guest to another instruction. */
	vcpu->controls_stale |= vcpu->stepping;
	vcpu->stepping = false;
	vtime_account_guest_enter();
	return 0;
}

/* Take the CPU back. Interrupts and preemption are enabled afterwards. */
static void put(struct tvx_vcpu *vcpu)
{
	vtime_account_guest_exit();
	vcpu->cr2 = native_read_cr2();
	tvx_vcpu_put_breakpoints(vcpu);
	vcpu->loaded = false;
	WRITE_ONCE(vcpu->loaded_cpu, -1);
	tvx_vcpu_put_msrs(vcpu);
	tvx_vcpu_put_fpu(vcpu);
	if (unlikely(vcpu->x87_control))
		tvx_x87_unmask(vcpu);
	/* Before interrupts: their handlers may be traced through the GDT. */
	tvx_host_restore(&vcpu->host);
	tvx_mitigate_return_to_user();
	vmx_vmcs_unload(&vcpu->vmcs);
	local_irq_enable();
	tvx_memory_put(vcpu->memory);
	preempt_enable();
}

/* What ends the inner loop, beside the results of handlers. */
enum leave {
	STAY,
	AGAIN,		/* look once more */
	LEAVE,		/* the outer part has to do something */
	LEAVE_USER,	/* the run page is filled */
};

static void refresh_tlb(struct tvx_vcpu *vcpu)
{
	u64 generation = tvx_memory_generation(vcpu->memory);

	if (vcpu->invept_generation != generation) {
		vmx_refresh_ept(READ_ONCE(vcpu->memory->ept.eptp));
		vcpu->invept_generation = generation;
	}
	if (vcpu->flush_vpid) {
		vmx_invvpid(vcpu->vpid);
		vcpu->flush_vpid = false;
	}
}

/*
 * Map the page of an EPT violation, as far as that takes no waiting. Not in a section whose
 * VMXON may be ours: it shall be short, and to allocate a page may flush TLBs by CR4, with the
 * kernel's idea of it: without VMXE.
 */
static void resolve_fault(struct tvx_vcpu *vcpu)
{
	int err;

	if (vmx_is_shared() && vmx_root == VMX_ROOT_SECTION)
		return;
	err = tvx_memory_fault_quick(vcpu->memory, &vcpu->ept_cache, &vcpu->fault);
	if (err == -EAGAIN)
		return;
	vcpu->faulted = false;
	vcpu->fault_error = err;
}

/*
 * The APIC-access page stands where a vCPU's registers are after RESET. Who has them elsewhere,
 * or nowhere, must not find it there: what it has there, and where it has moved them, is MMIO.
 */
static bool must_move_apic_page(const struct tvx_vcpu *vcpu)
{
	bool is_there = tvx_lapic_page_gpa(&vcpu->lapic) == APIC_DEFAULT_PHYS_BASE;

	return vcpu->memory->apic_page && vcpu->lapic.hidden == is_there;
}

static void move_apic_page(struct tvx_vcpu *vcpu)
{
	vcpu->lapic.hidden = !vcpu->lapic.hidden;
	tvx_memory_hide_apic_page(vcpu->memory, vcpu->lapic.hidden);
}

/* What is to be done instead of an entry. */
static enum leave no_entry(struct tvx_vcpu *vcpu, enum tvx_entry entry)
{
	switch (entry) {
	case TVX_ENTER:
		break;
	case TVX_ENTER_OPEN:
		tvx_vcpu_open_interrupts(vcpu);
		return AGAIN;
	case TVX_ENTER_WAIT:
		if (tvx_is_watched())
			tvx_record_handled(vcpu, TINYVMX_HANDLED_WAITED);
		if (tvx_halt_poll(vcpu))
			return AGAIN;
		vcpu->halt_wait = true;
		return LEAVE;
	case TVX_ENTER_HALTED:
		tvx_exit_to_user(vcpu, TINYVMX_EXIT_HLT);
		return LEAVE_USER;
	case TVX_ENTER_SHUTDOWN:
		tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_SHUTDOWN);
		return LEAVE_USER;
	case TVX_ENTER_WINDOW:
		tvx_exit_to_user(vcpu, TINYVMX_EXIT_INTR_WINDOW);
		return LEAVE_USER;
	}
	return STAY;
}

/* INIT and SIPI change too much of what the CPU holds for the guest: they are taken outside. */
static bool is_started_up(const struct tvx_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) & BIT(TVX_REQUEST_STARTUP);
}

/* What the host may have changed since the last entry. */
static void refresh(struct tvx_vcpu *vcpu)
{
	vmcs_host_refresh(&vcpu->host_fields, &vcpu->host);
	tvx_spec_ctrl_load(vcpu);
	refresh_tlb(vcpu);
}

static enum leave before_entry(struct tvx_vcpu *vcpu)
{
	enum tvx_entry entry;

	if (vcpu->faulted)
		resolve_fault(vcpu);
	/* Interrupts may have been open: VMX may be off, and there may be work. */
	if (vcpu->vmcs.cpu < 0 || vcpu->faulted)
		return LEAVE;
	/* Before a signal, or what the outer part may see one after: no state blob has it. */
	if (vcpu->lapic.eoi) {
		tvx_exit_eoi(vcpu);
		return LEAVE_USER;
	}
	if (vcpu->split_lock || vcpu->yield || is_started_up(vcpu) || tvx_host_wants_thread() ||
	    unlikely(must_move_apic_page(vcpu)))
		return LEAVE;
	if (vcpu->fault_error) {
		tvx_exit_memory_fault(vcpu, vcpu->fault_error);
		vcpu->fault_error = 0;
		return LEAVE_USER;
	}
	if (unlikely(vcpu->debugger.stepped)) {
		tvx_debug_exit_step(vcpu);
		return LEAVE_USER;
	}
	vcpu->recheck = false;
	if (unlikely(vcpu->controls_stale))
		tvx_controls_update(vcpu);
	if (unlikely(READ_ONCE(vcpu->requests)))
		tvx_event_take_requests(vcpu);
	entry = tvx_event_prepare(vcpu);
	if (unlikely(entry != TVX_ENTER))
		return no_entry(vcpu, entry);
	refresh(vcpu);
	return STAY;
}

/* With nohz_full RCU does not watch the guest, nor what stands between these two. */
static noinline notrace bool enter_tracked(struct tvx_vcpu *vcpu)
{
	bool failed;

	context_tracking_guest_enter();
	failed = tvx_vmenter(&vcpu->world, vcpu->vmcs.launched);
	context_tracking_guest_exit();
	return failed;
}

static __always_inline bool vmenter(struct tvx_vcpu *vcpu)
{
	return context_tracking_enabled() ? enter_tracked(vcpu) :
					    tvx_vmenter(&vcpu->world, vcpu->vmcs.launched);
}

static enum tvx_result enter(struct tvx_vcpu *vcpu)
{
	if (tvx_is_watched())
		tvx_watch_entry(vcpu);
	tvx_mitigate_entry(&vcpu->exposed);
	if (vcpu->lapic.exit_at)
		vmx_timer_set(vcpu->lapic.exit_at);
	if (unlikely(vmenter(vcpu)))
		return tvx_exit_vmfail(vcpu);
	return tvx_exit_dispatch(vcpu);
}

/* Return: TVX_RESUME: the outer part has to look. */
static enum tvx_result inner_loop(struct tvx_vcpu *vcpu)
{
	enum tvx_result result = TVX_RESUME;

	do {
		if (vcpu->recheck) {
			enum leave leave = before_entry(vcpu);

			if (leave == AGAIN)
				continue;
			if (leave != STAY)
				return leave == LEAVE_USER ? TVX_USER : TVX_RESUME;
		}
		result = enter(vcpu);
	} while (result == TVX_RESUME);
	return result;
}

/* What userspace has done to the guest. */
static int take_changes(struct tvx_vcpu *vcpu, u32 request)
{
	int err;

	if (request & ~(TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE | TINYVMX_REQ_IGNNE))
		return -EOPNOTSUPP;
	if ((request & TINYVMX_REQ_IGNNE) && !vcpu->has_ferr)
		return -EOPNOTSUPP;
	if (request & TINYVMX_REQ_SET_REGS) {
		err = tvx_regs_set(vcpu, &vcpu->run->regs);
		if (err)
			return err;
		tvx_vcpu_forget_fault(vcpu);
	}
	if (request & TINYVMX_REQ_COMPLETE)
		tvx_complete_instruction(vcpu);
	if (request & TINYVMX_REQ_IGNNE)
		tvx_x87_ignore(vcpu);
	WRITE_ONCE(vcpu->run->request, 0);
	return 0;
}

/* What the last response asked userspace for. VMCS current. */
static int take_request(struct tvx_vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;
	u32 request = READ_ONCE(run->request);
	bool intr = READ_ONCE(run->want_intr_window);

	if (unlikely(intr != vcpu->want_window))
		tvx_event_intr_line(vcpu, intr);
	if (vcpu->in_width)
		tvx_io_complete(vcpu);
	return likely(!request) ? 0 : take_changes(vcpu, request);
}

/* Sleeping work between two inner loops. Return: 0 to go on, or -errno. */
static int outer_work(struct tvx_vcpu *vcpu)
{
	int err;

	if (vcpu->halt_wait)
		tvx_halt_wait(vcpu);
	vcpu->halt_wait = false;
	if (unlikely(vcpu->split_lock))
		tvx_host_split_lock(vcpu->exit.rip);
	vcpu->split_lock = false;
	if (vcpu->yield)
		yield();
	vcpu->yield = false;
	if (signal_pending(current) || tvx_host_has_user_work())
		return -EINTR;
	if (tvx_host_need_resched())
		schedule();
	if (unlikely(must_move_apic_page(vcpu)))
		move_apic_page(vcpu);
	if (!vcpu->faulted)
		return 0;
	err = tvx_memory_fault(vcpu->memory, &vcpu->ept_cache, &vcpu->fault);
	if (!tvx_memory_is_guests(err))
		return err;
	vcpu->faulted = false;
	vcpu->fault_error = err;
	return 0;
}

/*
 * VMX is off here: the CPU is going down and will push this task away, or the
 * machine is going down and the task has nowhere to run.
 */
static int wait_for_vmx(void)
{
	if (signal_pending(current))
		return -EINTR;
	usleep_range(100, 1000);
	return 0;
}

/*
 * Go to the edge of userspace, where signals are taken and the kernel's work is done. A signal's
 * handler makes that EINTR, whatever SA_RESTART says; without one the system call begins anew,
 * and userspace sees nothing of it.
 */
static int interrupted(struct tvx_vcpu *vcpu, bool immediate)
{
	vcpu->run->reason = TINYVMX_EXIT_INTR;
	vcpu->run->flags = 0;
	vcpu->run->exits = vcpu->exits;
	if (immediate)
		return -EINTR;
	set_tsk_thread_flag(current, TIF_SIGPENDING);
	return -ERESTARTNOHAND;
}

static int run(struct tvx_vcpu *vcpu)
{
	bool immediate = READ_ONCE(vcpu->run->immediate_exit);
	enum tvx_result result = TVX_RESUME;
	bool first = true;
	int err;

	for (;;) {
		err = load(vcpu);
		if (unlikely(err)) {
			err = wait_for_vmx();
			if (err)
				break;
			continue;
		}
		if (first)
			err = take_request(vcpu);
		first = false;
		if (likely(!err && !immediate))
			result = inner_loop(vcpu);
		put(vcpu);
		if (err)
			return err;
		if (result == TVX_USER)
			return 0;
		if (result == TVX_FAIL)
			return vcpu->error;
		if (tvx_is_watched())
			tvx_record_handled(vcpu, TINYVMX_HANDLED_OUTSIDE);
		if (unlikely(is_started_up(vcpu)))
			err = tvx_reset_startup(vcpu);
		if (!err)
			err = immediate ? -EINTR : outer_work(vcpu);
		if (err)
			break;
	}
	return err == -EINTR ? interrupted(vcpu, immediate) : err;
}

int tvx_vcpu_run(struct tvx_vcpu *vcpu)
{
	int err;

	if (tvx_is_watched())
		tvx_record_run(vcpu);
	err = run(vcpu);
	if (tvx_is_watched())
		tvx_record_leave(vcpu);
	return err;
}

bool tvx_vcpu_enter(struct tvx_vcpu *vcpu)
{
	tvx_mitigate_entry(&vcpu->exposed);
	return vmenter(vcpu);
}

int tvx_vcpu_lend(struct tvx_vcpu *vcpu, void (*fn)(struct tvx_vcpu *vcpu, void *arg), void *arg)
{
	int err;

	while (load(vcpu)) {
		err = wait_for_vmx();
		if (err)
			return err;
	}
	if (vcpu->controls_stale)
		tvx_controls_update(vcpu);
	refresh(vcpu);
	fn(vcpu, arg);
	put(vcpu);
	return 0;
}
