// SPDX-License-Identifier: GPL-2.0-only
/*
 * ipi: interrupts from the BSP to each, to many, to all: fixed, lowest priority and NMI, by
 * physical and logical destinations and by shorthand, to CPUs that halt and to CPUs that run.
 * Whom a destination means is computed here, too, and each must have got what it should, once.
 */
#include "../lib/smp.h"

#define VECTOR		0x61
#define FENCE		0x31	/* taken behind what has come before, for it is lower */
#define PING		0x62
#define PONG		0x63
#define WATCHDOG	0x64
#define ROUND_TRIPS	1000
#define DFR_FLAT	0xffffffff
#define DFR_CLUSTER	0x0fffffff
#define ESR_SEND_ILLEGAL (1 << 5)

enum addressing { PHYSICAL, FLAT, CLUSTER, X2APIC_CLUSTER };

static const char *const names[] = { "physical", "flat", "cluster", "x2APIC cluster" };
static enum addressing addressing;

/* ------------------------------------------------- whom a destination means */

static u32 flat_ldr(const struct cpu *cpu)
{
	return 1U << cpu->index;
}

static u32 cluster_ldr(const struct cpu *cpu)
{
	return cpu->index / 4 << 4 | 1U << cpu->index % 4;
}

static u32 x2apic_ldr(const struct cpu *cpu)
{
	return cpu->apic_id >> 4 << 16 | 1U << (cpu->apic_id & 15);
}

static u32 everybody(void)
{
	return x2apic ? 0xffffffff : 0xff;
}

static bool means(u32 dest, const struct cpu *cpu)
{
	u32 ldr;

	if (dest == everybody())
		return true;
	switch (addressing) {
	case PHYSICAL:
		return dest == cpu->apic_id;
	case FLAT:
		return dest & flat_ldr(cpu);
	case CLUSTER:
		ldr = cluster_ldr(cpu);
		return dest >> 4 == ldr >> 4 && dest & ldr & 0xf;
	case X2APIC_CLUSTER:
		ldr = x2apic_ldr(cpu);
		return dest >> 16 == ldr >> 16 && dest & ldr & 0xffff;
	}
	return false;
}

/* What a CPU does to have such an address. x2APIC has made it from the id. */
static void take_address(void *unused)
{
	const struct cpu *cpu = this_cpu();

	(void)unused;
	if (addressing == FLAT || addressing == CLUSTER) {
		apic_write(APIC_DFR, addressing == FLAT ? DFR_FLAT : DFR_CLUSTER);
		apic_write(APIC_LDR, (addressing == FLAT ? flat_ldr(cpu) : cluster_ldr(cpu)) << 24);
	}
}

/* ------------------------------------------------------- send, and compare */

/* Whatever is on its way to somebody has been taken when the fence has. */
static void settle(void)
{
	struct cpu *cpu;

	for_each_cpu(cpu) {
		u32 before = cpu->taken[FENCE];

		apic_send(cpu->apic_id, FENCE);
		if (!wait_open(cpu->taken[FENCE] == before + 1))
			print("CPU %u does not take interrupts any more\n", cpu->index);
		require(cpu->taken[FENCE] == before + 1);
	}
}

static u32 sum_taken(u8 vector)
{
	struct cpu *cpu;
	u32 sum = 0;

	for_each_cpu(cpu)
		sum += cpu->taken[vector];
	return sum;
}

/* Wait first: what is too late is not what is lost, and the fences tell of what is too much. */
static bool send_and_wait(u32 dest, u32 command, u8 vector, u32 wanted)
{
	smp_forget_counts();
	apic_send(dest, command);
	if (!wait_open(sum_taken(vector) >= wanted))
		return false;
	settle();
	return true;
}

static u32 count_bits(u64 set)
{
	u32 count = 0;

	for (; set; set &= set - 1)
		count++;
	return count;
}

