// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs: what a run borrows from the CPU and gives back, and the run loop.
 *
 * A run has an outer part that may sleep, and an inner loop with preemption and
 * interrupts disabled. An interrupt that becomes pending in the inner loop makes
 * the guest leave at its next instruction boundary; then interrupts are opened, and
 * only then can there be a new reason to leave. docs/locking.md tells of the exits
 * that open them by themselves.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <asm/fpu/xcr.h>
#include <asm/msr-index.h>
#include <asm/special_insns.h>

#include "cpuid.h"
#include "state_cr.h"
#include "event.h"
#include "exit.h"
#include "fpu.h"
#include "halt.h"
#include "mitigations.h"
#include "msr.h"
#include "msr_spec_ctrl.h"
#include "state_reset.h"
#include "trace.h"
#include "vcpu.h"
#include "vmenter.h"
#include "vmx_caps.h"
#include "vmx_timer.h"

static DEFINE_IDA(vpids);

/* -------------------------------------------------------- what runs borrow */

static void load_fpu(struct tvx_vcpu *vcpu)
{
	tvx_fpu_load(vcpu->xsave);
	if (vcpu->xcr0 != vmx_caps.host_xcr0)
		tvx_xsetbv(vcpu->xcr0);
}

static void put_fpu(struct tvx_vcpu *vcpu)
{
	if (vcpu->xcr0 != vmx_caps.host_xcr0)
		tvx_xsetbv(vmx_caps.host_xcr0);
	tvx_fpu_put(vcpu->xsave);
}

/* Which MSRs are to be written at the edges of a run, IA32_KERNEL_GS_BASE aside. */
static void find_switched_msrs(struct tvx_vcpu *vcpu)
{
	unsigned int n, count = 0;

	for (n = 0; n < TVX_MSR_KERNEL_GS_BASE; n++) {
		if (!(vcpu->wanted_msrs & BIT(n)) || vcpu->msrs[n] == vcpu->host_msrs[n])
			continue;
		vcpu->guest_switch[count].index = tvx_switched_msr_index[n];
		vcpu->guest_switch[count].value = vcpu->msrs[n];
		vcpu->host_switch[count].index = tvx_switched_msr_index[n];
		vcpu->host_switch[count].value = vcpu->host_msrs[n];
		count++;
	}
	vcpu->nr_switched = count;
}

static void write_msrs(const struct vmx_msr_entry *entry, unsigned int count)
{
	const struct vmx_msr_entry *end = entry + count;

	for (; entry < end; entry++)
		tvx_wrmsr(entry->index, entry->value);
}

static void load_msrs(struct tvx_vcpu *vcpu)
{
	u64 gs_base = vcpu->msrs[TVX_MSR_KERNEL_GS_BASE];

	write_msrs(vcpu->guest_switch, vcpu->nr_switched);
	if ((vcpu->wanted_msrs & BIT(TVX_MSR_KERNEL_GS_BASE)) && gs_base != vcpu->host.gs_base_user)
		tvx_wrmsr(MSR_KERNEL_GS_BASE, gs_base);
}

static void put_msrs(struct tvx_vcpu *vcpu)
{
	u64 gs_base;

	write_msrs(vcpu->host_switch, vcpu->nr_switched);
	if (!(vcpu->wanted_msrs & BIT(TVX_MSR_KERNEL_GS_BASE)))
		return;
	/* SWAPGS does not exit. */
	gs_base = tvx_rdmsr(MSR_KERNEL_GS_BASE);
	vcpu->msrs[TVX_MSR_KERNEL_GS_BASE] = gs_base;
	if (gs_base != vcpu->host.gs_base_user)
		tvx_wrmsr(MSR_KERNEL_GS_BASE, vcpu->host.gs_base_user);
}

void tvx_vcpu_update_msrs(struct tvx_vcpu *vcpu, u32 wanted)
{
	if (vcpu->loaded)
		put_msrs(vcpu);
	vcpu->wanted_msrs = wanted;
	find_switched_msrs(vcpu);
	if (vcpu->loaded)
		load_msrs(vcpu);
}

u64 tvx_vcpu_read_msr(struct tvx_vcpu *vcpu, enum tvx_switched_msr n)
{
	if (n == TVX_MSR_KERNEL_GS_BASE && vcpu->loaded && (vcpu->wanted_msrs & BIT(n)))
		vcpu->msrs[n] = tvx_rdmsr(MSR_KERNEL_GS_BASE);
	return vcpu->msrs[n];
}

