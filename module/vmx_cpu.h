/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMX operation on each CPU: who has it on, and which VMCS is loaded where.
 */
#ifndef TVX_VMX_CPU_H
#define TVX_VMX_CPU_H

#include <linux/list.h>
#include <linux/types.h>

/**
 * struct vmx_vmcs - one VMCS and where it is
 * @page: its memory
 * @hpa: of @page
 * @cpu: the CPU on which it is active, -1: none
 * @launched: VMLAUNCH has succeeded since the last VMCLEAR
 * @link: in the list of VMCSs active on @cpu
 */
struct vmx_vmcs {
	void *page;
	u64 hpa;
	int cpu;
	bool launched;
	struct list_head link;
};

/* Set up for VMX on all CPUs, and undo it. May sleep. */
int vmx_cpu_init(void);
void vmx_cpu_exit(void);

/*
 * vmx_get - turn VMX on on every CPU unless it is on
 *
 * Return: 0; -EBUSY: another hypervisor holds VMX root somewhere (logged);
 * -EIO: VMXON failed, or the machine goes down. May sleep. Each success is paired with a vmx_put().
 */
int vmx_get(void);
void vmx_put(void);

/* Allocate a clear VMCS; free it, from wherever it is active. May sleep. */
int vmx_vmcs_init(struct vmx_vmcs *vmcs);
void vmx_vmcs_destroy(struct vmx_vmcs *vmcs);

/*
 * vmx_vmcs_load - make @vmcs the current VMCS of this CPU
 *
 * Call it with preemption disabled and interrupts enabled. Return: 0: it was
 * active here already; 1: it has come from another CPU, so everything per CPU in
 * it is stale. In both cases interrupts are now disabled, and the VMCS is current
 * until they are enabled: VMXOFF comes by IPI. -EAGAIN: VMX is off on this CPU
 * (it is on its way down, or the machine is); interrupts stay enabled.
 */
int vmx_vmcs_load(struct vmx_vmcs *vmcs);

/* Drop cached EPT translations of @eptp, or linear ones of @vpid, on this CPU. */
void vmx_invept(u64 eptp);
void vmx_invvpid(u16 vpid);

#endif
