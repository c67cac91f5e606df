// SPDX-License-Identifier: GPL-2.0-only
/* Signals end RUN soon, none is lost, and the guest's registers survive them. */
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "lib.h"

static struct vcpu *spinner;
static volatile u64 kicked_at;

/* In place of immediate_exit: what a VMM's handler does. */
static void sets_immediate_exit(int sig)
{
	(void)sig;
	spinner->run->immediate_exit = 1;
}

static void handle(int sig, void (*handler)(int sig))
{
	struct sigaction action = { .sa_handler = handler };

	must(sigaction(sig, &action, NULL));
}

/* SIGUSR2 in @first_us, then each @every_us; 0: never again. */
static void start_timer(u32 first_us, u32 every_us)
{
	static timer_t timer;
	static bool made;
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2,
	};
	struct itimerspec when = {
		.it_value.tv_nsec = first_us * 1000L,
		.it_interval.tv_nsec = every_us * 1000L,
	};

	if (!made)
		must(timer_create(CLOCK_MONOTONIC, &event, &timer));
	made = true;
	must(timer_settime(timer, 0, &when, NULL));
}

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

static bool is_rt(void)
{
	return line_contains("/proc/version", "PREEMPT_RT");
}

/*
 * What RUN may take, or thrice what pause() takes: on a kernel with instruments, or a slow
 * machine, that is more. With PREEMPT_RT two ticks of the scheduler come to it: be_first().
 */
static u64 limit(u64 usual, u64 host)
{
	return MAX(is_rt() ? 10 * usual : usual, 3 * host);
}

/*
 * What is measured is the way out of the guest, not the queue for the CPU. With PREEMPT_RT
 * timers come by a thread that gets no CPU beside a real-time task in RUN: the queue it is.
 */
static void be_first(bool yes)
{
	struct sched_param param = { .sched_priority = yes };

	if (is_rt())
		return;
	must(sched_setscheduler(0, yes ? SCHED_FIFO : SCHED_OTHER, &param));
}

static int runs(void)
{
	return vcpu_run(spinner);
}

static void must_be_interrupted(int (*waits)(void))
{
	if (waits() != -1 || errno != EINTR)
		bail("no signal ended the wait");
}

/* From the expiry of a timer to the return of @waits, the worst of 10 in ns. */
static u64 timer_latency(int (*waits)(void))
{
	u64 worst = 0;

	be_first(true);
	for (u32 i = 0; i < 10; i++) {
		u64 due = now_ns() + 2000000, late;

		start_timer(2000, 0);
		must_be_interrupted(waits);
		late = now_ns() - due;
		if ((int64_t)late > (int64_t)worst)
			worst = late;
	}
	be_first(false);
	return worst;
}

static void test_timer_latency(void)
{
	u64 host = timer_latency(pause), worst = timer_latency(runs);

	is(spinner->run->reason, TINYVMX_EXIT_INTR, "reason INTR");
	ok(worst < limit(1000000, host), "10 timer signals, the slowest took %lu us; pause(): %lu",
	   worst / 1000, host / 1000);
}

static void *kicks_later(void *arg)
{
	sleep_us(3000);
	kicked_at = rdtsc();
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	return NULL;
}

/* From pthread_kill() on another CPU to the return of @waits, the worst of 10 in ticks. */
static u64 kick_latency(int (*waits)(void))
{
	pthread_t me = pthread_self(), other;
	pthread_attr_t elsewhere;
	u64 worst = 0;
	cpu_set_t set;

	/* It must be born there: on this CPU nothing gets a turn beside RUN. */
	CPU_ZERO(&set);
	CPU_SET(1, &set);
	pthread_attr_init(&elsewhere);
	pthread_attr_setaffinity_np(&elsewhere, sizeof(set), &set);
	run_on_cpu(0);
	be_first(true);
	for (u32 i = 0; i < 10; i++) {
		u64 took;

		pthread_create(&other, &elsewhere, kicks_later, &me);
		must_be_interrupted(waits);
		took = rdtsc() - kicked_at;
		pthread_join(other, NULL);
		if (took > worst)
			worst = took;
	}
	be_first(false);
	return worst;
}

static void test_kick_latency(void)
{
	u64 host, worst;

	if (online_cpus() < 2) {
		skip("one CPU only", "kicks from another CPU");
		return;
	}
	host = kick_latency(pause);
	worst = kick_latency(runs);
	ok(worst < limit(ms_to_tsc(1), host),
	   "10 kicks from another CPU, the slowest took %lu of %lu ticks; pause(): %lu", worst,
	   ms_to_tsc(1), host);
}

static void test_pending_before(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, &old));
	raise(SIGUSR1);
	must(sigprocmask(SIG_SETMASK, &old, NULL));
	spinner->run->immediate_exit = 1;
	u64 exits = spinner->run->exits;

	err_is(vcpu_run(spinner), EINTR, "immediate_exit");
	is(spinner->run->exits, exits, "the guest was not entered");
	err_is(vcpu_run(spinner), EINTR, "it holds until it is cleared");
	spinner->run->immediate_exit = 0;
}

