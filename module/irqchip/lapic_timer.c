// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer. In every mode it is a deadline in TSC ticks.
 *
 * While the guest runs, the VMX-preemption timer looks after it: arming is to note
 * when. Nobody misses it while the vCPU is out of the guest: the next entry sees
 * that it is over. A host timer is started only to end the wait in HLT, or where
 * the CPU has no such timer.
 */
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "../host.h"
#include "../kick.h"
#include "../vmx_caps.h"
#include "lapic.h"
#include "lapic_regs.h"
#include "lapic_timer.h"

/* A deadline further away is looked at again after this long. */
#define FAR_NS	(3600ULL * NSEC_PER_SEC)

/*
 * No more than so many interrupts a second: with a period of an exit's length the guest would
 * stand still.
 */
#define PERIODIC_MAX_HZ	50000

static unsigned int timer_mode(const struct tvx_vcpu *vcpu)
{
	return LAPIC_TIMER_MODE(vcpu->lapic.regs[LAPIC_LVT_TIMER]);
}

/* The clock of the mode: a count goes on when the guest's TSC is set, a deadline moves. */
static u64 now(const struct tvx_vcpu *vcpu)
{
	return rdtsc() + (timer_mode(vcpu) == LAPIC_TIMER_DEADLINE ? vcpu->tsc_offset : 0);
}

/* Deadlines are unsigned: the highest of them is in the future. */
static u64 ticks_left(const struct tvx_vcpu *vcpu)
{
	u64 deadline = vcpu->lapic.deadline;
	u64 tsc = now(vcpu);

	return deadline > tsc ? deadline - tsc : 0;
}

/* SDM, "Divide Configuration Register": bits 3, 1, 0 are log2 of it less one; 111: 1. */
static unsigned int divide_shift(const struct tvx_vcpu *vcpu)
{
	u32 divide = vcpu->lapic.regs[LAPIC_TIMER_DIVIDE];

	return (((divide >> 1) & 4) + (divide & 3) + 1) & 7;
}

static u64 initial_ticks(const struct tvx_vcpu *vcpu)
{
	return (u64)vcpu->lapic.regs[LAPIC_TIMER_INITIAL] << divide_shift(vcpu);
}

static enum hrtimer_restart fired(struct hrtimer *timer)
{
	struct tvx_vcpu *vcpu = container_of(timer, struct tvx_vcpu, lapic.timer);

	tvx_vcpu_request(vcpu, TVX_REQUEST_TIMER);
	return HRTIMER_NORESTART;
}

/* On the vCPU's thread: it needs no kick. */
static void due(struct tvx_vcpu *vcpu)
{
	set_bit(TVX_REQUEST_TIMER, &vcpu->requests);
	vcpu->recheck = true;
}

static void start_host_timer(struct tvx_vcpu *vcpu, u64 ticks)
{
	u64 ns = FAR_NS;

	if (ticks < div_u64(U64_MAX, NSEC_PER_MSEC))
		ns = min(div_u64(ticks * NSEC_PER_MSEC, tsc_khz), FAR_NS);
	hrtimer_start(&vcpu->lapic.timer, ktime_add_ns(ktime_get(), ns), HRTIMER_MODE_ABS);
}

static void arm(struct tvx_vcpu *vcpu, u64 deadline)
{
	u64 ticks;

	vcpu->lapic.deadline = deadline;
	vcpu->lapic.exit_at = 0;
	ticks = ticks_left(vcpu);
	if (timer_mode(vcpu) == LAPIC_TIMER_PERIODIC)
		ticks = max_t(u64, ticks, tsc_khz / (PERIODIC_MAX_HZ / 1000));
	if (!ticks)
		due(vcpu);
	else if (!vmx_caps.has_timer)
		start_host_timer(vcpu, ticks);
	else if (check_add_overflow(rdtsc(), ticks, &vcpu->lapic.exit_at))
		vcpu->lapic.exit_at = U64_MAX;
}

bool tvx_lapic_timer_is_over(const struct tvx_vcpu *vcpu)
{
	return vcpu->lapic.exit_at && vcpu->lapic.exit_at <= rdtsc();
}

bool tvx_lapic_timer_expire(struct tvx_vcpu *vcpu)
{
	if (!tvx_lapic_timer_is_over(vcpu))
		return false;
	tvx_lapic_timer_fired(vcpu);
	return true;
}

void tvx_lapic_timer_wait(struct tvx_vcpu *vcpu)
{
	u64 exit_at = vcpu->lapic.exit_at;
	u64 tsc = rdtsc();

	if (!exit_at)
		return;
	if (exit_at > tsc)
		start_host_timer(vcpu, exit_at - tsc);
	else
		due(vcpu);
}

void tvx_lapic_timer_resume(struct tvx_vcpu *vcpu)
{
	/* The callback may be on its way: the request then finds time left. */
	if (vcpu->lapic.exit_at)
		hrtimer_try_to_cancel(&vcpu->lapic.timer);
}

