// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts between two vCPUs, each in its thread. */
#include <sched.h>

#include "lapic.h"

#define ASK	0x61
#define ANSWER	0x62
#define ROUNDS	200

static volatile u64 ready;
static volatile u64 arrived;	/* TSC at which the other has it */
static volatile u64 worst, total;
static volatile u32 asks;

/* vCPU 1 in the handler of ASK: note when, answer, end. */
static void answers(struct guest_frame *frame)
{
	if ((u8)frame->vector == ASK) {
		arrived = rdtsc();
		asks++;
	}
	guest_hook_eoi(frame);
}

static void other_spins(void)
{
	sti();
	for (ready = 1;;)
		relax();
}

static void other_halts(void)
{
	for (ready = 1;;)
		sti_hlt();
}

/* vCPU 0: send, wait until it is there, how long it took. */
static void asks_often(void)
{
	for (u32 n = 1; n <= ROUNDS; n++) {
		u64 sent, took, start = rdtsc();

		/* Time to halt again. */
		while (rdtsc() - start < guest_ms / 5)
			relax();
		arrived = 0;
		sent = rdtsc();
		wrmsr(X_ICR, 1UL << 32 | ASK);
		while (!arrived)
			if (rdtsc() - sent > 5000 * guest_ms)
				guest_is(n, 0);
		took = arrived - sent;
		total += took;
		if (took > worst)
			worst = took;
	}
	guest_is(asks, ROUNDS);
}

struct pair {
	struct vm *vm;
	struct vcpu *vcpu[2];
	struct runner *runner;
};

/* Each on a CPU of its own, if there are two: the scheduler may not see to it. */
static void spread(struct runner *runner)
{
	cpu_set_t set;

	if (online_cpus() < 2)
		return;
	run_on_cpu(0);
	CPU_ZERO(&set);
	CPU_SET(1, &set);
	pthread_setaffinity_np(runner->thread, sizeof(set), &set);
}

static struct pair start(void *fn, void *other)
{
	struct pair p = { .vm = lapic_vm() };

	p.vcpu[0] = lapic_vcpu(p.vm, 0, fn);
	p.vcpu[1] = lapic_vcpu(p.vm, 1, other);
	for (u32 i = 0; i < 4; i++)
		G(p.vm, guest_expected[i]) = i ? ~0UL : ~0UL << 32 | 1 << 2;
	G(p.vm, guest_hook) = answers;
	p.runner = runner_start(p.vcpu[1]);
	spread(p.runner);
	if (!wait_change(&G(p.vm, ready), 0))
		bail("the second vCPU does not start");
	return p;
}

static void stop(struct pair *p)
{
	runner_stop(p->runner);
	vcpu_destroy(p->vcpu[0]);
	vcpu_destroy(p->vcpu[1]);
	vm_destroy(p->vm);
}

/* ---------------------------- what the host itself needs to wake a thread */

static int pipe_fds[2];
static volatile u64 woken;

static void *sleeps(void *arg)
{
	char c;

	while (read(pipe_fds[0], &c, 1) == 1)
		woken = rdtsc();
	return arg;
}

/* TSC ticks, the mean of 50. */
static u64 host_wake_up(void)
{
	struct runner sleeper;
	u64 sum = 0;

	if (pipe(pipe_fds) || pthread_create(&sleeper.thread, NULL, sleeps, NULL))
		bail("pipe, pthread_create: %m");
	spread(&sleeper);
	for (u32 i = 0; i < 50; i++) {
		u64 sent;

		sleep_us(500);
		woken = 0;
		sent = rdtsc();
		if (write(pipe_fds[1], "", 1) != 1)
			bail("write: %m");
		while (!woken)
			relax();
		sum += woken - sent;
	}
	close(pipe_fds[1]);
	pthread_join(sleeper.thread, NULL);
	close(pipe_fds[0]);
	return sum / 50;
}

static void test_latency(void *other, u64 wake_up, const char *what)
{
	struct pair p = start(asks_often, other);
	u64 us = info()->tsc_khz / 1000 ?: 1;
	u64 mean;

	ok_done(p.vcpu[0], "%u IPIs to a vCPU that %s", ROUNDS, what);
	mean = G(p.vm, total) / ROUNDS;
	diag("mean %lu us, worst %lu us; a thread of the host: mean %lu us", mean / us,
	     G(p.vm, worst) / us, wake_up / us);
	if (online_cpus() > 1)
		ok(mean < ms_to_tsc(1) + wake_up, "... in less than 1 ms, or what waking takes");
	else
		skip("one CPU", "... in less than 1 ms, or what waking takes");
	stop(&p);
}

/*
 * Both on one CPU: who is woken has to get it from the sender, for which no
 * interrupt asks. Without that it waits for the host's next tick.
 */