void tvx_vcpu_write_msr(struct tvx_vcpu *vcpu, enum tvx_switched_msr n, u64 value)
{
	vcpu->msrs[n] = value;
	find_switched_msrs(vcpu);
	if (vcpu->loaded && (vcpu->wanted_msrs & BIT(n)))
		tvx_wrmsr(tvx_switched_msr_index[n], value);
}

void tvx_vcpu_update_xcr0(struct tvx_vcpu *vcpu, u64 xcr0)
{
	if (vcpu->loaded && xcr0 != vcpu->xcr0)
		tvx_xsetbv(xcr0);
	vcpu->xcr0 = xcr0;
}

static void put_breakpoints(struct tvx_vcpu *vcpu)
{
	if (vcpu->breakpoints_loaded)
		tvx_host_unload_breakpoints(&vcpu->host);
	vcpu->breakpoints_loaded = false;
}

/* DR0 ... DR3 matter to the CPU only while DR7 enables one of them. */
void tvx_vcpu_update_breakpoints(struct tvx_vcpu *vcpu)
{
	if (!vcpu->loaded)
		return;
	put_breakpoints(vcpu);
	if (!(vcpu->dr7 & TVX_DR7_ENABLED))
		return;
	tvx_host_load_breakpoints(&vcpu->host, vcpu->dr);
	vcpu->breakpoints_loaded = true;
}

/* The VMCS has come from another CPU, or from nowhere. */
static void arrive(struct tvx_vcpu *vcpu)
{
	unsigned int n;

	vmcs_host_write_cpu(&vcpu->host_fields);
	vcpu->world.host_rsp = 0;
	/* Translations that this CPU cached when the vCPU was here last are stale. */
	vcpu->invept_generation = ~0ULL;
	vcpu->flush_vpid = true;
	for (n = TVX_MSR_STAR; n <= TVX_MSR_TSC_AUX; n++)
		if (n != TVX_MSR_TSC_AUX || boot_cpu_has(X86_FEATURE_RDTSCP))
			vcpu->host_msrs[n] = tvx_rdmsr(tvx_switched_msr_index[n]);
	find_switched_msrs(vcpu);
}

/* SET_STATE may have changed what the last exit remembers of the guest. */
static void forget_registers(struct tvx_vcpu *vcpu)
{
	vcpu->exit.valid &= ~(TVX_EXIT_RFLAGS | TVX_EXIT_BLOCKING);
}

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
		arrive(vcpu);
	forget_registers(vcpu);
	tvx_host_save(&vcpu->host);
	WRITE_ONCE(vcpu->loaded_cpu, smp_processor_id());
	/* This orders loaded_cpu before the look at what is pending, too. */
	tvx_memory_load(vcpu->memory);
	vmcs_host_write_thread(&vcpu->host_fields, vcpu->host.fs_base);
	load_fpu(vcpu);
	load_msrs(vcpu);
	tvx_spec_ctrl_load(vcpu);
	vcpu->loaded = true;
	tvx_vcpu_update_breakpoints(vcpu);
	native_write_cr2(vcpu->cr2);
	vcpu->exposed = true;
	vcpu->recheck = true;
	return 0;
}

/* Take the CPU back. Interrupts and preemption are enabled afterwards. */
static void put(struct tvx_vcpu *vcpu)
{
	vcpu->cr2 = native_read_cr2();
	put_breakpoints(vcpu);
	vcpu->loaded = false;
	WRITE_ONCE(vcpu->loaded_cpu, -1);
	put_msrs(vcpu);
	put_fpu(vcpu);
	/* Before interrupts: their handlers may be traced through the GDT. */
	tvx_host_restore(&vcpu->host);
	tvx_mitigate_return_to_user();
	local_irq_enable();
	tvx_memory_put(vcpu->memory);
	preempt_enable();
}

/* Interrupt handlers are free to use the FPU, and to fault, which changes CR2. */
void tvx_vcpu_enable_interrupts(struct tvx_vcpu *vcpu)
{
	put_fpu(vcpu);
	vcpu->cr2 = native_read_cr2();
	vcpu->recheck = true;
	local_irq_enable();
}

