// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a vCPU borrows from the CPU it is on: FPU, MSRs, breakpoints, and the VMCS.
 */
#include <linux/bits.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/special_insns.h>

#include "debug_regs.h"
#include "host_power.h"
#include "mitigations.h"
#include "vcpu_switch.h"

DEFINE_PER_CPU(struct tvx_vcpu *, tvx_msrs_of);

static const u32 switched_msr[TVX_NR_SWITCHED_MSRS] = {
	[TVX_MSR_STAR]		 = MSR_STAR,
	[TVX_MSR_LSTAR]		 = MSR_LSTAR,
	[TVX_MSR_CSTAR]		 = MSR_CSTAR,
	[TVX_MSR_SYSCALL_MASK]	 = MSR_SYSCALL_MASK,
	[TVX_MSR_TSC_AUX]	 = MSR_TSC_AUX,
	[TVX_MSR_KERNEL_GS_BASE] = MSR_KERNEL_GS_BASE,
};

/* Which MSRs are to be written at the edges of a run, IA32_KERNEL_GS_BASE aside. */
static void find_switched_msrs(struct tvx_vcpu *vcpu)
{
	unsigned int n, count = 0;

	for (n = 0; n < TVX_MSR_KERNEL_GS_BASE; n++) {
		if (!(vcpu->wanted_msrs & BIT(n)) || vcpu->msrs[n] == vcpu->host_msrs[n])
			continue;
		vcpu->guest_switch[count].index = switched_msr[n];
		vcpu->guest_switch[count].value = vcpu->msrs[n];
		vcpu->host_switch[count].index = switched_msr[n];
		vcpu->host_switch[count].value = vcpu->host_msrs[n];
		count++;
	}
	vcpu->nr_switched = count;
}

static void put_msrs(struct tvx_vcpu *vcpu)
{
	u64 gs_base;

	tvx_write_msrs(vcpu->host_switch, vcpu->nr_switched);
	if (!(vcpu->wanted_msrs & BIT(TVX_MSR_KERNEL_GS_BASE)))
		return;
	/* SWAPGS does not exit. */
	gs_base = tvx_rdmsr(MSR_KERNEL_GS_BASE);
	vcpu->msrs[TVX_MSR_KERNEL_GS_BASE] = gs_base;
	if (gs_base != vcpu->host.gs_base_user)
		tvx_wrmsr(MSR_KERNEL_GS_BASE, vcpu->host.gs_base_user);
}

void tvx_vcpu_put_msrs(struct tvx_vcpu *vcpu)
{
	put_msrs(vcpu);
	barrier();
	this_cpu_write(tvx_msrs_of, NULL);
}

void tvx_vcpu_oops(void)
{
	struct tvx_vcpu *vcpu = this_cpu_read(tvx_msrs_of);

	if (vcpu)
		tvx_vcpu_put_msrs(vcpu);
}

void tvx_vcpu_update_msrs(struct tvx_vcpu *vcpu, u32 wanted)
{
	if (vcpu->loaded)
		tvx_vcpu_put_msrs(vcpu);
	vcpu->wanted_msrs = wanted;
	find_switched_msrs(vcpu);
	if (vcpu->loaded)
		tvx_vcpu_load_msrs(vcpu);
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
		tvx_wrmsr(switched_msr[n], value);
}

void tvx_vcpu_update_xcr0(struct tvx_vcpu *vcpu, u64 xcr0)
{
	if (vcpu->loaded && xcr0 != vcpu->xcr0)
		tvx_xsetbv(xcr0);
	vcpu->xcr0 = xcr0;
}

void tvx_vcpu_take_breakpoints(struct tvx_vcpu *vcpu)
{
	u64 shared[4];

	if (tvx_debugger_has_breakpoints(vcpu))
		tvx_debug_regs_get(vcpu, shared);
	tvx_host_load_breakpoints(&vcpu->host, tvx_debugger_has_breakpoints(vcpu) ?
				  shared : vcpu->debug.dr);
	vcpu->debug.loaded = true;
}

void tvx_vcpu_give_breakpoints(struct tvx_vcpu *vcpu)
{
	tvx_vcpu_disown_debug(vcpu);
	tvx_host_unload_breakpoints(&vcpu->host);
	vcpu->debug.loaded = false;
}

void tvx_vcpu_own_debug(struct tvx_vcpu *vcpu)
{
	tvx_vcpu_put_breakpoints(vcpu);
	tvx_vcpu_take_breakpoints(vcpu);
	tvx_host_write_dr6(vcpu->debug.dr6);
	vcpu->debug.owned = true;
}

