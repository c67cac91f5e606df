/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMCSs: where they are active, and which is current.
 *
 * A VMCS is current only in a section with interrupts disabled: vmx_vmcs_load() begins one,
 * and vmx_section_end() stands before each place that enables interrupts. In a root of our
 * own there is nothing to begin or end, and neither costs anything. In a shared one KVM
 * takes for granted, as soon as interrupts are enabled, that what it made current is so
 * still: it VMCLEARs a VMCS by IPI, then frees it, and loads its own only if it has
 * loaded another in between.
 */
#ifndef TVX_VMX_VMCS_H
#define TVX_VMX_VMCS_H

#include "host_kvm.h"
#include "vmx_cpu.h"

/* Allocate a clear VMCS; free it, from wherever it is active. May sleep. */
int vmx_vmcs_init(struct vmx_vmcs *vmcs);
void vmx_vmcs_destroy(struct vmx_vmcs *vmcs);

/*
 * vmx_vmcs_load - make @vmcs the current VMCS of this CPU, in a new section
 *
 * Call it with preemption disabled and interrupts enabled. The host's MSRs are the host's
 * afterwards, whatever KVM had left there. Return: 0: it was active here already; 1: it
 * has come from another CPU, so everything per CPU in it is stale. In both cases
 * interrupts are now disabled, and the VMCS is current until vmx_section_end(): the VMXOFF
 * of a reboot comes by IPI. -EAGAIN: VMX is off on this CPU (it is on its way down, or the
 * machine is), or the CPU has refused the VMCS; interrupts are enabled.
 */
int vmx_vmcs_load(struct vmx_vmcs *vmcs);

void __vmx_section_end(struct vmx_vmcs *vmcs);
void __vmx_section_begin(struct vmx_vmcs *vmcs);
void __vmx_vmcs_unload(struct vmx_vmcs *vmcs);

/* Whether the end of a section has anything to do: a VMCS of ours may stay current for nobody. */
static __always_inline bool vmx_must_give_back(void)
{
	return vmx_root == VMX_ROOT_SECTION || this_cpu_read(vmx_cpus.other) != VMX_NO_VMCS;
}

/* Interrupts are going to be enabled, and @vmcs will be loaded anew, later. */
static __always_inline void vmx_section_end(struct vmx_vmcs *vmcs)
{
	if (vmx_is_shared() && vmx_must_give_back())
		__vmx_section_end(vmcs);
}

/*
 * Interrupts were enabled, preemption was not: @vmcs is current again. If it is no longer
 * active, because VMX went off meanwhile or it cannot be loaded, nothing is; the caller looks
 * at @vmcs->cpu.
 */
static __always_inline void vmx_section_begin(struct vmx_vmcs *vmcs)
{
	if (vmx_is_shared())
		__vmx_section_begin(vmcs);
}

/* The last section of a run ends: another guest may come next. */
static __always_inline void vmx_vmcs_unload(struct vmx_vmcs *vmcs)
{
	if (vmx_is_shared() && (vmx_must_give_back() || !tvx_host_kvm_barrier_by_vmptrld()))
		__vmx_vmcs_unload(vmcs);
}

/* Use @eptp, its A/D bit may be new, in the current VMCS; drop what this CPU has cached. */
void vmx_refresh_ept(u64 eptp);
/* Drop cached linear translations of @vpid on this CPU. */
void vmx_invvpid(u16 vpid);

#endif
