// SPDX-License-Identifier: GPL-2.0-only
/* HLT with a local APIC: the kernel waits, and what ends that. */
#include <signal.h>
#include <sys/resource.h>

#include "lapic.h"

static volatile u64 stage;

static void by_timer(void)
{
	guest_expect(0x40);
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_TIMER, 0x40);
	wrmsr(X_TDCR, TDCR_1);
	for (u32 n = 1; n <= 10; n++) {
		u64 start = rdtsc();

		wrmsr(X_TICR, 2 * guest_ms);
		sti_hlt();
		guest_ok(rdtsc() - start >= 2 * guest_ms);
		guest_ok(rdtsc() - start < 50 * guest_ms);
		cli();
		guest_is(guest_taken[0x40], n);
	}
	wrmsr(X_LVT_TIMER, TIMER_PERIODIC | 0x40);
	wrmsr(X_TICR, guest_ms);
	while (guest_taken[0x40] < 20)
		sti_hlt();
	cli();
	wrmsr(X_LVT_TIMER, TIMER_DEADLINE | 0x40);
	wrmsr(TSC_DEADLINE, rdtsc() + guest_ms);
	sti_hlt();
}

static void test_timer(void)
{
	struct vcpu *vcpu = lapic_simple(by_timer);
	u64 exits;

	ok_done(vcpu, "HLT ends by the timer, without an exit to userspace");
	exits = vcpu->run->exits;
	diag("%lu VM exits for 21 HLTs", exits);
	vcpu_simple_destroy(vcpu);
}

/* Woken by something else, the guest runs on; by a signal, it halts on. */
static void waits_for_timer(void)
{
	u64 due;

	guest_expect(0x40);
	guest_expect(0x50);
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_TIMER, TIMER_DEADLINE | 0x40);
	sti();
	for (u32 n = 1; n <= 5; n++) {
		due = rdtsc() + 20 * guest_ms;
		wrmsr(TSC_DEADLINE, due);
		stage++;
		sti_hlt();
		while (guest_taken[0x40] < n)
			relax();
		guest_ok(rdtsc() >= due);
		guest_ok(rdtsc() < due + 5 * guest_ms);
	}
}

static void test_timer_after_wake(void)
{
	struct vcpu *vcpu = lapic_simple(waits_for_timer);
	struct vm *vm = vcpu->vm;
	struct runner *runner = runner_start(vcpu);

	for (u32 n = 0; n < 5; n++) {
		wait_change(&G(vm, stage), n);
		sleep_us(2000);
		if (n % 2) {
			runner_stop(runner);
			runner = runner_start(vcpu);
		} else {
			must(msi(vm, 0, 0x50));
		}
	}
	pthread_join(runner->thread, NULL);
	is(vcpu->run->io.data, GUEST_DONE,
	   "MSIs and signals during the wait leave the deadline where it is");
	is(G(vm, guest_taken[0x50]), 3, "... the MSIs were taken");
	vcpu_simple_destroy(vcpu);
}

/* ---------------------------------------------------------------- polling */

#define POLL_NS	"/sys/module/tinyvmx/parameters/halt_poll_ns"

static volatile u64 halt_ticks, halt_count;

static void short_halts(void)
{
	guest_expect(0x40);
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_TIMER, TIMER_DEADLINE | 0x40);
	for (u32 n = 1; n <= halt_count; n++) {
		u64 due = rdtsc() + halt_ticks;

		wrmsr(TSC_DEADLINE, due);
		sti_hlt();
		cli();
		guest_is(guest_taken[0x40], n);
		guest_ok(rdtsc() >= due);
	}
}