/* A signal between the test of a flag and RUN must not be lost. */
static void test_race(void)
{
	u32 slow = 0;

	handle(SIGUSR2, sets_immediate_exit);
	for (u32 i = 0; i < 100; i++) {
		spinner->run->immediate_exit = 0;
		start_timer(1 + i * 3, 0);
		if (vcpu_run(spinner) != -1 || errno != EINTR)
			slow++;
	}
	start_timer(0, 0);
	spinner->run->immediate_exit = 0;
	is(slow, 0, "100 timers around RUN: each ends it");
}

/* Binding a VM to the process takes longer than the time between these signals. */
static void test_create(void)
{
	u32 made = 0;

	ignore_signal(SIGUSR2);
	start_timer(500, 500);
	for (u32 i = 0; i < 20; i++) {
		int fd = create_vm_fd();

		made += fd >= 0;
		close(fd);
	}
	start_timer(0, 0);
	is(made, 20, "a process with a busy timer makes VMs");
}

static volatile u64 rounds;

/*
 * All GPRs but RSP and RBP, XMM0 and XMM15, x87 hold a pattern; a word that
 * changes means that an interruption of the guest has touched a register.
 */
static void keeps_pattern(u64 want_rounds)
{
	static const u64 one[2] = { 0x1111111111111111, 0x2222222222222222 };
	u64 bad = 0;

	while (rounds < want_rounds && !bad) {
		rounds++;
		__asm__ volatile(
			"push %%rbx\n\t"
			"movups %1, %%xmm0; movups %1, %%xmm15; fld1\n\t"
			"mov $101, %%rax; mov $102, %%rbx; mov $103, %%rdx\n\t"
			"mov $104, %%rsi; mov $105, %%rdi; mov $108, %%r8\n\t"
			"mov $109, %%r9; mov $110, %%r10; mov $111, %%r11\n\t"
			"mov $112, %%r12; mov $113, %%r13; mov $114, %%r14\n\t"
			"mov $115, %%r15; mov $300, %%ecx\n"
			"1: cmp $101, %%rax; jne 2f; cmp $102, %%rbx; jne 2f\n\t"
			"cmp $103, %%rdx; jne 2f; cmp $104, %%rsi; jne 2f\n\t"
			"cmp $105, %%rdi; jne 2f; cmp $108, %%r8; jne 2f\n\t"
			"cmp $109, %%r9; jne 2f; cmp $110, %%r10; jne 2f\n\t"
			"cmp $111, %%r11; jne 2f; cmp $112, %%r12; jne 2f\n\t"
			"cmp $113, %%r13; jne 2f; cmp $114, %%r14; jne 2f\n\t"
			"cmp $115, %%r15; jne 2f\n\t"
			"dec %%ecx; jnz 1b\n\t"
			"movq %%xmm0, %%rax; movq %%xmm15, %%rbx\n\t"
			"cmp %%rax, %%rbx; jne 2f\n\t"
			"mov $0x1111111111111111, %%rbx; cmp %%rax, %%rbx\n\t"
			"jne 2f; fld1; fcomip; fstp %%st(0); jne 2f\n\t"
			"pop %%rbx; xor %%eax, %%eax; jmp 3f\n"
			"2: pop %%rbx; mov $1, %%eax\n"
			"3:"
			: "=&a"(bad) : "m"(one) : "rcx", "rdx", "rsi", "rdi",
			  "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
			  "xmm0", "xmm15", "cc", "memory");
	}
	guest_is(bad, 0);
}

static void dirties_registers(int sig)
{
	static const u64 junk[2] = { ~0UL, ~0UL };

	(void)sig;
	__asm__ volatile("movups %0, %%xmm0; movups %0, %%xmm15; fldpi; fstp %%st(0)"
			 : : "m"(junk) : "xmm0", "xmm15");
}

static void test_pattern(void)
{
	struct vcpu *vcpu = vcpu_simple(keeps_pattern);
	u32 interruptions = 0;

	vcpu_call(vcpu, keeps_pattern, 1000);
	handle(SIGUSR2, dirties_registers);
	start_timer(500, 500);
	while (vcpu_run(vcpu) && errno == EINTR)
		interruptions++;
	start_timer(0, 0);
	is(vcpu->run->reason, TINYVMX_EXIT_IO, "the guest ended");
	is(vcpu->run->io.data, GUEST_DONE, "its registers were never touched");
	ok(interruptions > 3, "%u signals came while it ran", interruptions);
	vcpu_simple_destroy(vcpu);
}

static int runs_and_is_stopped(void *arg)
{
	struct vcpu *vcpu = vcpu_simple(keeps_pattern);

	(void)arg;
	vcpu_call(vcpu, keeps_pattern, 2000);
	if (vcpu_run(vcpu))
		return 1;
	return vcpu->run->io.data != GUEST_DONE;
}

static void test_stop_continue(void)
{
	pid_t pid = spawn(runs_and_is_stopped, NULL);

	for (u32 i = 0; i < 10; i++) {
		sleep_us(5000);
		kill(pid, SIGSTOP);
		sleep_us(1000);
		kill(pid, SIGCONT);
	}
	is(reap(pid), 0, "a VMM stopped and continued ten times: RUN does not even say so");
}

int main(void)
{
	tap_init();
	ignore_signal(SIGUSR1);
	ignore_signal(SIGUSR2);
	spinner = vcpu_simple(guest_spin);
	test_timer_latency();
	test_kick_latency();
	test_pending_before();
	test_race();
	vcpu_simple_destroy(spinner);
	test_create();
	test_pattern();
	test_stop_continue();
	return tap_exit();
}
