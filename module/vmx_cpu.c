// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX root: whose it is, VMXON and VMXOFF, CPU hotplug, and the machine's end.
 *
 * Locking: vmx_users changes under vmx_mutex, and so does vmx_root, while there are no VMs
 * and no hotplug callbacks. The per-CPU list of active VMCSs belongs to its CPU with
 * interrupts disabled; a crash, by NMI, reads it.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/bits.h>
#include <linux/cpuhotplug.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>
#include <asm/io.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "host.h"
#include "host_kvm.h"
#include "host_power.h"
#include "vmx_caps.h"
#include "vmx_cpu.h"
#include "vmx_insn.h"
#include "../uapi/tinyvmx.h"

/* IA32_VMX_MISC: Intel PT works in VMX operation. */
#define MISC_PT_IN_VMX		BIT_ULL(14)

static bool section;
module_param(section, bool, 0444);
MODULE_PARM_DESC(section, "Turn VMX on only while interrupts are disabled, as Linux 6.19 and later ask for without KVM (default: N)");

DEFINE_PER_CPU(struct vmx_cpu, vmx_cpus);
DEFINE_STATIC_KEY_FALSE(vmx_shared_key);
enum vmx_root vmx_root;

static DEFINE_MUTEX(vmx_mutex);
static unsigned int vmx_users;
static enum cpuhp_state vmx_hotplug_state;
static bool vmx_armed;		/* VMX that is on is ours, or comes and goes */
static void (*give_back_run)(void);
static bool vmx_stopped;	/* the machine goes down: VMX stays off */

/* ------------------------------------------------------- VMX on each CPU */

/* VMX stays on. */
static int turn_on_for_good(const struct vmx_cpu *cpu)
{
	int err = tvx_host_set_vmxe();

	if (err)
		return err;
	/* Where tracing does not survive VMXON, it must not be on. */
	tvx_host_pause_pt(true);
	err = vmxon(__pa(cpu->vmxon_region));
	if (!err)
		return 0;
	tvx_host_pause_pt(false);
	tvx_host_clear_vmxe();
	return err;
}

/* VMX can be turned on. */
static int try_vmxon(struct vmx_cpu *cpu)
{
	unsigned long cr4 = tvx_host_cr4();
	int err;

	cpu->inside = true;	/* for a crash */
	vmx_write_cr4(cr4 | X86_CR4_VMXE);
	err = vmxon(__pa(cpu->vmxon_region));
	if (!err)
		vmxoff();
	vmx_write_cr4(cr4);
	cpu->inside = false;
	return err;
}

static int vmx_cpu_on(void)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);
	bool taken = tvx_host_cr4() & X86_CR4_VMXE;
	int err = 0;

	if (cpu->on)
		return 0;
	if (READ_ONCE(vmx_stopped))
		return -EIO;
	if (taken ? vmx_root == VMX_ROOT_OWN : vmx_root == VMX_ROOT_KVM)
		return -EBUSY;
	if (!vmx_caps_match()) {
		pr_err("CPU %d has other VMX capabilities than the first one\n",
		       smp_processor_id());
		return -EIO;
	}
	if (!taken)
		err = vmx_root == VMX_ROOT_OWN ? turn_on_for_good(cpu) : try_vmxon(cpu);
	if (err) {
		pr_err("VMXON failed on CPU %d\n", smp_processor_id());
		return err;
	}
	cpu->on = true;
	return 0;
}

void vmx_vmcs_clear_here(struct vmx_vmcs *vmcs)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);

	/* Where VMX goes off after each section it is clear already. */
	if (vmx_root != VMX_ROOT_SECTION && !try_vmclear(vmcs->hpa))
		pr_err_ratelimited("VMCLEAR failed\n");
	if (cpu->current_vmcs == vmcs)
		cpu->current_vmcs = NULL;
	if (cpu->last == vmcs)
		cpu->last = NULL;
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
	if (vmx_root != VMX_ROOT_OWN)
		return;
	vmxoff();
	tvx_host_clear_vmxe();
	tvx_host_pause_pt(false);
}

/*
 * A crash kernel cannot clear CR4.VMXE in VMX operation, and INIT is blocked there. An
 * interrupted vmx_cpu_on() or vmx_cpu_off() has left anything behind: only CR4 tells, and
 * what is done twice does not harm. VMCLEAR, so that a dump has the guests' state. A root
 * that is KVM's is for KVM to leave.
 */
static void vmx_cpu_crash(void)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);
	unsigned long cr4 = tvx_host_cr4();
	struct vmx_vmcs *vmcs;

	if (!(cr4 & X86_CR4_VMXE) || !(READ_ONCE(vmx_armed) || cpu->inside))
		return;
	list_for_each_entry(vmcs, &cpu->active, link)
		try_vmclear(vmcs->hpa);
	vmxoff();
	vmx_write_cr4(cr4 & ~X86_CR4_VMXE);
}

/*
 * This task dies, perhaps in a run, and the machine may live on, or crash at once: nothing of
 * the guest's stays in the CPU, and KVM finds what it had.
 */