/* How often the thread went to sleep in @count HLTs of @us each. */
static long sleeps(const char *poll_ns, u64 us, u64 count)
{
	struct vcpu *vcpu = lapic_simple(short_halts);
	struct rusage before, after;

	must(write_text(POLL_NS, poll_ns) ? 0 : -1);
	G(vcpu->vm, halt_ticks) = us * info()->tsc_khz / 1000;
	G(vcpu->vm, halt_count) = count;
	getrusage(RUSAGE_THREAD, &before);
	must_done(vcpu);
	getrusage(RUSAGE_THREAD, &after);
	vcpu_simple_destroy(vcpu);
	return after.ru_nvcsw - before.ru_nvcsw;
}

static u64 cpu_us(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000UL +
	       use.ru_utime.tv_usec + use.ru_stime.tv_usec;
}

/* CPU time in us that 50 HLTs of 10 ms take, with all around them; how often they sleep. */
static u64 cost_of_long_halts(const char *poll_ns, long *n)
{
	u64 before = cpu_us();

	*n = sleeps(poll_ns, 10000, 50);
	return cpu_us() - before;
}

/* Tasks of the host that want a CPU, this one included. */
static long runnable(void)
{
	FILE *f = fopen("/proc/loadavg", "re");
	long n = -1;

	if (f && fscanf(f, "%*s %*s %*s %ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* Nobody polls while others want the CPU, as the kernel's own tests do after its boot. */
static bool wait_quiet(void)
{
	u32 quiet = 0;

	for (u32 i = 0; i < 3000 && quiet < 20; i++) {
		quiet = runnable() == 1 ? quiet + 1 : 0;
		sleep_us(10000);
	}
	return quiet == 20;
}

static void test_poll(void)
{
	long was = read_long(POLL_NS), n;
	char text[20];
	u64 used, usual;

	if (was < 0 || access(POLL_NS, W_OK)) {
		skip("no " POLL_NS, "polling");
		return;
	}
	if (!wait_quiet()) {
		skip("the host is busy", "polling");
		return;
	}
	n = sleeps("0", 200, 100);
	ok(n >= 90, "without polling 100 short HLTs sleep %ld times", n);
	n = sleeps("2000000", 200, 100);
	ok(n <= 30, "with polling %ld times", n);
	usual = cost_of_long_halts("0", &n);
	used = cost_of_long_halts("2000000", &n);
	ok(n >= 45, "50 long ones sleep %ld times", n);
	ok(used < usual + 50000, "... and take %lu us of CPU time in 500 ms; without polling %lu",
	   used, usual);
	snprintf(text, sizeof(text), "%ld", was);
	write_text(POLL_NS, text);
}

static void halts(void)
{
	guest_expect(0x50);
	guest_expect(2);
	guest_hook = guest_hook_eoi;
	for (;;) {
		stage++;
		sti_hlt();
	}
}

/* Each MSI must wake it: the count of HLTs follows. */
static void test_msi(void)
{
	struct vcpu *vcpu = lapic_simple(halts);
	struct vm *vm = vcpu->vm;
	struct runner *runner = runner_start(vcpu);
	u32 n = 0;

	ok(wait_change(&G(vm, stage), 0), "the guest halts in another thread");
	while (n < 100 && !msi(vm, 0, 0x50) && wait_taken(vm, 0x50, n + 1))
		n++;
	is(n, 100, "100 MSIs from this thread wake it, one by one");
	n = 0;
	while (n < 20 && !msi_raw(vm->fd, MSI_BASE, MODE_NMI) && wait_taken(vm, 2, n + 1))
		n++;
	is(n, 20, "20 NMIs, too");
	ok(!runner->ended, "RUN has not come back");
	runner_stop(runner);
	is(runner->err, EINTR, "a signal ends the wait with EINTR");
	is(vcpu->run->reason, TINYVMX_EXIT_INTR, "... the reason says so");
	is(vcpu_events(vcpu).activity, TINYVMX_ACTIVITY_HLT, "... it is still halted");
	must(msi(vm, 0, 0x50));
	runner = runner_start(vcpu);
	ok(wait_taken(vm, 0x50, 101), "an MSI between two RUNs is not lost");
	runner_stop(runner);
	vcpu_simple_destroy(vcpu);
}

static void test_idle(void)
{
	struct vcpu *vcpu = lapic_simple(halts);
	struct runner *runner = runner_start(vcpu);
	u64 before, used;

	wait_change(&G(vcpu->vm, stage), 0);
	sleep_us(20000);
	before = cpu_us();
	sleep_us(500000);
	used = cpu_us() - before;
	ok(used < 50000, "halted for 500 ms: %lu us of CPU time", used);
	runner_stop(runner);
	vcpu_simple_destroy(vcpu);
}

static void halts_closed(void)
{
	guest_expect(2);
	wrmsr(X_LVT_TIMER, 0x40);
	wrmsr(X_TICR, guest_ms);
	cli();
	__asm__ volatile("hlt");
	guest_is(guest_taken[2], 1);
	guest_is(guest_taken[0x40], 0);
}

static void test_closed(void)
{
	struct vcpu *vcpu = lapic_simple(halts_closed);
	struct vm *vm = vcpu->vm;

	ok_exit(vcpu, TINYVMX_EXIT_HLT, "HLT with IF clear comes out");
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "... again");
	sleep_us(20000);
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "... also when the timer has fired");
	must(msi(vm, 0, 0x50));
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "... also with an interrupt pending");
	must(msi_raw(vm->fd, MSI_BASE, MODE_NMI));
	ok_done(vcpu, "an NMI ends it");
	vcpu_simple_destroy(vcpu);
}

