// SPDX-License-Identifier: GPL-2.0-only
/* MSIs to vCPUs that come and go, timers of vCPUs that are gone, wild values. */
#include <signal.h>

#include "lapic.h"

static u32 seed = 20240229;

static u64 random_word(void)
{
	u64 word = 0;

	for (u32 i = 0; i < 5; i++) {
		seed = seed * 1103515245 + 12345;
		word = word << 13 ^ seed >> 16;
	}
	return word;
}

/* ---------------------------------------------------- vCPUs come and go */

struct sender {
	pthread_t thread;
	struct vm *vm;
	volatile bool stop;
	u64 sent, missed, odd;
};

static void *sends(void *arg)
{
	static const u32 data[] = { 0x51, 0x8061, MODE_NMI, MODE_LOWEST | 0x71, 0xfe };
	static const u64 address[] = {
		MSI_DEST(1), MSI_DEST(0xff), MSI_LOGICAL | MSI_DEST(3), MSI_DEST(2),
	};
	struct sender *s = arg;

	for (u32 i = 0; !s->stop; i++) {
		if (!msi_raw(s->vm->fd, MSI_BASE | address[i % 4], data[i % 5]))
			s->sent++;
		else if (errno == ENOENT)
			s->missed++;
		else
			s->odd++;
	}
	return NULL;
}

/* vCPU 0, all the time: IPIs to all others. */
static void broadcasts(void)
{
	for (;;) {
		wrmsr(X_ICR, ICR_OTHERS | 0x55);
		wrmsr(X_ICR, ICR_OTHERS | MODE_NMI);
		wrmsr(X_ICR, 1UL << 32 | 0x56);
		wrmsr(X_EOI, 0);
		guest_alive++;
	}
}

static volatile u64 short_lives;

/* vCPUs 1 and 2: arm a timer, take interrupts for a moment, come out. */
static void lives_shortly(void)
{
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_TIMER, TIMER_PERIODIC | 0x40);
	wrmsr(X_TDCR, TDCR_1);
	wrmsr(X_TICR, guest_ms / 10);
	sti();
	for (u32 i = 0; i < 20; i++)
		relax();
	short_lives++;
}

/* A level-triggered MSI's EOI may come out first. */
static bool run_to_done(struct vcpu *vcpu)
{
	for (;;) {
		if (vcpu_run(vcpu)) {
			if (errno == EINTR)
				continue;
			diag("RUN: %m");
			return false;
		}
		if (vcpu->run->reason == TINYVMX_EXIT_EOI)
			continue;
		if (vcpu->run->reason == TINYVMX_EXIT_IO && vcpu->run->io.data == GUEST_DONE)
			return true;
		diag("exit %s, data %#x, trap %lu", exit_name(vcpu->run->reason),
		     vcpu->run->io.data, G(vcpu->vm, guest_trap.vector));
		return false;
	}
}

static void expect_interrupts(struct vm *vm)
{
	G(vm, guest_expected[0]) = ~0UL << 32 | 1 << 2;
	for (u32 i = 1; i < 4; i++)
		G(vm, guest_expected[i]) = ~0UL;
}

static void test_come_and_go(u32 rounds)
{
	struct vm *vm = lapic_vm();
	struct vcpu *first = lapic_vcpu(vm, 0, broadcasts);
	struct sender s = { .vm = vm };
	struct runner *runner;
	u32 done = 0;

	expect_interrupts(vm);
	runner = runner_start(first);
	if (pthread_create(&s.thread, NULL, sends, &s))
		bail("pthread_create: %m");
	for (u32 i = 0; i < rounds; i++) {
		struct vcpu *vcpu = lapic_vcpu(vm, 1 + i % 2, lives_shortly);

		done += i % 3 ? run_to_done(vcpu) : 1;
		vcpu_destroy(vcpu);
	}
	s.stop = true;
	pthread_join(s.thread, NULL);
	is(done, rounds, "%u vCPUs created, run, closed under fire", rounds);
	is(s.odd, 0, "MSI says 0 or ENOENT");
	diag("%lu MSIs taken, %lu to nobody, %lu rounds of IPIs", s.sent, s.missed,
	     G(vm, guest_alive));
	runner_stop(runner);
	vcpu_destroy(first);
	vm_destroy(vm);
}

/* -------------------------------------------------- timers of the closed */

static void arms(void)
{
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_TIMER, TIMER_PERIODIC | 0x40);
	wrmsr(X_TDCR, TDCR_1);
	wrmsr(X_TICR, guest_ms / 2);
	guest_sync(1);
}