static void vmx_cpu_oops(void)
{
	struct vmx_cpu *cpu = this_cpu_ptr(&vmx_cpus);

	give_back_run();
	if (cpu->inside)
		vmx_cpu_crash();
	else if (cpu->other != VMX_NO_VMCS)
		try_vmptrld(cpu->other);
	cpu->other = VMX_NO_VMCS;
	cpu->inside = false;
}

/* Intel PT must be off at VMXON on some CPUs, and TDX wants VMX on for good. */
static bool can_do_sections(void)
{
	return !tvx_host_has_tdx() &&
	       (!boot_cpu_has(X86_FEATURE_INTEL_PT) ||
		(vmx_cap(MSR_IA32_VMX_MISC) & MISC_PT_IN_VMX));
}

u64 vmx_root_capabilities(void)
{
	u64 caps = 0;

	if (tvx_host_can_share_kvm())
		caps |= TINYVMX_CAP_ROOT_KVM;
	if (!section && tvx_host_can_set_vmxe())
		caps |= TINYVMX_CAP_ROOT_OWN;
	else if (can_do_sections())
		caps |= TINYVMX_CAP_ROOT_SECTION;
	return caps;
}

/* Return: the root that a VM asks for, or -EOPNOTSUPP. */
static int choose_root(bool kvm)
{
	u64 caps = vmx_root_capabilities();

	if (kvm)
		return caps & TINYVMX_CAP_ROOT_KVM ? VMX_ROOT_KVM : -EOPNOTSUPP;
	if (caps & TINYVMX_CAP_ROOT_OWN)
		return VMX_ROOT_OWN;
	return caps & TINYVMX_CAP_ROOT_SECTION ? VMX_ROOT_SECTION : -EBUSY;
}

/* On the CPU's own thread, now and when it comes and goes later. */
static int vmx_cpu_online(unsigned int cpu)
{
	unsigned long flags;
	int err;

	local_irq_save(flags);
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

static void unprepare(void)
{
	tvx_host_power_end();
	WRITE_ONCE(vmx_armed, false);
	static_branch_disable(&vmx_shared_key);
}

/*
 * By a hotplug state: these are set up one at a time. So nothing comes in between when KVM,
 * with interrupts enabled from Linux 6.12 on, looks at CR4.VMXE, sets it and does VMXON.
 */
static int turn_on(enum vmx_root root)
{
	int err;

	lockdep_assert_held(&vmx_mutex);
	vmx_root = root;
	if (root != VMX_ROOT_OWN)
		static_branch_enable(&vmx_shared_key);
	WRITE_ONCE(vmx_armed, root == VMX_ROOT_OWN);
	tvx_host_power_begin();
	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "tinyvmx:online", vmx_cpu_online,
				vmx_cpu_offline);
	if (err < 0) {
		unprepare();
		return err;
	}
	vmx_hotplug_state = err;
	return 0;
}

static void turn_off(void)
{
	lockdep_assert_held(&vmx_mutex);
	cpuhp_remove_state(vmx_hotplug_state);
	unprepare();
}

/* The first VM decides. A section does with KVM's root as well as without. */
static bool root_fits(enum vmx_root root)
{
	return vmx_root == root || vmx_root == VMX_ROOT_SECTION;
}

static int get_locked(enum vmx_root root)
{
	int err = 0;

	lockdep_assert_held(&vmx_mutex);
	if (!vmx_users)
		err = turn_on(root);
	else if (!root_fits(root))
		return -EBUSY;
	if (!err)
		vmx_users++;
	return err;
}

static void explain_busy(bool kvm)
{
	if (kvm)
		pr_err_ratelimited("VMX is not KVM's on every CPU, or VMs without it live\n");
	else
		pr_err_ratelimited("KVM, or another hypervisor, holds VMX root: share it by a KVM VM's fd (hvctl does, for whoever may open /dev/kvm), or unload it (modprobe -r kvm_intel)\n");
}

int vmx_get(bool kvm)
{
	int root = choose_root(kvm), err;

	if (root == -EOPNOTSUPP)
		return root;
	if (root < 0)
		goto busy;
	mutex_lock(&vmx_mutex);
	err = get_locked(root);
	mutex_unlock(&vmx_mutex);
	if (err != -EBUSY)
		return err;
busy:
	explain_busy(kvm);
	return -EBUSY;
}

void vmx_put(void)
{
	mutex_lock(&vmx_mutex);
	if (!--vmx_users)
		turn_off();
	mutex_unlock(&vmx_mutex);
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
	.oops = vmx_cpu_oops,
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
		vc->other = VMX_NO_VMCS;
		vc->vmxon_region = (void *)get_zeroed_page(GFP_KERNEL);
		if (!vc->vmxon_region) {
			free_vmxon_regions();
			return -ENOMEM;
		}
		*(u32 *)vc->vmxon_region = vmx_revision();
	}
	return 0;
}

int vmx_cpu_init(void (*give_back)(void))
{
	int err;

	give_back_run = give_back;
	err = alloc_vmxon_regions();
	if (err)
		return err;
	err = tvx_host_power_init(&vmx_power);
	if (err)
		free_vmxon_regions();
	return err;
}

void vmx_cpu_exit(void)
{
	tvx_host_power_exit();
	free_vmxon_regions();
}