static void halts_for_nmi(void)
{
	guest_expect(2);
	cli();
	for (u32 n = 1; n <= 3; n++) {
		stage++;
		__asm__ volatile("hlt");
		guest_is(guest_taken[2], n);
	}
	guest_is(guest_taken[0x50], 0);
}

/* wait_for_nmi: interrupts are off, and RUN waits all the same; what is no NMI wakes nobody. */
static void test_waits_for_nmi(void)
{
	struct vcpu *vcpu = lapic_simple(halts_for_nmi);
	struct vm *vm = vcpu->vm;
	struct runner *runner;
	u32 woken = 0;

	vcpu->run->wait_for_nmi = 1;
	runner = runner_start(vcpu);
	for (u32 n = 0; n < 3; n++) {
		woken += wait_change(&G(vm, stage), n);
		sleep_us(20000);
		must(msi(vm, 0, 0x50));
		sleep_us(20000);
		ok(!runner->ended && G(vm, guest_taken[2]) == n, "halted with IF clear: waits");
		must(msi_raw(vm->fd, MSI_BASE, MODE_NMI));
	}
	is(woken, 3, "each NMI ends one HLT");
	pthread_join(runner->thread, NULL);
	is(vcpu->run->io.data, GUEST_DONE, "... to the end");
	vcpu_simple_destroy(vcpu);
}

static void halts_by_lint0(void)
{
	guest_expect(2);
	wrmsr(X_LVT_LINT0, MODE_NMI);
	cli();
	__asm__ volatile("hlt");
	guest_is(guest_taken[2], 1);
}

/* As hvctl does when its 8259s raise INTR. */
static void test_woken_by_lint0(void)
{
	struct vcpu *vcpu = lapic_simple(halts_by_lint0);

	ok_exit(vcpu, TINYVMX_EXIT_HLT, "HLT with IF clear, LINT0 is NMI");
	vcpu->run->want_intr_window = 1;
	ok_done(vcpu, "INTR rises: the NMI ends it");
	vcpu_simple_destroy(vcpu);
}

static void halts_in_nmi(struct guest_frame *frame)
{
	if (frame->vector == 2)
		__asm__ volatile("hlt");
}

static void takes_nmi(void)
{
	guest_expect(2);
	guest_hook = halts_in_nmi;
	guest_sync(1);
	for (;;)
		relax();
}

