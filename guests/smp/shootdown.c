// SPDX-License-Identifier: GPL-2.0-only
/*
 * shootdown: a page is mapped elsewhere while all CPUs read it. Whoever changes the entry sends
 * all others an interrupt; once all have acknowledged, nobody may see the old page any more.
 */
#include "../lib/paging.h"
#include "../lib/smp.h"

#define VECTOR		0x71
#define PAGE_VA		(8 * GIB)
#define FRAMES		(48 * MIB)	/* RAM beyond the image */
#define NR_FRAMES	8
#define ROUNDS		50		/* of each CPU */

static struct lock turn;		/* who may change the mapping */
static volatile u64 announced;		/* what the page holds at least: all have acknowledged */
static volatile u32 acknowledged;
static volatile u64 old_seen, future_seen, reads;

static u64 *frame(u64 round)
{
	return (u64 *)(FRAMES + round % NR_FRAMES * 4096);
}

static bool on_shootdown(struct trap_frame *trap)
{
	this_cpu()->taken[trap->vector]++;
	invlpg(PAGE_VA);
	__atomic_fetch_add(&acknowledged, 1, __ATOMIC_SEQ_CST);
	apic_write(APIC_EOI, 0);
	return true;
}

/* The order that counts: what is announced is read first. */
static void read_once(void)
{
	u64 least = announced, value = *(volatile u64 *)PAGE_VA;

	if (value < least)
		__atomic_fetch_add(&old_seen, 1, __ATOMIC_RELAXED);
	if (value > announced + 1)
		__atomic_fetch_add(&future_seen, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED);
}

/* Called with interrupts on and the turn taken. */
static void remap(void)
{
	u64 round = announced + 1;

	*frame(round) = round;
	acknowledged = 0;
	*paging_entry(PAGE_VA, LEVEL_4K) = (ulong)frame(round) | PTE_P | PTE_W;
	invlpg(PAGE_VA);
	asm volatile("cli" : : : "memory");
	apic_send(0, ICR_OTHERS | VECTOR);
	asm volatile("sti" : : : "memory");
	await((read_once(), acknowledged == nr_cpus - 1));
	announced = round;
}

/* A turn is waited for with interrupts on: its owner waits for the answer. */
static void shoot(void *unused)
{
	u32 i, k;

	(void)unused;
	asm volatile("sti" : : : "memory");
	for (i = 0; i < ROUNDS; i++) {
		lock_acquire(&turn);
		remap();
		lock_release(&turn);
		for (k = 0; k < 20; k++)
			read_once();
	}
	/* Others go on, and wait for us. */
	await((read_once(), announced == (u64)ROUNDS * nr_cpus));
	asm volatile("cli" : : : "memory");
}

static void check_rounds(void)
{
	struct cpu *cpu;

	step("by %s: %u CPUs map the page elsewhere, %u times each", x2apic ? "x2APIC" : "xAPIC",
	     nr_cpus, ROUNDS);
	smp_forget_counts();
	announced = 0;
	reads = 0;
	*frame(0) = 0;
	paging_map(PAGE_VA, (ulong)frame(0), LEVEL_4K, PTE_W);
	smp_run_all(shoot, NULL);
	check_eq(announced, (u64)ROUNDS * nr_cpus);
	check_eq(old_seen, 0);
	check_eq(future_seen, 0);
	for_each_cpu(cpu)
		check_eq(cpu->taken[VECTOR], ROUNDS * (nr_cpus - 1));
	print("  the page was read %llu times\n", reads);
}

/* Without the interrupt the old page may be seen: else all this would show nothing. */
static void peek(void *value)
{
	*(volatile u64 *)value = *(volatile u64 *)PAGE_VA;
}

static void check_stale(void)
{
	u64 before = 0, after = 0, flushed = 0;

	step("a page that is mapped elsewhere without telling, seen by another CPU");
	*frame(1) = 1;
	*frame(2) = 2;
	paging_map(PAGE_VA, (ulong)frame(1), LEVEL_4K, PTE_W);
	smp_run(&cpus[1], peek, &before);
	smp_join(&cpus[1]);
	paging_map(PAGE_VA, (ulong)frame(2), LEVEL_4K, PTE_W);
	smp_run(&cpus[1], peek, &after);
	smp_join(&cpus[1]);
	apic_send(0, ICR_OTHERS | VECTOR);
	check(wait_open(cpus[1].taken[VECTOR]));
	smp_run(&cpus[1], peek, &flushed);
	smp_join(&cpus[1]);
	check_eq(before, 1);
	check_eq(flushed, 2);
	print("  it has seen the %s one\n", after == 1 ? "old" : "new");
}

GUEST("shootdown")
{
	smp_init();
	trap_hook(VECTOR, on_shootdown);
	smp_start_all();
	check_stale();
	check_rounds();
	if (smp_switch_to_x2apic())
		check_rounds();
	else
		skipped("no x2APIC");
}
