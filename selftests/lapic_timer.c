// SPDX-License-Identifier: GPL-2.0-only
/* The timer: one-shot, periodic, TSC-deadline; counts, divisors, punctuality. */
#include <sched.h>

#include "lapic.h"

#define TIMER	0x40

static volatile u64 latest, total;

static void start_timer(u64 lvt)
{
	guest_expect(TIMER);
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_TIMER, lvt | TIMER);
	wrmsr(X_TDCR, TDCR_1);
	sti();
}

static void one_shot(void)
{
	u64 start;

	start_timer(0);
	for (u32 n = 1; n <= 3; n++) {
		start = rdtsc();
		wrmsr(X_TICR, 2 * guest_ms);
		guest_is(rdmsr(X_TICR), 2 * guest_ms);
		guest_is(guest_wait(TIMER, n, 100), true);
		guest_ok(rdtsc() - start >= 2 * guest_ms);
		guest_is(rdmsr(X_TCCR), 0);
		guest_delay(4);
		guest_is(guest_taken[TIMER], n);
	}
	wrmsr(X_TICR, 2 * guest_ms);
	wrmsr(X_TICR, 0);			/* stops it */
	guest_is(rdmsr(X_TCCR), 0);
	guest_delay(4);
	guest_is(guest_taken[TIMER], 3);
}

/* How late an interrupt comes to a guest that spins without exits. */
static void punctual(void)
{
	start_timer(0);
	for (u32 n = 1; n <= 50; n++) {
		u64 due, late;

		due = rdtsc() + guest_ms;
		wrmsr(X_TICR, guest_ms);
		while (guest_taken[TIMER] < n)
			;
		late = rdtsc() - due;
		total += late;
		if (late > latest)
			latest = late;
	}
}

/* Other tasks of the host are not what is measured. */
static void realtime(bool on)
{
	struct sched_param param = { .sched_priority = on };

	if (sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &param))
		diag("no real-time priority: %m");
}

static void test_punctual(void)
{
	struct vcpu *vcpu = lapic_simple(punctual);
	u64 us = info()->tsc_khz / 1000;

	realtime(true);
	ok_done(vcpu, "50 one-shots of a spinning guest");
	realtime(false);
	diag("late: mean %lu us, worst %lu us", G(vcpu->vm, total) / 50 / us,
	     G(vcpu->vm, latest) / us);
	ok(G(vcpu->vm, total) / 50 < ms_to_tsc(1), "... late by less than 1 ms");
	vcpu_simple_destroy(vcpu);
}

static volatile u32 counted;

static void periodic(void)
{
	u64 start, count;

	start_timer(TIMER_PERIODIC);
	start = rdtsc();
	wrmsr(X_TICR, guest_ms);
	while (rdtsc() - start < 100 * guest_ms) {
		count = rdmsr(X_TCCR);
		guest_ok(count <= guest_ms);
	}
	/* A period may have ended between the loop's last look and this. */
	counted = guest_taken[TIMER];
	guest_ok(counted <= (rdtsc() - start) / guest_ms);
	wrmsr(X_LVT_TIMER, LVT_MASKED | TIMER_PERIODIC | TIMER);
	counted = guest_taken[TIMER];
	guest_delay(5);
	guest_is(guest_taken[TIMER], counted);
	wrmsr(X_LVT_TIMER, TIMER_PERIODIC | TIMER);
	guest_is(guest_wait(TIMER, counted + 1, 20), true);
	wrmsr(X_TICR, 0);
	start = guest_taken[TIMER];
	guest_delay(5);
	guest_is(guest_taken[TIMER], start);
}

static void test_periodic(void)
{
	struct vcpu *vcpu = lapic_simple(periodic);

	realtime(true);
	ok_done(vcpu, "periodic: count, mask, unmask, stop");
	realtime(false);
	diag("%u interrupts in 100 periods of 1 ms", G(vcpu->vm, counted));
	ok(G(vcpu->vm, counted) >= 95, "... not more than 5 were merged");
	vcpu_simple_destroy(vcpu);
}