static void disarm(struct tvx_vcpu *vcpu)
{
	vcpu->lapic.deadline = 0;
	vcpu->lapic.exit_at = 0;
}

void tvx_lapic_timer_stop(struct tvx_vcpu *vcpu)
{
	disarm(vcpu);
	/* The callback may be on its way: the request then finds no deadline. */
	hrtimer_try_to_cancel(&vcpu->lapic.timer);
}

void tvx_lapic_timer_init(struct tvx_vcpu *vcpu)
{
	tvx_host_timer_init(&vcpu->lapic.timer, fired);
}

void tvx_lapic_timer_destroy(struct tvx_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->lapic.timer);
}

void tvx_lapic_timer_start(struct tvx_vcpu *vcpu, u32 count)
{
	/* SDM, "TSC-Deadline Mode": writes to the initial count are ignored. */
	if (timer_mode(vcpu) == LAPIC_TIMER_DEADLINE)
		return;
	vcpu->lapic.regs[LAPIC_TIMER_INITIAL] = count;
	tvx_lapic_timer_stop(vcpu);
	if (count)
		arm(vcpu, now(vcpu) + initial_ticks(vcpu));
}

/* The count stays, its pace changes. */
void tvx_lapic_timer_divide(struct tvx_vcpu *vcpu, u32 divide)
{
	u64 count = ticks_left(vcpu) >> divide_shift(vcpu);

	vcpu->lapic.regs[LAPIC_TIMER_DIVIDE] = divide;
	if (vcpu->lapic.deadline && timer_mode(vcpu) != LAPIC_TIMER_DEADLINE)
		arm(vcpu, now(vcpu) + (count << divide_shift(vcpu)));
}

/* Changing to or from TSC-deadline mode disarms the timer. */
void tvx_lapic_timer_mode(struct tvx_vcpu *vcpu, u32 lvt)
{
	if ((LAPIC_TIMER_MODE(lvt) == LAPIC_TIMER_DEADLINE) !=
	    (timer_mode(vcpu) == LAPIC_TIMER_DEADLINE))
		tvx_lapic_timer_stop(vcpu);
}

u32 tvx_lapic_timer_current(struct tvx_vcpu *vcpu)
{
	if (timer_mode(vcpu) == LAPIC_TIMER_DEADLINE)
		return 0;
	return ticks_left(vcpu) >> divide_shift(vcpu);
}

u64 tvx_lapic_read_deadline(struct tvx_vcpu *vcpu)
{
	return timer_mode(vcpu) == LAPIC_TIMER_DEADLINE ? vcpu->lapic.deadline : 0;
}

void tvx_lapic_write_deadline(struct tvx_vcpu *vcpu, u64 value)
{
	if (timer_mode(vcpu) != LAPIC_TIMER_DEADLINE)
		return;
	if (!value)
		tvx_lapic_timer_stop(vcpu);
	else
		arm(vcpu, value);
}

void tvx_lapic_tsc_changed(struct tvx_vcpu *vcpu)
{
	if (vcpu->lapic.deadline && timer_mode(vcpu) == LAPIC_TIMER_DEADLINE)
		arm(vcpu, vcpu->lapic.deadline);
}

/* The next period that is not over: a guest that was away gets one interrupt. */
static void next_period(struct tvx_vcpu *vcpu)
{
	u64 period = initial_ticks(vcpu);
	u64 late = now(vcpu) - vcpu->lapic.deadline;

	if (!period)
		return tvx_lapic_timer_stop(vcpu);
	arm(vcpu, vcpu->lapic.deadline + (div64_u64(late, period) + 1) * period);
}

void tvx_lapic_timer_fired(struct tvx_vcpu *vcpu)
{
	u64 deadline = vcpu->lapic.deadline;

	if (!deadline)
		return;	/* disarmed meanwhile */
	if (ticks_left(vcpu)) {
		arm(vcpu, deadline);	/* the host's clock ran ahead, or moved */
		return;
	}
	if (timer_mode(vcpu) == LAPIC_TIMER_PERIODIC)
		next_period(vcpu);
	else
		disarm(vcpu);
	tvx_lapic_timer_interrupt(vcpu);
}

void tvx_lapic_timer_get(struct tvx_vcpu *vcpu, struct tinyvmx_lapic *state)
{
	u64 deadline = vcpu->lapic.deadline;

	state->deadline = tvx_lapic_read_deadline(vcpu);
	if (deadline && timer_mode(vcpu) != LAPIC_TIMER_DEADLINE)
		state->timer_left = max(ticks_left(vcpu), 1ULL);
}

void tvx_lapic_timer_set(struct tvx_vcpu *vcpu, const struct tinyvmx_lapic *state)
{
	if (timer_mode(vcpu) == LAPIC_TIMER_DEADLINE && state->deadline)
		arm(vcpu, state->deadline);
	else if (timer_mode(vcpu) != LAPIC_TIMER_DEADLINE && state->timer_left)
		arm(vcpu, now(vcpu) + state->timer_left);
}