void tvx_vcpu_disable_interrupts(struct tvx_vcpu *vcpu)
{
	local_irq_disable();
	tvx_mitigate_interrupts(&vcpu->exposed);
	native_write_cr2(vcpu->cr2);
	load_fpu(vcpu);
}

void tvx_vcpu_open_interrupts(struct tvx_vcpu *vcpu)
{
	tvx_vcpu_enable_interrupts(vcpu);
	/* STI delays interrupts by one instruction. */
	asm volatile("nop");
	tvx_vcpu_disable_interrupts(vcpu);
}

/* ------------------------------------------------------------ the run loop */

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
		vmx_invept(vcpu->memory->ept.eptp);
		vcpu->invept_generation = generation;
	}
	if (vcpu->flush_vpid) {
		vmx_invvpid(vcpu->vpid);
		vcpu->flush_vpid = false;
	}
}

/* Map the page of an EPT violation, as far as that takes no waiting. */
static void resolve_fault(struct tvx_vcpu *vcpu)
{
	int err = tvx_memory_fault_quick(vcpu->memory, &vcpu->ept_cache, &vcpu->fault);

	if (err == -EAGAIN)
		return;
	vcpu->faulted = false;
	vcpu->fault_error = err;
}

/* The register page is there for a vCPU in xAPIC mode; one that is not must not see it. */
static bool must_move_apic_page(const struct tvx_vcpu *vcpu)
{
	return vcpu->memory->apic_page &&
	       vcpu->lapic.hidden == tvx_lapic_is_xapic(&vcpu->lapic);
}

static void move_apic_page(struct tvx_vcpu *vcpu)
{
	vcpu->lapic.hidden = !vcpu->lapic.hidden;
	tvx_vcpu_enable_interrupts(vcpu);
	tvx_memory_hide_apic_page(vcpu->memory, vcpu->lapic.hidden);
	tvx_vcpu_disable_interrupts(vcpu);
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

static enum leave before_entry(struct tvx_vcpu *vcpu)
{
	enum tvx_entry entry;

	if (vcpu->faulted)
		resolve_fault(vcpu);
	if (unlikely(must_move_apic_page(vcpu)))
		move_apic_page(vcpu);
	/* Interrupts may have been open: VMX may be off, and there may be work. */
	if (vcpu->vmcs.cpu < 0 || vcpu->faulted)
		return LEAVE;
	/* Before a signal: no state blob has it. */
	if (vcpu->lapic.eoi) {
		tvx_exit_eoi(vcpu);
		return LEAVE_USER;
	}
	if (need_resched() || signal_pending(current))
		return LEAVE;
	if (vcpu->fault_error) {
		tvx_exit_memory_fault(vcpu, vcpu->fault_error);
		vcpu->fault_error = 0;
		return LEAVE_USER;
	}
	vcpu->recheck = false;
	if (unlikely(READ_ONCE(vcpu->requests)))
		tvx_vcpu_take_requests(vcpu);
	entry = tvx_event_prepare(vcpu);
	if (unlikely(entry != TVX_ENTER))
		return no_entry(vcpu, entry);
	vmcs_host_refresh(&vcpu->host_fields);
	refresh_tlb(vcpu);
	return STAY;
}

static enum tvx_result enter(struct tvx_vcpu *vcpu)
{
	if (trace_tinyvmx_entry_enabled())
		tvx_exit_trace_entry(vcpu);
	tvx_mitigate_entry(&vcpu->exposed);
	if (vcpu->lapic.exit_at)
		vmx_timer_set(vcpu->lapic.exit_at);
	if (unlikely(tvx_vmenter(&vcpu->world, vcpu->vmcs.launched)))
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

	if (request & ~(TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE))
		return -EOPNOTSUPP;
	if (request & TINYVMX_REQ_SET_REGS) {
		err = tvx_regs_set(vcpu, &vcpu->run->regs);
		if (err)
			return err;
	}
	if (request & TINYVMX_REQ_COMPLETE)
		tvx_complete_instruction(vcpu);
	WRITE_ONCE(vcpu->run->request, 0);
	return 0;
}

/* What the last response asked userspace for. VMCS current. */
static int take_request(struct tvx_vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;
	u32 request = READ_ONCE(run->request);

	vcpu->want_window = READ_ONCE(run->want_intr_window);
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
	if (signal_pending(current))
		return -EINTR;
	if (need_resched())
		schedule();
	if (!vcpu->faulted)
		return 0;
	err = tvx_memory_fault(vcpu->memory, &vcpu->ept_cache, &vcpu->fault);
	if (err == -ENOMEM || err == -EINTR)
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

static int interrupted(struct tvx_vcpu *vcpu)
{
	vcpu->run->reason = TINYVMX_EXIT_INTR;
	vcpu->run->flags = 0;
	vcpu->run->exits = vcpu->exits;
	return -EINTR;
}

int tvx_vcpu_run(struct tvx_vcpu *vcpu)
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
		err = immediate ? -EINTR : outer_work(vcpu);
		if (err)
			break;
	}
	return err == -EINTR ? interrupted(vcpu) : err;
}

