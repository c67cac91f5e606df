// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMXON and VMXOFF, CPU hotplug, and the VMCSs active on each CPU.
 *
 * Locking: vmx_users changes under cpus_read_lock() and vmx_mutex, so a hotplug
 * callback, which runs under the write side, may read it. The per-CPU list of
 * active VMCSs belongs to its CPU with interrupts disabled; a crash, by NMI, reads it.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/gfp.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/rculist.h>
#include <linux/smp.h>
#include <asm/asm.h>
#include <asm/io.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "host.h"
#include "host_power.h"
#include "mitigations.h"
#include "vmx_caps.h"
#include "vmx_cpu.h"

struct vmx_cpu {
	void *vmxon_region;
	bool on;
	struct vmx_vmcs *current_vmcs;
	struct list_head active;
};

static DEFINE_PER_CPU(struct vmx_cpu, vmx_cpus);
static DEFINE_MUTEX(vmx_mutex);
static unsigned int vmx_users;
static enum cpuhp_state vmx_hotplug_state;
static bool vmx_own;		/* VMX that is on is ours, or comes and goes */
static bool vmx_stopped;	/* the machine goes down: VMX stays off */

/* ---------------------------------------------------------- instructions */

/* Return 0, or -EIO when VMXON faults or fails. */
static int vmxon(u64 hpa)
{
	int err = 0;

	asm volatile("1: vmxon %[hpa]\n\t"
		     "ja 3f\n\t"
		     "2: mov %[eio], %[err]\n\t"
		     "3:\n\t"
		     _ASM_EXTABLE(1b, 2b)
		     : [err] "+r" (err)
		     : [hpa] "m" (hpa), [eio] "i" (-EIO)
		     : "cc", "memory");
	return err;
}

/*
 * An instruction that faults, because VMX is off after all, has failed like one that the
 * CPU refuses. Not so VMREAD: it is too frequent, and interrupts are disabled since
 * somebody looked.
 */
static void vmxoff(void)
{
	asm volatile("1: vmxoff\n\t2:\n\t" _ASM_EXTABLE(1b, 2b) : : : "cc", "memory");
}

static bool try_vmclear(u64 hpa)
{
	asm goto("1: vmclear %0\n\t"
		 "jbe %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : "m" (hpa) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

static void vmclear(u64 hpa)
{
	if (!try_vmclear(hpa))
		pr_err_ratelimited("VMCLEAR failed\n");
}

static void vmptrld(u64 hpa)
{
	asm goto("1: vmptrld %0\n\t"
		 "jbe %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : "m" (hpa) : "cc", "memory" : failed);
	return;
failed:
	pr_err_ratelimited("VMPTRLD failed\n");
}

void vmx_invept(u64 eptp)
{
	struct { u64 eptp, zero; } desc = { eptp, 0 };

	asm goto("1: invept %0, %1\n\t"
		 "jbe %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : "m" (desc), "r" ((u64)VMX_EPT_EXTENT_CONTEXT) : "cc", "memory" : failed);
	return;
failed:
	pr_err_ratelimited("INVEPT failed\n");
}

void vmx_invvpid(u16 vpid)
{
	struct { u64 vpid, gla; } desc = { vpid, 0 };

	if (!vpid)
		return;	/* without a VPID every VM entry flushes */
	asm goto("1: invvpid %0, %1\n\t"
		 "jbe %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : "m" (desc), "r" ((u64)VMX_VPID_EXTENT_SINGLE_CONTEXT) : "cc", "memory" : failed);
	return;
failed:
	pr_err_ratelimited("INVVPID failed\n");
}

/* ------------------------------------------------------- VMX on each CPU */

static int vmx_cpu_on(void)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);
	int err;

	if (cpu->on)
		return 0;
	if (vmx_stopped)
		return -EIO;
	if (tvx_host_cr4() & X86_CR4_VMXE) {
		pr_err("another hypervisor holds VMX root on CPU %d: stop its VMs and unload it (modprobe -r kvm_intel), then try again\n",
		       smp_processor_id());
		return -EBUSY;
	}
	if (!vmx_caps_match()) {
		pr_err("CPU %d has other VMX capabilities than the first one\n",
		       smp_processor_id());
		return -EIO;
	}
	err = tvx_host_set_vmxe();
	if (err) {
		pr_err("this kernel lets nobody but KVM turn VMX on\n");
		return err;
	}
	err = vmxon(__pa(cpu->vmxon_region));
	if (err) {
		tvx_host_clear_vmxe();
		pr_err("VMXON failed on CPU %d\n", smp_processor_id());
		return err;
	}
	cpu->on = true;
	return 0;
}

static void vmx_vmcs_clear_here(struct vmx_vmcs *vmcs)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);

	vmclear(vmcs->hpa);
	if (cpu->current_vmcs == vmcs)
		cpu->current_vmcs = NULL;
	list_del(&vmcs->link);
	vmcs->launched = false;
	/* Orders the VMCLEAR before the next CPU's look at ->cpu. */
	smp_store_release(&vmcs->cpu, -1);
}

static void vmx_cpu_off(void)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);
	struct vmx_vmcs *vmcs, *next;

	if (!cpu->on)
		return;
	list_for_each_entry_safe(vmcs, next, &cpu->active, link)
		vmx_vmcs_clear_here(vmcs);
	cpu->on = false;
	vmxoff();
	tvx_host_clear_vmxe();
}