static void close_armed(u32 rounds)
{
	for (u32 i = 0; i < rounds; i++) {
		struct vcpu *vcpu = lapic_simple(arms);
		struct vm *vm = vcpu->vm;

		expect_interrupts(vm);
		if (!run_until_port(vcpu, GUEST_SYNC + 1))
			bail("the guest does not arm its timer");
		sleep_us(i * 37 % 1000);	/* before, at and behind the tick */
		vcpu_destroy(vcpu);
		vm_destroy(vm);
	}
}

/*
 * Kernel objects that are left of @rounds of them. What is free in the slab that a CPU allocates
 * from counts as used, up to 512 objects, and each CPU has its own: so one CPU does it all.
 */
static long left_of(u32 rounds)
{
	cpu_set_t all;
	long before, left;

	must(sched_getaffinity(0, sizeof(all), &all));
	must(!run_on_cpu(0));
	before = host_use().objects;
	close_armed(rounds);
	left = host_use().objects - before;
	must(sched_setaffinity(0, sizeof(all), &all));
	return left;
}

/* A slab may come in between all the same; a leak is there each time. */
static void test_close_armed(void)
{
	long left;
	u32 i;

	close_armed(10);
	left = left_of(100);
	ok(true, "100 vCPUs closed with a running timer");
	if (leak_obstacle()) {
		skip(leak_obstacle(), "... and freed");
		return;
	}
	if (host_use().objects < 0) {
		skip("/proc/slabinfo cannot be read", "... and freed");
		return;
	}
	for (i = 0; left >= 50 && i < 2; i++)
		left = left_of(100);
	ok(left < 50, "... and freed: of 100 more, %ld kmalloc objects are left", left);
}

static void arms_and_halts(void)
{
	arms();
	for (;;)
		sti_hlt();
}

static int victim(void *arg)
{
	struct vcpu *vcpu = lapic_simple(arms_and_halts);

	(void)arg;
	expect_interrupts(vcpu->vm);
	for (;;) {
		vcpu_run(vcpu);
		msi(vcpu->vm, 0, 0x51);
	}
	return 0;
}

static void test_kill(void)
{
	long users = read_long("/sys/module/tinyvmx/refcnt");
	u32 killed = 0;

	for (u32 i = 0; i < 20; i++) {
		pid_t pid = spawn(victim, NULL);

		sleep_us(random_word() % 30000);
		kill(pid, SIGKILL);
		killed += reap(pid) == -SIGKILL;
	}
	is(killed, 20, "20 processes killed while their guests wait for timers");
	for (u32 i = 0; i < 2000; i++) {
		if (read_long("/sys/module/tinyvmx/refcnt") == users)
			break;
		sleep_us(1000);
	}
	is(read_long("/sys/module/tinyvmx/refcnt"), users, "... nothing is left of them");
}

/* ------------------------------------------------------------ wild values */

static volatile u64 wild_seed = 88172645463325252;

static u64 wild(void)
{
	wild_seed ^= wild_seed << 13;
	wild_seed ^= wild_seed >> 7;
	return wild_seed ^= wild_seed << 17;
}

/* Every register, all the time, with what it takes. */
static void writes_wildly(void)
{
	static const volatile u32 writable[] = {
		X_TPR, X_EOI, X_SVR, X_ESR, X_LVT_TIMER, X_LVT_PERF, X_LVT_LINT0,
		X_LVT_ERROR, X_TICR, X_TDCR, X_SELF_IPI, X_ICR, TSC_DEADLINE, MSR_TSC,
	};

	sti();
	for (;;) {
		u64 value = wild() >> (wild() % 64);

		try_wrmsr(writable[wild() % ARRAY_SIZE(writable)], value);
		if (wild() % 8 == 0)
			wrmsr(X_SVR, SVR_ON);
		guest_alive++;
	}
}

/* The shortest period there is: the guest drowns, the host does not. */
static void shortest_period(void)
{
	wrmsr(X_LVT_TIMER, TIMER_PERIODIC | 0x40);
	wrmsr(X_TDCR, TDCR_1);
	guest_alive++;
	sti();
	for (u64 n = 1;; n++)
		wrmsr(X_TICR, 1 + n % 3);
}

static void shortest_period_halted(void)
{
	wrmsr(X_TPR, 0xf0);	/* it never wakes */
	wrmsr(X_LVT_TIMER, TIMER_PERIODIC | 0x40);
	wrmsr(X_TDCR, TDCR_1);
	wrmsr(X_TICR, 1);
	guest_alive++;
	for (;;)
		sti_hlt();
}