static void test_nmi_blocked(void)
{
	struct vcpu *vcpu = lapic_simple(takes_nmi);

	vcpu->run->wait_for_nmi = 1;
	ok_sync(vcpu, 1, "a guest that halts in its NMI handler");
	must(msi_raw(vcpu->vm->fd, MSI_BASE, MODE_NMI));
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "NMIs are blocked: it does not wait for one");
	vcpu_simple_destroy(vcpu);
}

static void halts_stepping(void)
{
	guest_expect(1);
	__asm__ volatile("cli; pushfq; orq $0x100, (%rsp); popfq; hlt");
	guest_is(guest_taken[1], 1);
}

static void test_stepped(void)
{
	struct vcpu *vcpu = lapic_simple(halts_stepping);

	ok_done(vcpu, "the single step behind HLT ends it");
	vcpu_simple_destroy(vcpu);
}

static void halts_high(void)
{
	guest_expect(0x50);
	guest_expect(0x90);
	wrmsr(X_TPR, 0x80);
	stage = 1;
	sti_hlt();
	cli();
	guest_is(guest_taken[0x50], 0);
	guest_is(guest_taken[0x90], 1);
}

static void test_tpr(void)
{
	struct vcpu *vcpu = lapic_simple(halts_high);
	struct vm *vm = vcpu->vm;
	struct runner *runner = runner_start(vcpu);

	wait_change(&G(vm, stage), 0);
	must(msi(vm, 0, 0x50));
	sleep_us(20000);
	ok(!runner->ended, "an interrupt below the TPR does not wake it");
	must(msi(vm, 0, 0x90));
	pthread_join(runner->thread, NULL);
	is(vcpu->run->io.data, GUEST_DONE, "one above does");
	vcpu_simple_destroy(vcpu);
}

/* The idle loop's race: pending before STI; HLT. */
static void pending_before(void)
{
	guest_expect(0x50);
	guest_hook = guest_hook_eoi;
	for (u32 n = 1; n <= 100; n++) {
		wrmsr(X_SELF_IPI, 0x50);
		sti_hlt();
		cli();
		guest_is(guest_taken[0x50], n);
	}
}

static void test_pending_before(void)
{
	struct vcpu *vcpu = lapic_simple(pending_before);

	ok_done(vcpu, "pending before STI; HLT: not lost");
	vcpu_simple_destroy(vcpu);
}

static void test_immediate(void)
{
	struct vcpu *vcpu = lapic_simple(halts);

	vcpu->run->immediate_exit = 1;
	err_is(vcpu_run(vcpu), EINTR, "immediate_exit: no wait");
	vcpu->run->immediate_exit = 0;
	ignore_signal(SIGALRM);
	alarm(1);
	err_is(vcpu_run(vcpu), EINTR, "SIGALRM ends the wait");
	vcpu_simple_destroy(vcpu);
	tap_init();
}

static void disabled_then_hlt(void)
{
	wrmsr(APIC_BASE, BASE_ADDRESS | BASE_BSP);
	stage = 1;
	sti_hlt();
}

/* Without an APIC only userspace has interrupts for it; it still waits here. */
static void test_disabled(void)
{
	struct vcpu *vcpu = lapic_simple(disabled_then_hlt);
	struct vm *vm = vcpu->vm;
	struct runner *runner = runner_start(vcpu);

	wait_change(&G(vm, stage), 0);
	sleep_us(5000);
	runner_stop(runner);
	if (runner->ret)
		is(runner->err, EINTR, "APIC disabled: HLT is ended by a signal");
	else
		is(vcpu->run->reason, TINYVMX_EXIT_HLT, "APIC disabled: HLT comes out");
	G(vm, guest_expected[0]) = 1UL << 0x30;
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x30));
	ok_done(vcpu, "an ExtINT wakes it");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_timer();
	test_timer_after_wake();
	test_poll();
	test_msi();
	test_idle();
	test_closed();
	test_waits_for_nmi();
	test_woken_by_lint0();
	test_nmi_blocked();
	test_stepped();
	test_tpr();
	test_pending_before();
	test_immediate();
	test_disabled();
	return tap_exit();
}
