// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults on demand, to see that the instruments find them: kernels/control.sh appends this to a copy of module/main.c.
 * "echo NAME >/sys/module/tinyvmx/parameters/fault" commits one.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/string.h>

static DEFINE_MUTEX(tvx_fault_a);
static DEFINE_MUTEX(tvx_fault_b);
static unsigned long tvx_fault_word;

static void tvx_fault_use_after_free(void)
{
	unsigned long *word = kmalloc(64, GFP_KERNEL);

	kfree(word);
	tvx_fault_word = READ_ONCE(*word);
}

static void tvx_fault_inversion(void)
{
	mutex_lock(&tvx_fault_a);
	mutex_lock(&tvx_fault_b);
	mutex_unlock(&tvx_fault_b);
	mutex_unlock(&tvx_fault_a);
	mutex_lock(&tvx_fault_b);
	mutex_lock(&tvx_fault_a);
	mutex_unlock(&tvx_fault_a);
	mutex_unlock(&tvx_fault_b);
}

static void tvx_fault_sleep(void)
{
	preempt_disable();
	msleep(20);
	preempt_enable();
}

static void tvx_fault_shift(void)
{
	unsigned int count = 40 + tvx_fault_word % 2;

	OPTIMIZER_HIDE_VAR(count);
	tvx_fault_word = 1U << count;
}

static void tvx_fault_leak(void)
{
	void *lost = kmalloc(192, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(lost);
}

static int tvx_fault_racer(void *unused)
{
	unsigned long i;

	for (i = 0; i < 300000; i++) {
		tvx_fault_word++;
		barrier();
	}
	return 0;
}

static void tvx_fault_race(void)
{
	struct task_struct *other = kthread_create_on_cpu(tvx_fault_racer, NULL, 1, "racer/%u");

	if (IS_ERR(other))
		return;
	get_task_struct(other);
	wake_up_process(other);
	tvx_fault_racer(NULL);
	kthread_stop_put(other);
}

static const struct {
	const char *name;
	void (*commit)(void);
} tvx_faults[] = {
	{ "use-after-free", tvx_fault_use_after_free },
	{ "inversion", tvx_fault_inversion },
	{ "sleep", tvx_fault_sleep },
	{ "shift", tvx_fault_shift },
	{ "leak", tvx_fault_leak },
	{ "race", tvx_fault_race },
};

static int tvx_fault_set(const char *name, const struct kernel_param *kp)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tvx_faults); i++) {
		if (sysfs_streq(name, tvx_faults[i].name)) {
			tvx_faults[i].commit();
			return 0;
		}
	}
	return -EINVAL;
}

static const struct kernel_param_ops tvx_fault_ops = { .set = tvx_fault_set };
module_param_cb(fault, &tvx_fault_ops, NULL, 0200);