static void past_deadlines(void)
{
	wrmsr(X_LVT_TIMER, TIMER_DEADLINE | 0x40);
	sti();
	for (u64 n = 0;; n++) {
		wrmsr(TSC_DEADLINE, 1);
		wrmsr(TSC_DEADLINE, ~0UL - n);
		wrmsr(TSC_DEADLINE, rdtsc() + n % 50);
		guest_alive++;
	}
}

static void test_hostile(void *fn, const char *what)
{
	struct vcpu *vcpu = lapic_simple(fn);
	struct vm *vm = vcpu->vm;
	struct runner *runner;

	expect_interrupts(vm);
	G(vm, guest_expected[0]) = ~0UL;	/* #GP included: GUEST_TRY resumes */
	G(vm, guest_expected[0]) &= ~(1UL << GP);
	G(vm, guest_hook) = guest_hook_eoi;
	runner = runner_start(vcpu);
	ok(wait_change(&G(vm, guest_alive), 0), "%s: the guest gets on", what);
	sleep_us(300000);
	runner_stop(runner);
	ok(runner->ret == 0 || runner->err == EINTR, "... and the host, too");
	vcpu_simple_destroy(vcpu);
}

static void run_shortly(struct vcpu *vcpu)
{
	struct runner *runner = runner_start(vcpu);

	sleep_us(2000);
	runner_stop(runner);
	free(runner);
}

static void halts_for_ever(void)
{
	for (;;)
		sti_hlt();
}

static void test_wild_timers(void)
{
	static const u64 values[] = {
		0, 1, 2, 1000, 0xffffffff, 1UL << 32, (1UL << 39) - 128, (1UL << 39) - 1,
		1UL << 39, 1UL << 62, 1UL << 63, ~0UL >> 1, ~0UL - 1, ~0UL,
	};
	static const u32 lvts[] = { 0x40, TIMER_PERIODIC | 0x40, TIMER_DEADLINE | 0x40,
				    TIMER_PERIODIC | TIMER_DEADLINE | 0x40, 0x5 };
	struct vcpu *vcpu = lapic_simple(halts_for_ever);
	struct tinyvmx_lapic good = lapic_state(vcpu);

	expect_interrupts(vcpu->vm);
	G(vcpu->vm, guest_hook) = guest_hook_eoi;
	for (u32 i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(lvts); i++) {
		struct tinyvmx_lapic state = good;

		state.deadline = state.timer_left = values[i / ARRAY_SIZE(lvts)];
		state.regs[REGS(X_LVT_TIMER)] = lvts[i % ARRAY_SIZE(lvts)];
		state.regs[REGS(X_TICR)] = i & 1 ? 0 : values[i / ARRAY_SIZE(lvts)];
		state.regs[REGS(X_TDCR)] = i % 4 | (i & 8);
		try_set_lapic(vcpu, &state);
		run_shortly(vcpu);
	}
	ok(true, "wild timers by SET_STATE");
	vcpu_simple_destroy(vcpu);
}

static void test_wild_states(void)
{
	struct vcpu *vcpu = lapic_simple(halts_for_ever);
	struct tinyvmx_lapic good = lapic_state(vcpu), state;
	u32 accepted = 0;

	expect_interrupts(vcpu->vm);
	G(vcpu->vm, guest_expected[0]) = ~0UL;
	for (u32 i = 0; i < 200; i++) {
		state = good;
		for (u32 n = random_word() % 8; n; n--)
			state.regs[random_word() % 64] = random_word() >> random_word() % 32;
		for (u32 n = 0; n < 24; n++)
			state.regs[REGS(X_ISR) + n] = n % 8 ? random_word() : 0;
		state.timer_left = random_word() >> random_word() % 64;
		state.deadline = random_word() >> random_word() % 64;
		if (try_set_lapic(vcpu, &state))
			continue;
		accepted++;
		run_shortly(vcpu);
	}
	ok(accepted > 0, "wild states: %u of 200 accepted and run", accepted);
	must(try_set_lapic(vcpu, &good));
	vcpu_simple_destroy(vcpu);
	must_done(lapic_simple((void *)(uintptr_t)guest_return));
	ok(true, "a new VM runs");
}

int main(void)
{
	tap_init();
	info();
	test_come_and_go(150);
	test_close_armed();
	test_kill();
	test_hostile(writes_wildly, "wild register values");
	test_hostile(shortest_period, "periods of a tick");
	test_hostile(shortest_period_halted, "periods of a tick, halted");
	test_hostile(past_deadlines, "deadlines past, far and near");
	test_wild_timers();
	test_wild_states();
	return tap_exit();
}
