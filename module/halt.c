// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting in HLT.
 *
 * A halted vCPU looks for an event for a short while, then sleeps: falling asleep and
 * being woken costs more than many waits last. It does so, still loaded, if its last
 * wait in sleep was a short one, for twice as long as that; after one that was too long
 * for any window it sleeps at once: an idle guest does not poll. Nor does anybody
 * while another task wants the CPU.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "halt.h"
#include "irqchip/lapic.h"
#include "vcpu_switch.h"

static unsigned int halt_poll_ns = 200000;
module_param(halt_poll_ns, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns, "longest time that a halted vCPU polls before it sleeps, in ns; 0: never (default: 200000)");

/* The longest window, in TSC ticks. */
static u64 window_limit(void)
{
	return mul_u64_u32_div(READ_ONCE(halt_poll_ns), tsc_khz, NSEC_PER_MSEC);
}

/* Others have done something. Whether that ends the halt, the run loop will see. */
static bool is_called(const struct tvx_vcpu *vcpu)
{
	return READ_ONCE(vcpu->lapic.outstanding) || READ_ONCE(vcpu->requests) ||
	       signal_pending(current);
}

static bool may_poll(const struct tvx_vcpu *vcpu, u64 until)
{
	return rdtsc() < until && !tvx_lapic_timer_is_over(vcpu) && single_task_running() &&
	       !tvx_host_need_resched();
}

/* Return: whether something came. */
static bool poll(struct tvx_vcpu *vcpu, u64 until)
{
	tvx_vcpu_enable_interrupts(vcpu);
	while (!is_called(vcpu) && may_poll(vcpu, until))
		cpu_relax();
	tvx_vcpu_disable_interrupts(vcpu);
	return tvx_lapic_timer_expire(vcpu) || is_called(vcpu);
}

bool tvx_halt_poll(struct tvx_vcpu *vcpu)
{
	bool woken;

	vcpu->recheck = true;
	vcpu->halt_start = rdtsc();
	if (!vcpu->halt_window)
		return false;
	WRITE_ONCE(vcpu->polling, true);
	woken = poll(vcpu, vcpu->halt_start + min(vcpu->halt_window, window_limit()));
	WRITE_ONCE(vcpu->polling, false);
	/*
	 * Who did not interrupt this CPU meanwhile has made pending what it sent before: who looks
	 * next, before an entry or before sleep, sees it. tools/models/halt.pml shows that no more
	 * is needed.
	 */
	smp_mb();
	return woken;
}

/* What the next window is after a wait of @waited ticks that the last one did not cover. */
static u64 next_window(u64 waited, u64 limit)
{
	return waited > limit ? 0 : min(2 * waited, limit);
}

void tvx_halt_wait(struct tvx_vcpu *vcpu)
{
	tvx_lapic_timer_wait(vcpu);
	rcuwait_wait_event(&vcpu->wait, is_called(vcpu), TASK_INTERRUPTIBLE);
	tvx_lapic_timer_resume(vcpu);
	vcpu->halt_window = next_window(rdtsc() - vcpu->halt_start, window_limit());
}
