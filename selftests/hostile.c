// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attacks of guests/hostile, and what the host notices of them: how late a timer of
 * it is served, how long a process that wants the CPU has to wait. All is bound to one
 * CPU. Where the host gets no interrupts at all, the machine hangs.
 *
 *   hostile [-l] [-m] [-t MS] [NAME...]
 *   -l: list the attacks; -m: the table of docs/hostile.md; -t: so long each (40)
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <time.h>

#include "hostile.h"

#define CPU		0
#define TICK_NS		1000000ULL
#define LIMIT_MS	5
/* So often an attack must have done what it does, in whatever time there was. */
#define REACHED		10
#define KICK		SIGUSR1

static const struct attack *const tables[] = {
	attacks_exceptions, attacks_exits, attacks_apic, attacks_toggles, attacks_memory,
	attacks_ring3,
};

static const struct {
	u32 reason;
	const char *name;
} reasons[] = { VMX_EXIT_REASONS };

static u32 attack_ms = 40;
static bool markdown;

/* -------------------------------------------------------- what is noticed */

/* One page, shared with two processes; times are TSC ticks. */
static volatile struct watch {
	u32 on;
	u32 ms;			/* how long, so far */
	u64 timer_late;		/* the worst of them */
	u64 timer_served;	/* when the last one was */
	u64 timers;
	u64 process_late;
	u64 process_seen;
	u64 process_looks;
} *watch;

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static u64 ns_to_ticks(u64 ns)
{
	return ns * ms_to_tsc(1) / 1000000;
}

