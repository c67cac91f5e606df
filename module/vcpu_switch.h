/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a vCPU borrows from the CPU it is on, and gives back.
 *
 * The run loop takes all of it; who changes registers of the guest has it brought in line.
 */
#ifndef TVX_VCPU_SWITCH_H
#define TVX_VCPU_SWITCH_H

#include "exit_info.h"
#include "fpu.h"
#include "host.h"
#include "vcpu.h"
#include "vmx_caps.h"

/* ---------------------------------------------- for the edges of a run */

static inline void tvx_vcpu_load_fpu(struct tvx_vcpu *vcpu)
{
	tvx_fpu_load(vcpu->xsave);
	if (vcpu->xcr0 != vmx_caps.host_xcr0)
		tvx_xsetbv(vcpu->xcr0);
}

static inline void tvx_vcpu_put_fpu(struct tvx_vcpu *vcpu)
{
	if (vcpu->xcr0 != vmx_caps.host_xcr0)
		tvx_xsetbv(vmx_caps.host_xcr0);
	tvx_fpu_put(vcpu->xsave);
}

/* The host's DR0 ... DR3 and DR6; the guest's or its debugger's, if they matter. */
void tvx_vcpu_give_breakpoints(struct tvx_vcpu *vcpu);
void tvx_vcpu_take_breakpoints(struct tvx_vcpu *vcpu);

static inline void tvx_vcpu_put_breakpoints(struct tvx_vcpu *vcpu)
{
	if (unlikely(vcpu->debug.loaded))
		tvx_vcpu_give_breakpoints(vcpu);
}

/* DR0 ... DR3 matter to the CPU only while DR7 enables one of them. */
static inline void tvx_vcpu_load_breakpoints(struct tvx_vcpu *vcpu)
{
	if (unlikely(tvx_dr7_in_force(vcpu) & TVX_DR7_ENABLED))
		tvx_vcpu_take_breakpoints(vcpu);
}

/*
 * All debug registers are the host's, as they were: for what may look at them or change them
 * (interrupt handlers, the NMI's). They are the guest's again.
 */
static inline void tvx_vcpu_put_debug(struct tvx_vcpu *vcpu)
{
	tvx_vcpu_put_breakpoints(vcpu);
	tvx_host_restore_debug(&vcpu->host);
}

static inline void tvx_vcpu_load_debug(struct tvx_vcpu *vcpu)
{
	tvx_host_save_debug(&vcpu->host);
	tvx_vcpu_load_breakpoints(vcpu);
}

static inline void tvx_write_msrs(const struct vmx_msr_entry *entry, unsigned int count)
{
	const struct vmx_msr_entry *end = entry + count;

	for (; entry < end; entry++)
		tvx_wrmsr(entry->index, entry->value);
}

/* Whose MSRs the CPU holds, from before the first is loaded until after the last is put. */
DECLARE_PER_CPU(struct tvx_vcpu *, tvx_msrs_of);

static inline void tvx_vcpu_load_msrs(struct tvx_vcpu *vcpu)
{
	u64 gs_base = vcpu->msrs[TVX_MSR_KERNEL_GS_BASE];

	this_cpu_write(tvx_msrs_of, vcpu);
	barrier();
	tvx_write_msrs(vcpu->guest_switch, vcpu->nr_switched);
	if ((vcpu->wanted_msrs & BIT(TVX_MSR_KERNEL_GS_BASE)) && gs_base != vcpu->host.gs_base_user)
		tvx_wrmsr(MSR_KERNEL_GS_BASE, gs_base);
}

void tvx_vcpu_put_msrs(struct tvx_vcpu *vcpu);

/* A task dies of a fault in the kernel: no guest's LSTAR stays in its CPU. Any context. */
void tvx_vcpu_oops(void);

/* The VMCS, now current, has come from another CPU, or from nowhere. */
void tvx_vcpu_arrive(struct tvx_vcpu *vcpu);

/* -------------------------------------------------- for whoever needs it */

/*
 * Make the VMCS current to read or change its fields, without the rest that a
 * run loads. Between the two interrupts are disabled. Return: 0; -EIO: VMX has
 * been turned off for good (the machine goes down). May sleep before. Lock held.
 */
int tvx_vcpu_get_vmcs(struct tvx_vcpu *vcpu);
void tvx_vcpu_put_vmcs(struct tvx_vcpu *vcpu);

/*
 * tvx_vcpu_open_interrupts - let the host take what is pending, inside the run loop
 *
 * The VMCS may be gone afterwards; @vcpu->recheck makes the loop look. The other two:
 * the same for longer. Between them the CPU holds the host's FPU and debug registers.
 */
void tvx_vcpu_open_interrupts(struct tvx_vcpu *vcpu);
void tvx_vcpu_enable_interrupts(struct tvx_vcpu *vcpu);
void tvx_vcpu_disable_interrupts(struct tvx_vcpu *vcpu);

/*
 * For handlers and state changes, the VMCS being current: what the CPU holds of
 * the guest, brought in line with a change of the guest's registers.
 */
void tvx_vcpu_update_msrs(struct tvx_vcpu *vcpu, u32 wanted);
u64 tvx_vcpu_read_msr(struct tvx_vcpu *vcpu, enum tvx_switched_msr n);
void tvx_vcpu_write_msr(struct tvx_vcpu *vcpu, enum tvx_switched_msr n, u64 value);
void tvx_vcpu_update_xcr0(struct tvx_vcpu *vcpu, u64 xcr0);

/*
 * Let the guest use the debug registers without VM exits, until the CPU is the host's again or
 * the second of these is called: vcpu->debug has them then. For the handler of an exit; the
 * controls have to be brought in line before the next entry.
 */
void tvx_vcpu_own_debug(struct tvx_vcpu *vcpu);
void tvx_vcpu_disown_debug(struct tvx_vcpu *vcpu);

#endif
