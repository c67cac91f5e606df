// SPDX-License-Identifier: GPL-2.0-only
/* tsc: what one CPU has read no other reads less of afterwards: the TSCs are in step. */
#include "../lib/smp.h"

#define HOPS		200	/* of each CPU */
#define READS		500	/* of each CPU */
#define MSR_TSC_ADJUST	0x3b
#define CPUID_TSC_ADJUST (1U << 1)

/* A token that goes round: whose turn, and the TSC at which it was passed on. */
static volatile u32 turn;
static volatile u64 token;
static volatile u64 backwards, worst;
static struct lock lock;

/* Neither before the loads that precede it nor behind what follows. */
static u64 rdtsc_ordered(void)
{
	asm volatile("lfence" : : : "memory");
	return rdtsc();
}

static void look_back(u64 now)
{
	if (now >= token)
		return;
	backwards++;
	if (token - now > worst)
		worst = token - now;
}

static void hop(void *unused)
{
	u32 me = this_cpu()->index, i;

	(void)unused;
	for (i = 0; i < HOPS; i++) {
		await(turn % nr_cpus == me);
		look_back(rdtsc_ordered());
		token = rdtsc_ordered();
		turn++;
	}
}

static void read_many(void *unused)
{
	u32 i;

	(void)unused;
	for (i = 0; i < READS; i++) {
		lock_acquire(&lock);
		look_back(rdtsc_ordered());
		token = rdtsc_ordered();
		lock_release(&lock);
	}
}

static u64 adjusts[CPUS_MAX];

static void read_adjust(void *unused)
{
	(void)unused;
	adjusts[this_cpu()->index] = rdmsr(MSR_TSC_ADJUST);
}

static void check_adjust(void)
{
	struct cpu *cpu;

	if (cpuid(0, 0).eax < 7 || !(cpuid(7, 0).ebx & CPUID_TSC_ADJUST)) {
		skipped("no IA32_TSC_ADJUST");
		return;
	}
	step("IA32_TSC_ADJUST is the same everywhere");
	smp_run_all(read_adjust, NULL);
	for_each_cpu(cpu)
		check_eq(adjusts[cpu->index], adjusts[0]);
}

GUEST("tsc")
{
	smp_init();
	smp_start_all();
	step("a token goes round %u CPUs %u times", nr_cpus, HOPS);
	smp_run_all(hop, NULL);
	check_eq(turn, nr_cpus * HOPS);
	check_eq(backwards, 0);
	step("whoever gets the lock reads, %u times each", READS);
	smp_run_all(read_many, NULL);
	check_eq(backwards, 0);
	check_eq(worst, 0);
	check_adjust();
}