/* Of the processes that watch: they go when this one goes, however that is. */
static bool settle(void)
{
	return run_on_cpu(CPU) && !prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/*
 * Served at once, whoever else runs: what is late is the interrupt, or its return. With
 * PREEMPT_RT a timer is the interrupt's business if a real-time task sleeps for it, and that
 * of a thread like others if it is a timerfd's.
 */
static int serves_timer(void *unused)
{
	struct sched_param param = { .sched_priority = 1 };
	u64 due = now_ns() / TICK_NS * TICK_NS + 10 * TICK_NS;

	(void)unused;
	if (!settle() || sched_setscheduler(0, SCHED_FIFO, &param))
		return 1;
	for (;;) {
		struct timespec until = { due / 1000000000, due % 1000000000 };
		u64 late, count;

		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
			return 1;
		late = now_ns() - due;
		count = late / TICK_NS + 1;
		due += count * TICK_NS;
		watch->timers += count;
		watch->timer_served = rdtsc();
		watch->timer_late = MAX(watch->timer_late, ns_to_ticks(late));
	}
}

/* It wants nothing but the CPU, and sees how long it was away. */
static int wants_cpu(void *unused)
{
	u64 now;

	(void)unused;
	if (!settle())
		return 1;
	for (;;) {
		if (!watch->on) {
			sleep_us(500);
			continue;
		}
		now = rdtsc();
		if (watch->process_seen && now - watch->process_seen > watch->process_late)
			watch->process_late = now - watch->process_seen;
		watch->process_seen = now;
		watch->process_looks++;
	}
	return 0;
}

/* An attack has taken place if its exit was taken so often, and the guest has got on so often. */
static u64 least_exits(const struct attack *attack)
{
	return attack->flags & ATTACK_SLOW ? 1 : REACHED;
}

static u64 least_rounds(const struct attack *attack)
{
	return attack->flags & ATTACK_STUCK ? 0 : least_exits(attack);
}

/* So often a guest has got on; 0 if its VMM forbids to look, which an attack may do at any time. */
static u64 rounds_done(struct vm *vm)
{
	u64 rounds;
	struct iovec to = { &rounds, sizeof(rounds) };
	struct iovec from = { (void *)&G(vm, guest_alive), sizeof(rounds) };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == sizeof(rounds) ? rounds : 0;
}

/* In ticks; by the clock of this CPU, which may be behind that of the one that wrote @then. */
static u64 since(u64 then)
{
	u64 now = rdtsc();

	return now > then ? now - then : 0;
}

/* For @attack_ms; up to ten times that, where it takes a guest longer to get on @rounds times. */
static void watch_while(struct vm *vm, u64 rounds)
{
	u64 seen, served;

	watch->timer_late = 0;
	watch->timers = 0;
	watch->process_late = 0;
	watch->process_seen = 0;
	watch->process_looks = 0;
	watch->ms = 0;
	watch->on = 1;
	while (watch->ms < attack_ms ||
	       (watch->ms < 10 * attack_ms && rounds_done(vm) < rounds)) {
		sleep_us(1000);
		watch->ms++;
	}
	watch->on = 0;
	/* Who is late this very moment; both look on meanwhile. */
	seen = watch->process_seen;
	if (seen)
		watch->process_late = MAX(watch->process_late, since(seen));
	served = since(watch->timer_served);
	if (served > ms_to_tsc(1))
		watch->timer_late = MAX(watch->timer_late, served - ms_to_tsc(1));
}

/*
 * What Linux does on its own may take longer than the limit: it leaves the CPU to a rival
 * for a slice and a tick, and frees up to 2000 pages at once with interrupts disabled, for
 * vCPUs that are gone. With these what is late is late by the module. They stay as they are
 * where there is none of them (debugfs, or an older kernel).
 *
 * With HRTICK (on since Linux 7) a slice ends without a tick. There a short one would be no
 * longer than it takes to change from task to task.
 */
#define FEATURES	"/sys/kernel/debug/sched/features"

static struct {
	const char *path;
	const char *value;
	long before;
} knobs[] = {
	{ "/sys/kernel/debug/sched/base_slice_ns", "100000", -1 },	/* 6.6 and later */
	{ "/sys/kernel/debug/sched/latency_ns", "100000", -1 },
	{ "/sys/kernel/debug/sched/min_granularity_ns", "100000", -1 },
	{ "/sys/kernel/debug/sched/wakeup_granularity_ns", "100000", -1 },
	{ "/proc/sys/vm/percpu_pagelist_high_fraction", "1000000", -1 },
};

static void restore_knobs(void)
{
	char text[24];

	for (u32 i = 0; i < ARRAY_SIZE(knobs); i++) {
		snprintf(text, sizeof(text), "%ld", knobs[i].before);
		if (knobs[i].before >= 0)
			write_text(knobs[i].path, text);
	}
}

static void turn_knobs(void)
{
	bool ticks = !line_contains(FEATURES, " HRTICK ");

	for (u32 i = 0; i < ARRAY_SIZE(knobs); i++) {
		if (!ticks && strstr(knobs[i].path, "/sched/"))
			continue;
		knobs[i].before = read_long(knobs[i].path);
		if (knobs[i].before >= 0)
			write_text(knobs[i].path, knobs[i].value);
	}
	atexit(restore_knobs);
}

/* ---------------------------------------------------------------- attackers */

/* A thread of the VMM's. */
struct attacker {
	pthread_t thread;
	const struct attack *attack;
	struct vcpu *vcpu;
	struct tinyvmx_regs regs;	/* of the start, to start over */
	struct tinyvmx_sregs sregs;
	int cpu;
	volatile bool stop;
	volatile bool ended;
	char broken[160];		/* why it is no attack */
};

/* As a machine that resets. */
static void start_over(struct attacker *a)
{
	struct tinyvmx_events none = { };

	vcpu_set_sregs(a->vcpu, &a->sregs);
	a->vcpu->regs = a->regs;
	vcpu_set_regs(a->vcpu);
	must(set_state(a->vcpu->fd, TINYVMX_STATE_EVENTS, &none, sizeof(none)));
}

static void wake(struct vcpu *vcpu)
{
	struct tinyvmx_events events = vcpu_events(vcpu);

	events.activity = TINYVMX_ACTIVITY_ACTIVE;
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
}

/* What comes out is let in again as it is: that is the storm. */
static void answer(struct attacker *a)
{
	struct tinyvmx_run *run = a->vcpu->run;
	volatile struct guest_trap *trap = &G(a->vcpu->vm, guest_trap);
	volatile struct guest_failure *failure = &G(a->vcpu->vm, guest_failure);

	if (a->attack->answer)
		a->attack->answer(a->vcpu);
	if (run->reason == TINYVMX_EXIT_SHUTDOWN)
		start_over(a);
	if (run->reason == TINYVMX_EXIT_HLT)
		wake(a->vcpu);
	if (run->reason == TINYVMX_EXIT_SHUTDOWN && a->attack->exit != BY(TRIPLE_FAULT))
		snprintf(a->broken, sizeof(a->broken), "triple fault at %#llx", run->rip);
	if (run->reason == TINYVMX_EXIT_IO && run->io.port == GUEST_PORT)
		snprintf(a->broken, sizeof(a->broken),
			 "said %u: exception %lu, error %#lx, at %#lx; line %lu: %#lx, not %#lx",
			 run->io.data, trap->vector, trap->error, trap->rip, failure->line,
			 failure->got, failure->want);
}

static void *attacks(void *arg)
{
	struct attacker *a = arg;

	if (!run_on_cpu(a->cpu))
		bail("sched_setaffinity: %m");
	while (!a->stop && !*a->broken) {
		if (!vcpu_run(a->vcpu))
			answer(a);
		else if (errno != EINTR)
			snprintf(a->broken, sizeof(a->broken), "RUN: %s", strerror(errno));
	}
	a->ended = true;
	return NULL;
}

static void *stands_beside(void *arg)
{
	struct attacker *a = arg;

	if (!run_on_cpu(a->cpu))
		bail("sched_setaffinity: %m");
	while (!a->stop)
		a->attack->beside(a->vcpu);
	a->ended = true;
	return NULL;
}

static void start(struct attacker *a, void *(*fn)(void *))
{
	if (pthread_create(&a->thread, NULL, fn, a))
		bail("pthread_create: %m");
}

static void stop(struct attacker *a)
{
	a->stop = true;
	while (!a->ended) {
		pthread_kill(a->thread, KICK);
		sleep_us(1000);
	}
	pthread_join(a->thread, NULL);
}

static void create(struct attacker *a, const struct attack *attack, struct vm *vm, u32 id)
{
	a->attack = attack;
	a->vcpu = attack->flags & ATTACK_LAPIC ? lapic_vcpu(vm, id, attack->guest) :
						 vcpu_create(vm, id, attack->guest, id);
	if (attack->prepare)
		attack->prepare(a->vcpu);
	vcpu_get_regs(a->vcpu);
	a->regs = a->vcpu->regs;
	a->sregs = vcpu_sregs(a->vcpu);
}

/* ------------------------------------------------------------------ verdict */

struct findings {
	u64 exits;	/* by the attack's reason, of all vCPUs */
	u64 all;
	u64 alive;
	u32 rivals;	/* threads of the VMM's on the CPU that is watched */
};

static void find(struct findings *f, struct vcpu *vcpu, const struct attack *attack)
{
	struct tinyvmx_exits exits;

	must(get_state(vcpu->fd, TINYVMX_STATE_EXITS, &exits, sizeof(exits)));
	for (u32 i = 0; i < TINYVMX_NR_EXIT_COUNTS; i++)
		f->all += exits.count[i];
	if (attack->exit)
		f->exits += exits.count[attack->exit - 1];
}

static const char *reason_name(u32 reason)
{
	for (u32 i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].reason == reason)
			return reasons[i].name;
	return "?";
}