/* @means_it: whom it must reach, by index. */
static void check_reached(u32 dest, u32 command, u64 means_it)
{
	u8 vector = command & ICR_NMI ? TRAP_NMI : VECTOR;
	u32 wanted = count_bits(means_it), wrong = 0;
	struct cpu *cpu;

	if ((command & 0x700) == ICR_LOWEST && wanted)
		wanted = 1;
	if (!send_and_wait(dest, command, vector, wanted))
		print("  destination 0x%x, ICR 0x%x: %u of %u have got it\n", dest, command,
		      sum_taken(vector), wanted);
	for_each_cpu(cpu) {
		u32 most = means_it >> cpu->index & 1;

		wrong += cpu->taken[vector] > most ||
			 (cpu->taken[vector] != most && (command & 0x700) != ICR_LOWEST);
	}
	if (wrong)
		print("  destination 0x%x, ICR 0x%x: %u CPUs are wrong\n", dest, command, wrong);
	check_eq(wrong, 0);
	check_eq(sum_taken(vector), wanted);
}

static void check_destination(u32 dest)
{
	u32 logical = addressing == PHYSICAL ? 0 : ICR_LOGICAL;
	u64 means_it = 0;
	struct cpu *cpu;

	for_each_cpu(cpu)
		means_it |= (u64)means(dest, cpu) << cpu->index;
	check_reached(dest, logical | VECTOR, means_it);
	/* To all of physical mode there is no lowest priority. */
	if (addressing != PHYSICAL || dest != everybody())
		check_reached(dest, logical | ICR_LOWEST | VECTOR, means_it);
	check_reached(dest, logical | ICR_NMI, means_it);
}

/* ----------------------------------------------------------- destinations */

static void check_physical(void)
{
	struct cpu *cpu;

	for_each_cpu(cpu)
		check_destination(cpu->apic_id);
	check_destination(everybody());
	check_destination(0xfe);
	if (x2apic) {
		/* No broadcast, and an id whose lower bits are the BSP's. */
		check_destination(0xff);
		check_destination(cpus[0].apic_id | 0x100);
		check_destination(cpus[0].apic_id | 0x80000000);
	}
}

static void check_logical(u32 shift)
{
	u32 last = (nr_cpus - 1) >> (shift == 16 ? 4 : 2), cluster;
	u32 members = (1U << (shift == 16 ? 16 : 4)) - 1;

	check_destination(everybody());
	/* One past the last has nobody in it. */
	for (cluster = 0; cluster <= last + 1; cluster++) {
		check_destination(cluster << shift | 1);
		check_destination(cluster << shift | 6);
		check_destination(cluster << shift | members);
		check_destination(cluster << shift);
	}
}

static void check_flat(void)
{
	u32 dest;

	for (dest = 0; dest < 1U << nr_cpus; dest += 1 + dest / 8)
		check_destination(dest);
	check_destination(0xff);
}

static void check_destinations(void)
{
	struct cpu *cpu;

	switch (addressing) {
	case PHYSICAL:
		check_physical();
		return;
	case FLAT:
		check_flat();
		return;
	case CLUSTER:
		check_logical(4);
		return;
	case X2APIC_CLUSTER:
		check_eq(apic_read(APIC_LDR), x2apic_ldr(cpus));
		for_each_cpu(cpu)
			check_destination(x2apic_ldr(cpu));
		check_logical(16);
		return;
	}
}

static void check_shorthands(void)
{
	u64 all = nr_cpus == 64 ? ~0ULL : (1ULL << nr_cpus) - 1;

	step("shorthands: self, all, all but self, whatever the destination");
	check_reached(cpus[1].apic_id, ICR_SELF | VECTOR, 1);
	check_reached(cpus[1].apic_id, ICR_ALL | VECTOR, all);
	check_reached(cpus[0].apic_id, ICR_OTHERS | VECTOR, all & ~1ULL);
	check_reached(cpus[0].apic_id, ICR_OTHERS | ICR_NMI, all & ~1ULL);
}

/* The sender's error; nobody is interrupted. */
static void check_illegal(void)
{
	step("a vector below 16 is the sender's error");
	smp_forget_counts();
	apic_write(APIC_ESR, 0);
	apic_send(cpus[1].apic_id, 5);
	apic_send(0, ICR_OTHERS | 5);
	apic_write(APIC_ESR, 0);
	check(apic_read(APIC_ESR) & ESR_SEND_ILLEGAL);
	settle();
	check_eq(sum_taken(5), 0);
	apic_write(APIC_ESR, 0);
}

