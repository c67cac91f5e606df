// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel owes a task that runs a guest and hardly ever comes to userspace: limits of
 * CPU time hold, guest time is counted as such, and userspace sees no more of the kernel's work.
 */
#include <signal.h>
#include <sys/time.h>

#include "lib.h"

static volatile sig_atomic_t profs, alarms;

static void counts(int sig)
{
	if (sig == SIGPROF)
		profs++;
	else
		alarms++;
}

static void timer(int which, u32 ms)
{
	struct itimerval t = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

	must(setitimer(which, &t, NULL));
}

/*
 * Run a guest that never exits by itself until it has had @ms of CPU time. Return: how often RUN
 * came back; 0: after 20 s.
 */
static u32 spin(u32 ms)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);
	u32 runs = 0;

	profs = 0;
	alarms = 0;
	timer(ITIMER_REAL, 20000);
	timer(ITIMER_PROF, ms);
	for (; !profs && !alarms; runs++)
		if (!vcpu_run(vcpu))
			bail("the guest comes out: %s", exit_name(vcpu->run->reason));
	timer(ITIMER_REAL, 0);
	timer(ITIMER_PROF, 0);
	vcpu_simple_destroy(vcpu);
	return alarms ? 0 : runs;
}

/* Clock ticks that this process has spent in guests (proc(5): guest_time). */
static u64 guest_time(void)
{
	FILE *file = fopen("/proc/self/stat", "r");
	char line[1024] = "";
	char *at = line;

	if (!file || !fgets(line, sizeof(line), file))
		bail("/proc/self/stat: %m");
	fclose(file);
	for (u32 field = 1; field < 43; field++)
		at = strchr(at, ' ') + 1;
	return strtoull(at, NULL, 10);
}

static void test_time(void)
{
	u64 hz = sysconf(_SC_CLK_TCK), before = guest_time(), ticks;
	u32 runs = spin(500);

	ok(runs, "a timer of CPU time ends RUN");
	is(runs, 1, "nothing else does, whatever work the kernel had");
	ticks = guest_time() - before;
	ok(ticks >= hz / 4 && ticks <= hz, "half a second in a guest is guest time (%llu ms)",
	   (unsigned long long)(ticks * 1000 / hz));
}

int main(void)
{
	tap_init();
	signal(SIGPROF, counts);
	signal(SIGALRM, counts);
	test_time();
	return tap_exit();
}