static const char *what_happened(const struct attack *attack, const struct findings *f)
{
	static char text[120];

	if (attack->exit)
		snprintf(text, sizeof(text), "%lu exits %s", f->exits,
			 reason_name(attack->exit - 1));
	else
		snprintf(text, sizeof(text), "%lu rounds, %lu exits", f->alive, f->all);
	return text;
}

static bool is_reached(const struct attack *attack, const struct findings *f)
{
	if (attack->exit && f->exits < least_exits(attack))
		return false;
	return f->alive >= least_rounds(attack);
}

static void judge(const struct attack *attack, const struct findings *f)
{
	u64 limit = ms_to_tsc(LIMIT_MS), us = ms_to_tsc(1) / 1000;
	bool reached = is_reached(attack, f);
	bool timer = watch->timer_late < limit && watch->timers > watch->ms / 2;
	/* Each takes its turn; and one more where the scheduler makes up for sleep. */
	u32 turns = f->rivals + !!(attack->flags & ATTACK_SLEEPS);
	bool process = watch->process_late < limit * turns && watch->process_looks > REACHED;

	if (markdown)
		printf("| %s | %s | %s | %lu | %lu |\n", attack->name, attack->harm,
		       what_happened(attack, f), watch->timer_late / us, watch->process_late / us);
	ok(reached && timer && process, "%s: %s; late: a timer %lu us, a process %lu us",
	   attack->name, what_happened(attack, f), watch->timer_late / us,
	   watch->process_late / us);
	if (!reached)
		diag("the attack did not take place: %lu exits of all kinds, %lu rounds", f->all,
		     f->alive);
	if (!timer)
		diag("timers: %lu in %u ms; the limit is %u ms", watch->timers, watch->ms,
		     LIMIT_MS);
	if (!process)
		diag("the process looked %lu times; the limit is %u ms", watch->process_looks,
		     LIMIT_MS * turns);
}

