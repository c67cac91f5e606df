// SPDX-License-Identifier: GPL-2.0-only
/*
 * storm: all CPUs send to all others at once. Those who wait for their answers are counted
 * exactly; of those who do not, interrupts may merge, but the last one must arrive.
 */
#include "../lib/smp.h"

#define FIRST		0x70	/* vector of CPU 0's broadcasts; one each */
#define REPLY		0xb8
#define LAST		0xb9
#define ROUNDS		50
#define SQUALLS		300

static volatile u32 replies[CPUS_MAX];	/* to each, of its round */
static volatile u32 finished;

static bool on_broadcast(struct trap_frame *frame)
{
	this_cpu()->taken[frame->vector]++;
	__atomic_fetch_add(&replies[frame->vector - FIRST], 1, __ATOMIC_SEQ_CST);
	apic_write(APIC_EOI, 0);
	return true;
}

/* With interrupts off in between only: ICR of xAPIC takes two writes. */
static void broadcast(u32 command)
{
	asm volatile("cli" : : : "memory");
	apic_send(0, ICR_OTHERS | command);
	asm volatile("sti" : : : "memory");
}

static void wait_for_all(void)
{
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
	await(finished == nr_cpus);
	asm volatile("cli" : : : "memory");
}

static void rounds(void *unused)
{
	u32 me = this_cpu()->index, i;

	(void)unused;
	asm volatile("sti" : : : "memory");
	for (i = 0; i < ROUNDS; i++) {
		replies[me] = 0;
		broadcast(FIRST + me);
		await(replies[me] == nr_cpus - 1);
	}
	wait_for_all();
}

static void check_rounds(void)
{
	struct cpu *cpu, *sender;
	u32 wrong = 0;

	step("all broadcast at once, %u times, and wait for all to have answered", ROUNDS);
	smp_forget_counts();
	finished = 0;
	smp_run_all(rounds, NULL);
	for_each_cpu(cpu)
		for_each_cpu(sender)
			wrong += cpu->taken[FIRST + sender->index] != (cpu == sender ? 0 : ROUNDS);
	check_eq(wrong, 0);
}

static void squalls(void *unused)
{
	u32 i;

	(void)unused;
	asm volatile("sti" : : : "memory");
	for (i = 0; i < SQUALLS; i++)
		broadcast(i & 1 ? REPLY : ICR_NMI);
	wait_for_all();
}

static void check_squalls(void)
{
	struct cpu *cpu;

	step("all broadcast interrupts and NMIs, %u times, without waiting", SQUALLS);
	smp_forget_counts();
	finished = 0;
	smp_run_all(squalls, NULL);
	apic_send(0, ICR_ALL | LAST);
	for_each_cpu(cpu) {
		u32 most = SQUALLS / 2 * (nr_cpus - 1);

		check(wait_open(cpu->taken[LAST] == 1));
		check(cpu->taken[REPLY] >= 1 && cpu->taken[REPLY] <= most);
		check(cpu->taken[TRAP_NMI] >= 1 && cpu->taken[TRAP_NMI] <= most);
	}
	print("  of %u each CPU 0 took %u interrupts and %u NMIs\n", SQUALLS / 2 * (nr_cpus - 1),
	      cpus[0].taken[REPLY], cpus[0].taken[TRAP_NMI]);
}

GUEST("storm")
{
	u32 i;

	smp_init();
	for (i = 0; i < nr_cpus; i++)
		trap_hook(FIRST + i, on_broadcast);
	smp_count(REPLY);
	smp_count(LAST);
	smp_count(TRAP_NMI);
	smp_start_all();
	check_rounds();
	check_squalls();
	if (!smp_switch_to_x2apic()) {
		skipped("no x2APIC");
		return;
	}
	check_rounds();
	check_squalls();
}