/*
 * A crash kernel cannot clear CR4.VMXE in VMX operation, and INIT is blocked there. An
 * interrupted vmx_cpu_on() or vmx_cpu_off() has left anything behind: only CR4 tells, and
 * what is done twice does not harm. VMCLEAR, so that a dump has the guests' state.
 */
static void vmx_cpu_crash(void)
{
	struct vmx_vmcs *vmcs;

	if (!READ_ONCE(vmx_own) || !(tvx_host_cr4() & X86_CR4_VMXE))
		return;
	list_for_each_entry(vmcs, this_cpu_ptr(&vmx_cpus.active), link)
		try_vmclear(vmcs->hpa);
	vmxoff();
	tvx_host_clear_vmxe();
}

static void vmx_cpu_on_ipi(void *failed)
{
	int err = vmx_cpu_on();

	if (err)
		atomic_set(failed, err);
}

static void vmx_cpu_off_ipi(void *unused)
{
	vmx_cpu_off();
}

static int turn_on(void)
{
	atomic_t failed = ATOMIC_INIT(0);

	WRITE_ONCE(vmx_own, true);
	tvx_host_power_begin(true);
	on_each_cpu(vmx_cpu_on_ipi, &failed, 1);
	return atomic_read(&failed);
}

static void turn_off(void)
{
	on_each_cpu(vmx_cpu_off_ipi, NULL, 1);
	tvx_host_power_end();
	WRITE_ONCE(vmx_own, false);
}

int vmx_get(void)
{
	int err = 0;

	cpus_read_lock();
	mutex_lock(&vmx_mutex);
	if (!vmx_users)
		err = turn_on();
	if (err)
		turn_off();
	else
		vmx_users++;
	mutex_unlock(&vmx_mutex);
	cpus_read_unlock();
	return err;
}

void vmx_put(void)
{
	cpus_read_lock();
	mutex_lock(&vmx_mutex);
	if (!--vmx_users)
		turn_off();
	mutex_unlock(&vmx_mutex);
	cpus_read_unlock();
}

static int vmx_cpu_online(unsigned int cpu)
{
	unsigned long flags;
	int err = 0;

	local_irq_save(flags);
	if (vmx_users)
		err = vmx_cpu_on();
	local_irq_restore(flags);
	return err;
}

static int vmx_cpu_offline(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	vmx_cpu_off();
	local_irq_restore(flags);
	return 0;
}

/* Suspend and resume of the last CPU; the others go by hotplug. */
static void vmx_resume(void)
{
	if (vmx_users)
		vmx_cpu_on();
}

/* Processes that are still there may not turn it on again: their VMs are of no use now. */
static void vmx_stop(void)
{
	WRITE_ONCE(vmx_stopped, true);
	vmx_cpu_off();
}

