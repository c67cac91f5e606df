// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine sleeps while guests run, ours and, where kvm_intel is loaded, KVM's:
 *
 *   suspend STATE [SECONDS]
 *
 * STATE is a word of /sys/power/state: mem, freeze. The clock wakes the machine after SECONDS.
 * Without arguments it is skipped: nobody's machine shall sleep by surprise.
 */
#include "kvm.h"
#include "lapic.h"

#define ROUNDS		3
#define ALARM		"/sys/class/rtc/rtc0/wakealarm"
#define LSTAR		0xc0000082
#define GS_BASE		0xc0000102
#define PATTERN(n)	(0x0123456789abcUL + (n) * 0x1000UL)

/* ------------------------------------------------------------------- guests */

/* What a CPU forgets in its sleep. */
static void keeps_registers(void)
{
	u64 tsc = 0, now, xmm;

	__asm__ volatile("movq %0, %%xmm5" : : "r"(PATTERN(1)) : "xmm5");
	wrmsr(LSTAR, PATTERN(2));
	wrmsr(GS_BASE, PATTERN(3));
	WRITE_REG("dr1", PATTERN(4));
	for (;; guest_alive++) {
		__asm__ volatile("movq %%xmm5, %0" : "=r"(xmm));
		guest_is(xmm, PATTERN(1));
		guest_is(rdmsr(LSTAR), PATTERN(2));
		guest_is(rdmsr(GS_BASE), PATTERN(3));
		guest_is(READ_REG("dr1"), PATTERN(4));
		now = rdtsc();
		guest_ok(now > tsc);
		tsc = now;
	}
}

/* Sleeps most of the time itself, until its timer interrupts. */
static void waits(void)
{
	u64 due;

	guest_expect(0x40);
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_TIMER, TIMER_DEADLINE | 0x40);
	for (u32 n = 1;; n++) {
		due = rdtsc() + guest_ms;
		wrmsr(TSC_DEADLINE, due);
		while (guest_taken[0x40] < n) {
			sti_hlt();
			cli();
		}
		guest_ok(rdtsc() >= due);
		guest_alive++;
	}
}

/* Comes out each time, and is not in a RUN while the machine sleeps. */
static void counts(void)
{
	u64 tsc = 0, now;

	for (u32 i = 1;; i++) {
		outl(GUEST_PORT, GUEST_SYNC + i);
		now = rdtsc();
		guest_ok(now > tsc);
		tsc = now;
	}
}

/* --------------------------------------------------------------------- host */

/* One of each kind on a CPU; KVM's only if there is one. */
struct group {
	struct runner *works, *waits;
	struct vcpu *counter;
	struct kvm *kvm;
	struct kvm_thread *theirs;
};

static struct runner *start_alive(struct vcpu *vcpu)
{
	struct runner *runner = runner_start(vcpu);

	if (!wait_alive(vcpu->vm))
		bail("a guest does not start");
	return runner;
}

/* Threads inherit the CPU of who starts them. */
static void start(struct group *group, int cpu, bool with_kvm)
{
	run_on_cpu(cpu);
	group->works = start_alive(vcpu_simple(keeps_registers));
	group->waits = start_alive(lapic_simple(waits));
	group->counter = vcpu_simple(counts);
	if (!with_kvm)
		return;
	group->kvm = kvm_create(kvm_guest_spins);
	group->theirs = kvm_thread_start(group->kvm, cpu);
}

static bool all_alive(const struct group *group)
{
	return wait_alive(group->works->vcpu->vm) && wait_alive(group->waits->vcpu->vm) &&
	       (!group->kvm || wait_alive(&group->kvm->ram));
}

static bool is_in_guest(const struct runner *runner)
{
	return runner->ret && runner->err == EINTR;
}

static void stop(struct group *group, int cpu)
{
	bool good = !group->kvm || kvm_thread_stop(group->theirs);

	runner_stop(group->works);
	runner_stop(group->waits);
	ok(good && is_in_guest(group->works) && is_in_guest(group->waits),
	   "CPU %d: none has come out", cpu);
	if (group->kvm)
		kvm_destroy(group->kvm);
	vcpu_simple_destroy(group->works->vcpu);
	vcpu_simple_destroy(group->waits->vcpu);
	vcpu_simple_destroy(group->counter);
}

/* Whether it has slept: the kernel's count of that is one more. */
static bool sleeps(const char *state, const char *seconds)
{
	static const char count[] = "/sys/power/suspend_stats/success";
	long before = read_long(count);
	char alarm[32];

	snprintf(alarm, sizeof(alarm), "+%s", seconds);
	write_text(ALARM, "0");
	if (!write_text(ALARM, alarm))
		diag("no alarm of the clock: something else has to wake this machine");
	if (!write_text("/sys/power/state", state)) {
		diag("%s: %s", state, strerror(errno));
		return false;
	}
	write_text(ALARM, "0");
	return read_long(count) == before + 1;
}

static void test_round(struct group *groups, u32 round, const char *state, const char *seconds)
{
	int cpus = online_cpus();
	u32 good = 0;

	ok(sleeps(state, seconds), "the machine has slept (%s, %u)", state, round);
	is(online_cpus(), cpus, "all CPUs are there again");
	for (int cpu = 0; cpu < cpus; cpu++) {
		good += all_alive(&groups[cpu]);
		/* On the next CPU than before. */
		run_on_cpu((cpu + round) % cpus);
		good += run_until_port(groups[cpu].counter, GUEST_SYNC + round + 1);
	}
	is(good, 2 * cpus, "guests that ran, waited, stood still go on");
}

/* As if nothing had been. */
static void test_new(int cpu, bool with_kvm)
{
	struct group group = {};

	start(&group, cpu, with_kvm);
	ok(all_alive(&group) && run_until_port(group.counter, GUEST_SYNC + 1),
	   "CPU %d: new ones run", cpu);
	stop(&group, cpu);
}

int main(int argc, char **argv)
{
	const char *seconds = argc > 2 ? argv[2] : "5";
	int cpus = online_cpus();
	struct group *groups = calloc(cpus, sizeof(*groups));
	bool with_kvm;

	tap_init();
	if (argc < 2)
		skip_all("the machine would sleep: suspend mem (or freeze)");
	info();
	/* A guest of KVM's excludes a root of our own. */
	with_kvm = !access("/sys/module/kvm_intel", F_OK) &&
		   (getenv("TINYVMX_ROOT") || !(info()->capabilities & TINYVMX_CAP_ROOT_OWN));
	diag("with%s guests of KVM's", with_kvm ? "" : "out");
	for (int cpu = 0; cpu < cpus; cpu++) {
		start(&groups[cpu], cpu, with_kvm);
		if (!run_until_port(groups[cpu].counter, GUEST_SYNC + 1))
			bail("a guest does not start");
	}
	for (u32 round = 1; round <= ROUNDS; round++)
		test_round(groups, round, argv[1], seconds);
	for (int cpu = 0; cpu < cpus; cpu++)
		stop(&groups[cpu], cpu);
	for (int cpu = 0; cpu < cpus; cpu++)
		test_new(cpu, with_kvm);
	return tap_exit();
}
