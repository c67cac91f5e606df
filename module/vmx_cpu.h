/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMX operation on each CPU: who has it on, and which VMCSs of ours are there.
 */
#ifndef TVX_VMX_CPU_H
#define TVX_VMX_CPU_H

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "vmx_insn.h"

/**
 * enum vmx_root - who turns VMX on, the same for all VMs that live at one time
 * @VMX_ROOT_OWN: we do, on every CPU, while there are VMs
 * @VMX_ROOT_KVM: KVM has, and each VM holds a VM of KVM's, so that it stays so
 * @VMX_ROOT_SECTION: we do, while interrupts are disabled; or KVM has just now
 *
 * All but the first are shared: what is current on a CPU is KVM's business, too, as soon
 * as interrupts are enabled. vmx_vmcs.h has the rules that follow.
 */
enum vmx_root { VMX_ROOT_OWN, VMX_ROOT_KVM, VMX_ROOT_SECTION };

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

/**
 * struct vmx_cpu - a CPU; its own, with interrupts disabled, and that of a crash's NMI
 * @vmxon_region: for VMXON
 * @on: VMCSs can be loaded here
 * @inside: a section is under way here whose VMXON was ours
 * @current_vmcs: which of ours is current, or will be unless another takes its place
 * @other: the VMCS that was current before the section, to be so again; VMX_NO_VMCS: none,
 *	or one of ours; and outside of sections
 * @last: which of ours was loaded last
 * @last_task: by whom
 * @last_switches: and after how many of its context switches
 * @active: our VMCSs that are active here
 */
struct vmx_cpu {
	void *vmxon_region;
	bool on;
	bool inside;
	struct vmx_vmcs *current_vmcs;
	u64 other;
	struct vmx_vmcs *last;
	const void *last_task;
	unsigned long last_switches;
	struct list_head active;
};

DECLARE_PER_CPU(struct vmx_cpu, vmx_cpus);
DECLARE_STATIC_KEY_FALSE(vmx_shared_key);
extern enum vmx_root vmx_root;

/* Whether KVM may be in VMX root, too. The same as long as there is a VM. */
static __always_inline bool vmx_is_shared(void)
{
	return static_branch_unlikely(&vmx_shared_key);
}

/*
 * Set up for VMX on all CPUs, and undo it. May sleep. @give_back: called on a CPU whose task
 * dies of a fault in the kernel, in any context, to take out of it what a run has put there.
 */
int vmx_cpu_init(void (*give_back)(void));
void vmx_cpu_exit(void);

/* What vmx_get() can do on this kernel and CPU: TINYVMX_CAP_ROOT_* */
u64 vmx_root_capabilities(void);

/**
 * vmx_get - have VMX on every CPU
 * @kvm: the caller holds a VM of KVM's until vmx_put()
 *
 * Return: 0; -EBUSY: somebody else holds VMX on some CPU, or VMs that live have another
 * root (logged); -EIO: VMXON failed, or the machine goes down; -EOPNOTSUPP: KVM's root
 * cannot be shared here. May sleep. Each success is paired with a vmx_put().
 */
int vmx_get(bool kvm);
void vmx_put(void);

/* CR4 without the kernel's shadow of it; interrupts disabled until it is as before. */
static inline void vmx_write_cr4(unsigned long cr4)
{
	asm volatile("mov %0, %%cr4" : : "r" (cr4) : "memory");
}

/* @vmcs is active on this CPU, and no longer. Interrupts disabled, outside of a section. */
void vmx_vmcs_clear_here(struct vmx_vmcs *vmcs);

#endif