/* Which bits exist is the CPU's to say meanwhile: here it is as without the rest. */
void tvx_vcpu_disown_debug(struct tvx_vcpu *vcpu)
{
	struct tvx_debug *debug = &vcpu->debug;

	if (!debug->owned)
		return;
	tvx_host_read_breakpoints(debug->dr, &debug->dr6);
	debug->dr6 = (debug->dr6 & TVX_DR6_WRITABLE) | TVX_DR6_FIXED;
	debug->dr7 = (tvx_dr7(vcpu) & TVX_DR7_WRITABLE) | TVX_DR7_FIXED;
	debug->owned = false;
	vcpu->controls_stale = true;
	vcpu->recheck = true;
}

/*
 * The host has slept and its TSC begun anew: the guest's goes on from where it was. VMX was off
 * then, so the VMCS has to arrive before anybody looks at the TSC again.
 */
static void catch_up_with_tsc(struct tvx_vcpu *vcpu)
{
	u64 lost = tvx_host_tsc_lost() - vcpu->tsc_lost;

	if (likely(!lost))
		return;
	vcpu->tsc_lost += lost;
	tvx_add_to_tsc(vcpu, lost);
	tvx_lapic_tsc_back(&vcpu->lapic, lost);
}

void tvx_vcpu_arrive(struct tvx_vcpu *vcpu)
{
	unsigned int n;

	catch_up_with_tsc(vcpu);
	vmcs_host_write_cpu(&vcpu->host_fields);
	vcpu->world.host_rsp = 0;
	/* Translations that this CPU cached when the vCPU was here last are stale. */
	vcpu->invept_generation = ~0ULL;
	vcpu->flush_vpid = true;
	for (n = TVX_MSR_STAR; n <= TVX_MSR_TSC_AUX; n++)
		if (n != TVX_MSR_TSC_AUX || boot_cpu_has(X86_FEATURE_RDTSCP))
			vcpu->host_msrs[n] = tvx_rdmsr(switched_msr[n]);
	find_switched_msrs(vcpu);
}

/*
 * KVM, as it starts on this CPU, takes the MSRs for the host's: by IPI, which may come as soon
 * as interrupts are enabled, or from 6.12 on in a thread, which preemption being off keeps
 * away. It does not start while its root is held.
 */
static noinline void end_section(struct tvx_vcpu *vcpu)
{
	if (vmx_root == VMX_ROOT_SECTION)
		tvx_vcpu_put_msrs(vcpu);
	vmx_section_end(&vcpu->vmcs);
}

static noinline void begin_section(struct tvx_vcpu *vcpu)
{
	vmx_section_begin(&vcpu->vmcs);
	if (vmx_root == VMX_ROOT_SECTION)
		tvx_vcpu_load_msrs(vcpu);
}

/*
 * Interrupt handlers are free to use the FPU, to fault, which changes CR2, and to set
 * breakpoints: with the guest's addresses in DR0 ... DR3 these would hit where it wants.
 */
void tvx_vcpu_enable_interrupts(struct tvx_vcpu *vcpu)
{
	tvx_vcpu_put_debug(vcpu);
	tvx_vcpu_put_fpu(vcpu);
	vcpu->cr2 = native_read_cr2();
	vcpu->recheck = true;
	if (vmx_is_shared())
		end_section(vcpu);
	local_irq_enable();
}

void tvx_vcpu_disable_interrupts(struct tvx_vcpu *vcpu)
{
	local_irq_disable();
	if (vmx_is_shared())
		begin_section(vcpu);
	tvx_mitigate_interrupts(&vcpu->exposed);
	native_write_cr2(vcpu->cr2);
	tvx_vcpu_load_fpu(vcpu);
	tvx_vcpu_load_debug(vcpu);
}

void tvx_vcpu_open_interrupts(struct tvx_vcpu *vcpu)
{
	tvx_vcpu_enable_interrupts(vcpu);
	/* STI delays interrupts by one instruction. */
	asm volatile("nop");
	tvx_vcpu_disable_interrupts(vcpu);
}

int tvx_vcpu_get_vmcs(struct tvx_vcpu *vcpu)
{
	unsigned int tries;
	int moved;

	for (tries = 0; tries < 1000; tries++) {
		preempt_disable();
		moved = vmx_vmcs_load(&vcpu->vmcs);
		if (moved > 0)
			tvx_vcpu_arrive(vcpu);
		if (moved >= 0) {
			tvx_exit_forget(vcpu);
			return 0;
		}
		preempt_enable();
		usleep_range(100, 1000);
	}
	return -EIO;
}

void tvx_vcpu_put_vmcs(struct tvx_vcpu *vcpu)
{
	vmx_section_end(&vcpu->vmcs);
	local_irq_enable();
	preempt_enable();
}
