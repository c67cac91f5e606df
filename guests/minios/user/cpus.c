// SPDX-License-Identifier: GPL-2.0-only
/* cpus: more tasks than CPUs, none of which yields; and what each CPU has done then. */
#include "user.h"

#define TASKS_PER_CPU	2
#define WORK_US		100000
#define PATIENCE_US	20000000	/* the host may have fewer CPUs, and other work */
#define NAP_US		30000
#define CPUS		64

static u64 switches_before[CPUS];

static u32 count_cpus(void)
{
	struct cpu_info info;
	u32 count = 0;

	while (count < CPUS && !sys_cpu_info(count, &info))
		switches_before[count++] = info.switches;
	return count;
}

/* CPUs that have had a task since count_cpus(). */
static u32 count_busy(u32 cpus)
{
	struct cpu_info info;
	u32 i, busy = 0;

	for (i = 0; i < cpus; i++) {
		sys_cpu_info(i, &info);
		busy += info.switches != switches_before[i];
	}
	return busy;
}

/* Long enough to be preempted, and until all have come. */
static void work(u32 cpus)
{
	u64 start = sys_time(), passed;

	do {
		passed = sys_time() - start;
	} while (passed < WORK_US || (count_busy(cpus) < cpus && passed < PATIENCE_US));
}

/* One CPU after the other has nothing to do, while tasks come and go. */
static void nap(void)
{
	long status;
	int i;

	for (i = 0; i < 5; i++) {
		if (!fork()) {
			sys_sleep(NAP_US);
			exit(0);
		}
	}
	while (sys_wait(&status) >= 0)
		;
}

static void print_cpus(u32 cpus)
{
	struct cpu_info info;
	u32 i;

	print("cpu switches wake-ups flushes\n");
	for (i = 0; i < cpus; i++) {
		sys_cpu_info(i, &info);
		print("%3u %8llu %8llu %7llu\n", i, info.switches, info.wakes, info.flushes);
	}
}

int main(void)
{
	u32 cpus = count_cpus(), busy, i;
	long status;

	for (i = 0; i < TASKS_PER_CPU * cpus; i++) {
		if (!fork()) {
			work(cpus);
			exit(0);
		}
	}
	while (sys_wait(&status) >= 0)
		;
	busy = count_busy(cpus);
	nap();
	print_cpus(cpus);
	print("cpus: %u of %u CPUs did work\n", busy, cpus);
	return busy != cpus;
}