/* ------------------------------------------------------------ round trips */

static volatile bool stop;
static volatile u32 pongs;

static bool on_ping(struct trap_frame *frame)
{
	this_cpu()->taken[frame->vector]++;
	apic_write(APIC_EOI, 0);
	apic_send(cpus[0].apic_id, PONG);
	return true;
}

static bool on_pong(struct trap_frame *frame)
{
	(void)frame;
	pongs++;
	apic_write(APIC_EOI, 0);
	return true;
}

static bool on_watchdog(struct trap_frame *frame)
{
	(void)frame;
	print("a wake-up is lost behind %u round trips\n", pongs);
	require(!"lost");
	return true;
}

/* In HLT: an interrupt that is lost would be the last one, but for the timer's. */
static void halt_for(u32 want)
{
	apic_write(APIC_LVT_TIMER, WATCHDOG);
	apic_write(APIC_INITIAL_COUNT, PATIENCE / 2);
	while (pongs < want)
		asm volatile("sti; hlt; cli" : : : "memory");
	apic_write(APIC_INITIAL_COUNT, 0);
}

static void check_round_trips(bool halted)
{
	struct cpu *last = &cpus[nr_cpus - 1];
	u64 start = rdtsc(), passed;
	u32 i, lost = 0;

	smp_forget_counts();
	pongs = 0;
	for (i = 0; i < ROUND_TRIPS && !lost; i++) {
		apic_send(last->apic_id, PING);
		if (halted)
			halt_for(i + 1);
		else
			lost = !wait_open(pongs == i + 1);
	}
	passed = rdtsc() - start;
	check_eq(lost, 0);
	settle();
	check_eq(last->taken[PING], ROUND_TRIPS);
	check_eq(pongs, ROUND_TRIPS);
	print("  %llu ticks each\n", passed / ROUND_TRIPS);
}

static void check_halted_round_trips(void)
{
	check_round_trips(true);
}

static void check_running_round_trips(void)
{
	check_round_trips(false);
}

/* ------------------------------------------------ halted, running; all of it */

static void spin(void *unused)
{
	(void)unused;
	asm volatile("sti" : : : "memory");
	while (!stop)
		cpu_pause();
	asm volatile("cli" : : : "memory");
}

/* @work: what the others do meanwhile, NULL for HLT. */
static void with_others(void (*work)(void *), void (*ask)(void))
{
	struct cpu *cpu;

	stop = false;
	for_each_other(cpu)
		if (work)
			smp_run(cpu, work, NULL);
	ask();
	stop = true;
	for_each_other(cpu)
		smp_join(cpu);
}

static void check_addressing(enum addressing mode)
{
	addressing = mode;
	smp_run_all(take_address, NULL);
	step("%s destinations, to CPUs that halt: fixed, lowest priority, NMI", names[mode]);
	with_others(NULL, check_destinations);
	step("... to CPUs that run");
	with_others(spin, check_destinations);
}

static void check_mode(void)
{
	step("by %s", x2apic ? "x2APIC" : "xAPIC");
	check_addressing(PHYSICAL);
	if (x2apic)
		check_addressing(X2APIC_CLUSTER);
	if (!x2apic && nr_cpus <= 8)
		check_addressing(FLAT);
	if (!x2apic && nr_cpus <= 60)
		check_addressing(CLUSTER);
	check_shorthands();
	check_illegal();
	step("%u round trips between two that halt", ROUND_TRIPS);
	with_others(NULL, check_halted_round_trips);
	step("%u round trips between two that run", ROUND_TRIPS);
	with_others(spin, check_running_round_trips);
}

GUEST("ipi")
{
	smp_init();
	smp_count(TRAP_NMI);
	smp_count(VECTOR);
	smp_count(FENCE);
	trap_hook(PING, on_ping);
	trap_hook(PONG, on_pong);
	trap_hook(WATCHDOG, on_watchdog);
	smp_start_all();
	check_mode();
	if (smp_switch_to_x2apic())
		check_mode();
	else
		skipped("no x2APIC");
}