static void test_one_cpu(void)
{
	struct pair p = start(asks_often, other_halts);
	u64 us = info()->tsc_khz / 1000 ?: 1;
	cpu_set_t set;
	u64 mean;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	run_on_cpu(0);
	pthread_setaffinity_np(p.runner->thread, sizeof(set), &set);
	ok_done(p.vcpu[0], "%u IPIs to a halted vCPU on the same CPU", ROUNDS);
	mean = G(p.vm, total) / ROUNDS;
	diag("mean %lu us, worst %lu us", mean / us, G(p.vm, worst) / us);
	ok(mean < ms_to_tsc(1), "... in less than 1 ms");
	stop(&p);
}

/* Both work: a ball goes to and fro. */
static volatile u32 bounces;

static void bounce(struct guest_frame *frame)
{
	u8 vector = frame->vector;

	guest_eoi();
	if (vector != ASK && vector != ANSWER)
		return;
	bounces++;
	if (vector == ASK)
		wrmsr(X_ICR, 0UL << 32 | ANSWER);
	else if (bounces < 2 * ROUNDS)
		wrmsr(X_ICR, 1UL << 32 | ASK);
}

static void plays(void)
{
	wrmsr(X_ICR, 1UL << 32 | ASK);
	while (bounces < 2 * ROUNDS)
		sti_hlt();
}

static void test_ping_pong(void *other, const char *what)
{
	struct vm *vm = lapic_vm();
	struct vcpu *a = lapic_vcpu(vm, 0, plays), *b = lapic_vcpu(vm, 1, other);
	struct runner *runner;

	G(vm, guest_expected[1]) = ~0UL;
	G(vm, guest_hook) = bounce;
	runner = runner_start(b);
	spread(runner);
	ok_done(a, "%u IPIs to and fro, vCPU 1 %s", 2 * ROUNDS, what);
	is(G(vm, bounces), 2 * ROUNDS, "... none was lost");
	runner_stop(runner);
	vcpu_destroy(a);
	vcpu_destroy(b);
	vm_destroy(vm);
}

static bool others_have(u32 count)
{
	u64 start_tsc = rdtsc();

	while (asks < count)
		if (rdtsc() - start_tsc > 5000 * guest_ms)
			return false;
	return true;
}

static void each_way(void)
{
	u32 n = 0;

	wrmsr(X_ICR, ICR_OTHERS | ASK);
	guest_is(others_have(++n), true);
	guest_is(rdmsr(X_IRR + ASK / 32), 0);
	wrmsr(X_ICR, 2UL << 32 | ICR_LOGICAL | ASK);
	guest_is(others_have(++n), true);
	guest_is(rdmsr(X_IRR + ASK / 32), 0);
	wrmsr(X_ICR, 2UL << 32 | ICR_LOGICAL | MODE_LOWEST | ASK);
	guest_is(others_have(++n), true);
	wrmsr(X_ICR, 7UL << 32 | ASK);			/* nobody */
	wrmsr(X_ICR, 1UL << 48 | ICR_LOGICAL | ASK);
	guest_delay(2);
	guest_is(asks, n);
	wrmsr(X_ICR, ICR_ALL | ASK);
	guest_is(others_have(++n), true);
	guest_is(rdmsr(X_IRR + ASK / 32), 1U << ASK % 32);
	sti();
	cli();
	guest_is(others_have(++n), true);
	wrmsr(X_ICR, ~0UL << 32 | ASK);
	guest_is(others_have(++n), true);
	guest_is(rdmsr(X_IRR + ASK / 32), 1U << ASK % 32);
	sti();
	cli();
	n = guest_taken[2];
	wrmsr(X_ICR, 1UL << 32 | MODE_NMI);
	for (u64 start_tsc = rdtsc(); guest_taken[2] == n;)
		guest_ok(rdtsc() - start_tsc < 5000 * guest_ms);
	wrmsr(X_ICR, ICR_OTHERS | MODE_NMI);
	for (u64 start_tsc = rdtsc(); guest_taken[2] == n + 1;)
		guest_ok(rdtsc() - start_tsc < 5000 * guest_ms);
}

static void test_each_way(void *other, const char *what)
{
	struct pair p = start(each_way, other);

	ok_done(p.vcpu[0], "others, logical, all, broadcast, NMI; vCPU 1 %s", what);
	stop(&p);
}

/* A vector that waits in a vCPU that is not running. */
static void test_not_running(void)
{
	struct pair p = start(each_way, other_spins);

	runner_stop(p.runner);
	must(msi(p.vm, 1, ASK));
	ok(lapic_bit(p.vcpu[1], X_IRR, ASK), "an MSI to a vCPU that is not running");
	p.runner = runner_start(p.vcpu[1]);
	ok(wait_taken(p.vm, ASK, 1), "... comes when it runs");
	stop(&p);
}

int main(void)
{
	u64 wake_up;

	tap_init();
	wake_up = host_wake_up();	/* high where the CPUs have other work, too */
	test_latency(other_spins, wake_up, "spins");
	test_latency(other_halts, wake_up, "is halted");
	test_one_cpu();
	test_ping_pong(other_spins, "spins");
	test_ping_pong(other_halts, "halts");
	test_each_way(other_spins, "spins");
	test_each_way(other_halts, "halts");
	test_not_running();
	return tap_exit();
}