/* ---------------------------------------------------------------- lifetime */

int tvx_vcpu_get_vmcs(struct tvx_vcpu *vcpu)
{
	unsigned int tries;
	int moved;

	for (tries = 0; tries < 1000; tries++) {
		preempt_disable();
		moved = vmx_vmcs_load(&vcpu->vmcs);
		if (moved > 0)
			arrive(vcpu);
		if (moved >= 0) {
			forget_registers(vcpu);
			return 0;
		}
		preempt_enable();
		usleep_range(100, 1000);
	}
	return -EIO;
}

void tvx_vcpu_put_vmcs(struct tvx_vcpu *vcpu)
{
	local_irq_enable();
	preempt_enable();
}

/* The FPU after RESET is not the XSAVE init state only in x87's control word. */
static void init_xsave(struct tvx_vcpu *vcpu)
{
	struct fxregs_state *fx = vcpu->xsave;
	u64 *xstate_bv = vcpu->xsave + VMX_FXSAVE_BYTES;

	fx->cwd = 0x40;
	fx->mxcsr = MXCSR_DEFAULT;
	*xstate_bv = XFEATURE_MASK_FPSSE;
}

static void free_parts(struct tvx_vcpu *vcpu)
{
	if (vcpu->lapic.hidden)
		tvx_memory_hide_apic_page(vcpu->memory, false);
	tvx_lapic_destroy(vcpu);
	if (vcpu->vpid)
		ida_free(&vpids, vcpu->vpid);
	if (vcpu->vmcs.page)
		vmx_vmcs_destroy(&vcpu->vmcs);
	ept_cache_destroy(&vcpu->ept_cache);
	kfree(vcpu->xsave);
	kvfree(vcpu->cpuid);
	free_page((unsigned long)vcpu->msr_bitmap);
	free_page((unsigned long)vcpu->run);
}

static int alloc_parts(struct tvx_vcpu *vcpu)
{
	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->msr_bitmap = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->xsave = tvx_fpu_alloc(GFP_KERNEL_ACCOUNT, NUMA_NO_NODE);
	if (!vcpu->run || !vcpu->msr_bitmap || !vcpu->xsave)
		return -ENOMEM;
	return vmx_vmcs_init(&vcpu->vmcs);
}

int tvx_vcpu_init(struct tvx_vcpu *vcpu, const struct tvx_vcpu_config *config)
{
	int err;

	vcpu->vm = config->vm;
	vcpu->memory = config->memory;
	vcpu->peers = config->peers;
	vcpu->ioeventfds = config->ioeventfds;
	vcpu->id = config->id;
	vcpu->loaded_cpu = -1;
	mutex_init(&vcpu->lock);
	rcuwait_init(&vcpu->wait);
	err = tvx_lapic_init(vcpu, config->lapic);
	if (err)
		return err;
	vcpu->xcr0 = XFEATURE_MASK_FP;
	tvx_cpuid_init(vcpu);
	err = alloc_parts(vcpu);
	if (err)
		goto free;
	init_xsave(vcpu);
	if (vmx_caps.has_vpid) {
		err = ida_alloc_range(&vpids, 1, U16_MAX, GFP_KERNEL);
		/* Out of VPIDs: go without, at the price of a flush per entry. */
		vcpu->vpid = max(err, 0);
	}
	err = tvx_vcpu_get_vmcs(vcpu);
	if (err)
		goto free;
	tvx_reset_vmcs(vcpu, config->tsc_offset);
	tvx_vcpu_put_vmcs(vcpu);
	return 0;

free:
	free_parts(vcpu);
	return err;
}

void tvx_vcpu_destroy(struct tvx_vcpu *vcpu)
{
	free_parts(vcpu);
}