static const struct tvx_host_power vmx_power = {
	.suspend = vmx_cpu_off,
	.resume = vmx_resume,
	.stop = vmx_stop,
	.crash = vmx_cpu_crash,
};

static void free_vmxon_regions(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		free_page((unsigned long)per_cpu(vmx_cpus.vmxon_region, cpu));
}

static int alloc_vmxon_regions(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *vc = per_cpu_ptr(&vmx_cpus, cpu);

		INIT_LIST_HEAD(&vc->active);
		vc->vmxon_region = (void *)get_zeroed_page(GFP_KERNEL);
		if (!vc->vmxon_region) {
			free_vmxon_regions();
			return -ENOMEM;
		}
		*(u32 *)vc->vmxon_region = vmx_revision();
	}
	return 0;
}

int vmx_cpu_init(void)
{
	int err;

	err = alloc_vmxon_regions();
	if (err)
		return err;
	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "tinyvmx:online",
				vmx_cpu_online, vmx_cpu_offline);
	if (err < 0)
		goto free_regions;
	vmx_hotplug_state = err;
	err = tvx_host_power_init(&vmx_power);
	if (err)
		goto remove_hotplug;
	return 0;

remove_hotplug:
	cpuhp_remove_state(vmx_hotplug_state);
free_regions:
	free_vmxon_regions();
	return err;
}

void vmx_cpu_exit(void)
{
	tvx_host_power_exit();
	cpuhp_remove_state(vmx_hotplug_state);
	free_vmxon_regions();
}

/* ------------------------------------------------------------------ VMCS */

int vmx_vmcs_init(struct vmx_vmcs *vmcs)
{
	vmcs->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmcs->page)
		return -ENOMEM;
	*(u32 *)vmcs->page = vmx_revision();
	vmcs->hpa = __pa(vmcs->page);
	vmcs->cpu = -1;
	vmcs->launched = false;
	return 0;
}

static void vmx_vmcs_clear_ipi(void *arg)
{
	struct vmx_vmcs *vmcs = arg;

	/* The CPU may have gone down and cleared it between the look and the IPI. */
	if (vmcs->cpu == smp_processor_id())
		vmx_vmcs_clear_here(vmcs);
}

/* Make @vmcs inactive wherever it is. Preemption disabled, interrupts enabled. */
static void vmx_vmcs_clear(struct vmx_vmcs *vmcs)
{
	/* Pairs with the release after VMCLEAR: see where it is active, or all of it. */
	int cpu = smp_load_acquire(&vmcs->cpu);

	if (cpu >= 0)
		smp_call_function_single(cpu, vmx_vmcs_clear_ipi, vmcs, 1);
}

void vmx_vmcs_destroy(struct vmx_vmcs *vmcs)
{
	preempt_disable();
	vmx_vmcs_clear(vmcs);
	preempt_enable();
	free_page((unsigned long)vmcs->page);
}

/* It is not current yet. */
static noinline int make_current(struct vmx_vmcs *vmcs)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);
	int moved = 0;

	if (READ_ONCE(vmcs->cpu) != smp_processor_id())
		vmx_vmcs_clear(vmcs);

	local_irq_disable();
	if (unlikely(!cpu->on)) {
		local_irq_enable();
		return -EAGAIN;
	}
	if (vmcs->cpu < 0) {
		/* Also the first VMCLEAR, which makes the page a VMCS. */
		vmclear(vmcs->hpa);
		/* For a crash, which finds it only when it is whole. */
		list_add_rcu(&vmcs->link, &cpu->active);
		WRITE_ONCE(vmcs->cpu, smp_processor_id());
		moved = 1;
	}
	vmptrld(vmcs->hpa);
	tvx_mitigate_vmcs_switch();
	cpu->current_vmcs = vmcs;
	return moved;
}

int vmx_vmcs_load(struct vmx_vmcs *vmcs)
{
	local_irq_disable();
	/* It is not, once VMX has been turned off here. */
	if (likely(this_cpu_read(vmx_cpus.current_vmcs) == vmcs))
		return 0;
	local_irq_enable();
	return make_current(vmcs);
}
