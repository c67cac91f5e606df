// SPDX-License-Identifier: GPL-2.0-only
/*
 * Suspend, reboot, panic and crash of the host.
 */
#include <linux/cpu.h>
#include <linux/kdebug.h>
#include <linux/kobject.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/syscore_ops.h>
#include <linux/version.h>
#include <asm/msr.h>
#include <asm/reboot.h>

#include "host_power.h"

static const struct tvx_host_power *power_hooks;

/* ----------------------------------------------------------------- suspend */

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define SYSCORE_ARG		void *data
#define SYSCORE_REGISTER	register_syscore
#define SYSCORE_UNREGISTER	unregister_syscore
#define SYSCORE			power_syscore
#else
#define SYSCORE_ARG		void
#define SYSCORE_REGISTER	register_syscore_ops
#define SYSCORE_UNREGISTER	unregister_syscore_ops
#define SYSCORE			power_syscore_ops
#endif

static u64 tsc_at_suspend, tsc_lost;

u64 tvx_host_tsc_lost(void)
{
	return READ_ONCE(tsc_lost);
}

static int power_suspend(SYSCORE_ARG)
{
	tsc_at_suspend = rdtsc();
	power_hooks->suspend();
	return 0;
}

/* The first CPU, before the others and before any task. */
static void power_resume(SYSCORE_ARG)
{
	u64 tsc = rdtsc();

	if (tsc < tsc_at_suspend)
		WRITE_ONCE(tsc_lost, tsc_lost + tsc_at_suspend - tsc);
	power_hooks->resume();
}

static struct syscore_ops power_syscore_ops = {
	.suspend = power_suspend,
	.resume = power_resume,
};

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
static struct syscore power_syscore = { .ops = &power_syscore_ops };
#endif

/* ------------------------------------------------------------------- crash */

/*
 * The kernel calls one function on each CPU that leaves it in a crash or an emergency
 * restart; the place is KVM's as soon as kvm_intel is loaded, and taking it twice is a
 * warning. So it is ours only while kvm_intel is not loaded. KVM's function turns VMX off
 * whoever has turned it on, except where kvm_intel is loaded with enable_virt_at_load=0
 * and idle: it is not there then, and nor is ours.
 *
 * Kernels without it (before 6.6; a few stable ones have it) turn VMX off by themselves.
 * From 6.19 on it is exported to KVM alone.
 */
#if defined(TVX_HAS_EMERGENCY_CALLBACK) && IS_ENABLED(CONFIG_KVM) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
static DEFINE_MUTEX(crash_mutex);
static bool crash_registered;

static void power_crash(void)
{
	power_hooks->crash();
}

/* With VMs or without: to leave the place waits for RCU. */
static void take_crash_callback(bool take)
{
	mutex_lock(&crash_mutex);
	if (take && !crash_registered)
		cpu_emergency_register_virt_callback(power_crash);
	else if (!take && crash_registered)
		cpu_emergency_unregister_virt_callback(power_crash);
	crash_registered = take;
	mutex_unlock(&crash_mutex);
}

/* It is built in, or was loaded before us. */
static bool find_kvm(void)
{
	struct kobject *kobj = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, "kvm_intel");

	kobject_put(kobj);
	return kobj;
}

/* COMING comes before the module's init function, GOING after its exit function. */
static int power_module(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct module *module = data;

	if ((action != MODULE_STATE_COMING && action != MODULE_STATE_GOING) ||
	    strcmp(module->name, "kvm_intel"))
		return NOTIFY_DONE;
	take_crash_callback(action == MODULE_STATE_GOING);
	return NOTIFY_OK;
}

static struct notifier_block power_module_nb = { .notifier_call = power_module };

static int crash_init(void)
{
	int err = register_module_notifier(&power_module_nb);

	if (!err && !find_kvm())
		take_crash_callback(true);
	return err;
}

static void crash_exit(void)
{
	unregister_module_notifier(&power_module_nb);
	take_crash_callback(false);
}
#else
static int crash_init(void)
{
	return 0;
}

static void crash_exit(void)
{
}
#endif

/* --------------------------------------------------------- reboot and panic */

static void stop_this_cpu_ipi(void *unused)
{
	power_hooks->stop();
}

/* Reboot through the firmware hangs on some machines with VMX on. */
static int power_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	on_each_cpu(stop_this_cpu_ipi, NULL, 1);
	return NOTIFY_DONE;
}

/* A crash kernel cannot clear CR4.VMXE in VMX operation: leave it here. */
static int power_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	unsigned long flags;

	local_irq_save(flags);
	power_hooks->crash();
	local_irq_restore(flags);
	return NOTIFY_DONE;
}

/* Before the crash that it may become, where the notifier above comes too late. */
static int power_die(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == DIE_OOPS)
		power_hooks->oops();
	return NOTIFY_DONE;
}

/* Before KVM, which turns its VMX off here up to Linux 6.5, and still later afterwards. */
static struct notifier_block power_reboot_nb = {
	.notifier_call = power_reboot,
	.priority = INT_MAX,
};

static struct notifier_block power_panic_nb = { .notifier_call = power_panic };
static struct notifier_block power_die_nb = { .notifier_call = power_die };

int tvx_host_power_init(const struct tvx_host_power *power)
{
	int err;

	power_hooks = power;
	err = crash_init();
	if (err)
		return err;
	register_reboot_notifier(&power_reboot_nb);
	register_die_notifier(&power_die_nb);
	atomic_notifier_chain_register(&panic_notifier_list, &power_panic_nb);
	return 0;
}

void tvx_host_power_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &power_panic_nb);
	unregister_die_notifier(&power_die_nb);
	unregister_reboot_notifier(&power_reboot_nb);
	crash_exit();
}

void tvx_host_power_begin(void)
{
	SYSCORE_REGISTER(&SYSCORE);
}

void tvx_host_power_end(void)
{
	SYSCORE_UNREGISTER(&SYSCORE);
}