static u32 vcpus_of(const struct attack *attack)
{
	return attack->flags & ATTACK_FOUR ? 4 : attack->flags & ATTACK_TWO ? 2 : 1;
}

/* Not that which is watched, if there is another one. */
static int other_cpu(void)
{
	return online_cpus() > 1 ? 1 : CPU;
}

/* By turns on the CPU that is watched and on the other one. */
static void place(struct attacker *a, u32 count, struct findings *f)
{
	f->rivals = 0;
	for (u32 i = 0; i < count; i++) {
		a[i].cpu = i % 2 ? other_cpu() : CPU;
		f->rivals += a[i].cpu == CPU;
	}
}

static void run(const struct attack *attack)
{
	u32 flags = attack->flags & ATTACK_FERR ? TINYVMX_VM_FERR : 0, vcpus = vcpus_of(attack);
	struct vm *vm = attack->flags & ATTACK_LAPIC ? lapic_vm() : vm_create_with(flags);
	struct attacker a[4] = { }, beside = { .attack = attack };
	struct findings f = { };

	alarm(TAP_WATCHDOG_S);
	place(a, vcpus, &f);
	for (u32 i = 0; i < vcpus; i++)
		create(&a[i], attack, vm, i);
	beside.vcpu = a[0].vcpu;
	beside.cpu = other_cpu();
	if (attack->beside)
		f.rivals += beside.cpu == CPU;
	for (u32 i = 0; i < vcpus; i++)
		start(&a[i], attacks);
	if (attack->beside)
		start(&beside, stands_beside);
	sleep_us(5000);
	watch_while(vm, least_rounds(attack));
	if (attack->beside)
		stop(&beside);
	for (u32 i = 0; i < vcpus; i++) {
		a[i].vcpu->run->immediate_exit = 1;
		stop(&a[i]);
	}

	f.alive = G(vm, guest_alive);
	for (u32 i = 0; i < vcpus; i++)
		find(&f, a[i].vcpu, attack);
	judge(attack, &f);
	for (u32 i = 0; i < vcpus; i++)
		if (*a[i].broken)
			ok(false, "%s: vCPU %u: %s", attack->name, i, a[i].broken);
	if (attack->check)
		attack->check(a[0].vcpu);
	for (u32 i = 0; i < vcpus; i++)
		vcpu_destroy(a[i].vcpu);
	vm_destroy(vm);
}