static void deadline(void)
{
	u64 due;

	start_timer(TIMER_DEADLINE);
	guest_is(rdmsr(TSC_DEADLINE), 0);
	wrmsr(TSC_DEADLINE, 1);			/* long past */
	guest_is(guest_taken[TIMER], 1);
	guest_is(rdmsr(TSC_DEADLINE), 0);
	due = rdtsc() + 2 * guest_ms;
	wrmsr(TSC_DEADLINE, due);
	guest_is(rdmsr(TSC_DEADLINE), due);
	guest_is(rdmsr(X_TCCR), 0);
	guest_is(guest_wait(TIMER, 2, 100), true);
	guest_ok(rdtsc() >= due);
	guest_is(rdmsr(TSC_DEADLINE), 0);
	guest_delay(4);
	guest_is(guest_taken[TIMER], 2);
	wrmsr(TSC_DEADLINE, rdtsc() + 2 * guest_ms);
	wrmsr(TSC_DEADLINE, 0);			/* disarms */
	guest_is(rdmsr(TSC_DEADLINE), 0);
	guest_delay(4);
	guest_is(guest_taken[TIMER], 2);
	wrmsr(TSC_DEADLINE, rdtsc() + 1000 * guest_ms);
	wrmsr(TSC_DEADLINE, rdtsc() + guest_ms);	/* a new one counts */
	guest_is(guest_wait(TIMER, 3, 100), true);
}

/* Far away is not the past. */
static void far_deadline(void)
{
	static const volatile u64 far[] = { ~0UL, 1UL << 63, ~0UL >> 1, 1UL << 62 };

	start_timer(TIMER_DEADLINE);
	for (u32 i = 0; i < ARRAY_SIZE(far); i++) {
		wrmsr(TSC_DEADLINE, far[i]);
		guest_delay(3);
		guest_is(guest_taken[TIMER], 0);
		guest_is(rdmsr(TSC_DEADLINE), far[i]);
	}
}

static void modes(void)
{
	start_timer(TIMER_DEADLINE);
	wrmsr(X_TICR, 2 * guest_ms);		/* ignored in this mode */
	guest_is(rdmsr(X_TCCR), 0);
	guest_delay(4);
	guest_is(guest_taken[TIMER], 0);
	wrmsr(TSC_DEADLINE, rdtsc() + 2 * guest_ms);
	wrmsr(X_LVT_TIMER, TIMER);		/* disarms */
	guest_is(rdmsr(TSC_DEADLINE), 0);
	guest_delay(4);
	guest_is(guest_taken[TIMER], 0);
	wrmsr(TSC_DEADLINE, 1);			/* ignored in this mode */
	guest_is(rdmsr(TSC_DEADLINE), 0);
	wrmsr(X_TICR, 2 * guest_ms);
	wrmsr(X_LVT_TIMER, TIMER_DEADLINE | TIMER);	/* stops the count */
	guest_delay(4);
	guest_is(guest_taken[TIMER], 0);
	wrmsr(X_LVT_TIMER, TIMER);
	wrmsr(X_TICR, 2 * guest_ms);
	wrmsr(X_LVT_TIMER, TIMER_PERIODIC | TIMER);	/* goes on */
	guest_is(guest_wait(TIMER, 2, 100), true);
}

/* The count runs at the TSC's rate over the divisor. */
static void divisors(void)
{
	static const volatile u8 code[] = { 0, 1, 2, 3, 8, 9, 0xa, 0xb };
	static const volatile u8 shift[] = { 1, 2, 3, 4, 5, 6, 7, 0 };

	wrmsr(X_LVT_TIMER, LVT_MASKED);
	for (u32 i = 0; i < sizeof(code); i++) {
		u64 ticks, from, to, least, most;

		wrmsr(X_TDCR, code[i]);
		wrmsr(X_TICR, 0xffffffff);
		ticks = rdtsc();
		from = rdmsr(X_TCCR);
		least = rdtsc();
		guest_delay(1);
		most = rdtsc();
		to = rdmsr(X_TCCR);
		least = most - least;
		most = rdtsc() - ticks;
		guest_ok(from - to + 1 >= least >> shift[i]);
		guest_ok(from - to <= (most >> shift[i]) + 1);
	}
}