/* --------------------------------------------------------------------- main */

static bool is_wanted(const struct attack *attack, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, attack->name))
			return true;
	return false;
}

/* Of IA32_VMX_PROCBASED_CTLS2 (48BH): the allowed 1-setting of the control. */
#define PROCBASED_CTLS2		(0x48b - TINYVMX_VMX_MSR_BASE)
#define MAY_EXIT_ON_ENCLS	(1ULL << (32 + 15))

#define CR4_FIXED1		(0x489 - TINYVMX_VMX_MSR_BASE)

/* Why this machine cannot show it; NULL: it can. */
static const char *obstacle(const struct attack *attack)
{
	if ((attack->flags & ATTACK_APICV) && !apicv())
		return "no APIC virtualization";
	if ((attack->flags & ATTACK_NO_APICV) && apicv())
		return "APIC virtualization";
	if (attack->exit == BY(PREEMPTION_TIMER) &&
	    !(info()->capabilities & TINYVMX_CAP_PREEMPTION_TIMER))
		return "no VMX-preemption timer";
	if (attack->exit == BY(ENCLS) && !(info()->vmx_msrs[PROCBASED_CTLS2] & MAY_EXIT_ON_ENCLS))
		return "no ENCLS exiting";
	if (attack->flags & ATTACK_FERR)
		return info()->capabilities & TINYVMX_CAP_FERR ? NULL : "no TINYVMX_CAP_FERR";
	if ((attack->exit == BY(MONITOR_TRAP_FLAG) || attack->exit == BY(LDTR_TR)) &&
	    (info()->vmx_msrs[CR4_FIXED1] & UMIP || !(info()->cr4_mask & UMIP)))
		return "UMIP is the CPU's, or nobody's";
	return NULL;
}

static u32 for_each(char **names, void (*fn)(const struct attack *attack))
{
	u32 n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct attack *attack = tables[i]; attack->name; attack++)
			if (is_wanted(attack, names) && ++n && fn)
				fn(attack);
	return n;
}

static void list(const struct attack *attack)
{
	printf("%s: %s\n", attack->name, attack->harm);
}

static void run_if_possible(const struct attack *attack)
{
	const char *why = obstacle(attack);

	if (why)
		skip(why, "%s", attack->name);
	else
		run(attack);
}

static char **options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "lmt:")) != -1) {
		if (c == 'l') {
			for_each((char *[]){ NULL }, list);
			exit(0);
		}
		if (c == 'm')
			markdown = true;
		else if (c == 't')
			attack_ms = atoi(optarg);
		else
			exit(2);
	}
	return argv + optind;
}

int main(int argc, char **argv)
{
	char **names = options(argc, argv);
	struct host_use before;
	pid_t timer, process;

	tap_init();
	info();
	if (!for_each(names, NULL))
		bail("there is no such attack");
	watch = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (watch == MAP_FAILED || !run_on_cpu(CPU))
		bail("mmap, sched_setaffinity: %m");
	ignore_signal(KICK);
	turn_knobs();
	timer = spawn(serves_timer, NULL);
	process = spawn(wants_cpu, NULL);
	for (u32 i = 0; i < 3; i++)	/* what is made once, and stays */
		vcpu_simple_destroy(vcpu_simple(guest_spin));
	before = host_use();
	for_each(names, run_if_possible);
	nothing_is_left_since(&before);
	kill(timer, SIGKILL);
	kill(process, SIGKILL);
	is(reap(timer), -SIGKILL, "the timer was served to the end");
	is(reap(process), -SIGKILL, "the process was alive to the end");
	return tap_exit();
}