/* A new divisor changes the pace, not the count. */
static void divide_on_the_fly(void)
{
	u64 before, after;

	wrmsr(X_LVT_TIMER, LVT_MASKED);
	wrmsr(X_TDCR, TDCR_1);
	wrmsr(X_TICR, 0xffffffff);
	before = rdmsr(X_TCCR);
	wrmsr(X_TDCR, 0xa);
	after = rdmsr(X_TCCR);
	guest_ok(after <= before && before - after < guest_ms);
	wrmsr(X_TDCR, TDCR_1);
	guest_ok(after - rdmsr(X_TCCR) < guest_ms);
}

static void masked(void)
{
	start_timer(LVT_MASKED);
	wrmsr(X_TICR, guest_ms);
	guest_ok(rdmsr(X_TCCR) > 0);
	guest_delay(3);
	guest_is(rdmsr(X_TCCR), 0);
	guest_is(rdmsr(X_IRR + TIMER / 32), 0);
	wrmsr(X_LVT_TIMER, TIMER);		/* it is over */
	guest_delay(2);
	guest_is(guest_taken[TIMER], 0);
	wrmsr(X_LVT_TIMER, LVT_MASKED | TIMER_DEADLINE | TIMER);
	wrmsr(TSC_DEADLINE, rdtsc() + guest_ms);
	guest_delay(3);
	guest_is(rdmsr(TSC_DEADLINE), 0);
	guest_is(guest_taken[TIMER], 0);
}

/* Setting the TSC moves a deadline; a count does not look at the TSC. */
static void tsc_is_set(void)
{
	start_timer(0);
	wrmsr(X_TICR, 100 * guest_ms);
	wrmsr(MSR_TSC, rdtsc() + 1000 * guest_ms);
	guest_is(guest_taken[TIMER], 0);
	guest_ok(rdmsr(X_TCCR) > 50 * guest_ms);
	wrmsr(MSR_TSC, 0);
	guest_ok(rdmsr(X_TCCR) <= 100 * guest_ms && rdmsr(X_TCCR) > 50 * guest_ms);
	wrmsr(X_LVT_TIMER, TIMER_DEADLINE | TIMER);
	wrmsr(TSC_DEADLINE, rdtsc() + 1000 * guest_ms);
	wrmsr(MSR_TSC, rdtsc() + 2000 * guest_ms);
	guest_is(guest_wait(TIMER, 1, 10), true);
	guest_is(rdmsr(TSC_DEADLINE), 0);
}

/* A period shorter than what an exit takes: the guest must get on all the same. */
static void short_period(void)
{
	start_timer(TIMER_PERIODIC);
	cli();
	wrmsr(X_TICR, 1);
	for (u32 n = 0; n < 100000; n++)
		relax();
	guest_is(rdmsr(X_IRR + TIMER / 32) >> TIMER % 32, 1);
	wrmsr(X_TICR, 0);
}

static void comes_out(void)
{
	start_timer(0);
	wrmsr(X_TICR, guest_ms);
	guest_sync(1);
	guest_is(guest_taken[TIMER], 1);
	wrmsr(X_TICR, 500 * guest_ms);
	guest_sync(2);
	guest_ok(rdmsr(X_TCCR) < 490 * guest_ms);
}

/* It counts on while the vCPU is not running. */
static void test_away(void)
{
	struct vcpu *vcpu = lapic_simple(comes_out);

	ok_sync(vcpu, 1, "the timer runs, the vCPU does not");
	sleep_us(20000);
	ok_sync(vcpu, 2, "it has fired meanwhile");
	sleep_us(20000);
	ok_done(vcpu, "it has counted meanwhile");
	vcpu_simple_destroy(vcpu);
}

static void test(void *fn, const char *what)
{
	struct vcpu *vcpu = lapic_simple(fn);

	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	if (!info()->tsc_khz)
		skip_all("the host does not know its TSC's frequency");
	test(one_shot, "one-shot");
	test_punctual();
	test_periodic();
	test(deadline, "TSC-deadline");
	test(far_deadline, "deadlines in thousands of years");
	test(modes, "changes of the mode");
	test(divisors, "divisors");
	test(divide_on_the_fly, "a new divisor while it counts");
	test(masked, "a masked timer counts and is silent");
	test(tsc_is_set, "writes to the TSC");
	test(short_period, "a period of one tick");
	test_away();
	return tap_exit();
}
