// SPDX-License-Identifier: GPL-2.0-only
/* hpet: the main counter, and timer 0 one-shot and periodic in the PIT's place. */
#include "lib/pic.h"
#include "lib/trap.h"

#define HPET_BASE	0xfed00000UL
#define CAPABILITIES	0x000
#define CONFIGURATION	0x010
#define INTERRUPTS	0x020
#define COUNTER		0x0f0
#define TIMER0		0x100
#define COMPARATOR0	0x108

#define HAS_64BIT	(1ULL << 13)
#define HAS_LEGACY	(1ULL << 15)
#define ENABLE		(1ULL << 0)
#define LEGACY		(1ULL << 1)
#define TIMER_INTERRUPT	(1ULL << 2)
#define TIMER_PERIODIC	(1ULL << 3)
#define TIMER_CAN_REPEAT (1ULL << 4)
#define TIMER_SET_VALUE	(1ULL << 6)

#define PIT_CONTROL	0x43
#define PIT_WAIT_FOR_COUNT 0x30	/* counter 0, mode 0 */
#define VECTOR		0x60
#define PATIENCE	2000000000ULL	/* ticks */

static u64 capabilities;
static volatile u32 taken;

static u64 hpet_read(u32 offset)
{
	return *(volatile u64 *)(HPET_BASE + offset);
}

static u32 hpet_read32(u32 offset)
{
	return *(volatile u32 *)(HPET_BASE + offset);
}

static void hpet_write(u32 offset, u64 value)
{
	*(volatile u64 *)(HPET_BASE + offset) = value;
}

/* Counter ticks in @us microseconds; the period is in femtoseconds. */
static u64 ticks_in(u64 us)
{
	return us * 1000000000 / (capabilities >> 32);
}

static bool on_timer(struct trap_frame *frame)
{
	(void)frame;
	taken++;
	outb(PIC1_COMMAND, PIC_EOI);
	return true;
}

static bool wait_for(u32 times)
{
	u64 start = rdtsc();

	asm volatile("sti");
	while (taken < times && rdtsc() - start < PATIENCE)
		cpu_pause();
	asm volatile("cli");
	return taken >= times;
}

static void check_capabilities(void)
{
	u64 period = capabilities >> 32;

	step("capabilities 0x%llx: %llu kHz", capabilities, 1000000000000 / period);
	check(period > 0 && period <= 100000000);
	check(capabilities & HAS_LEGACY);
	check((capabilities >> 8 & 0x1f) >= 2);	/* three timers */
	check_eq(hpet_read32(CAPABILITIES), (u32)capabilities);
	check_eq(hpet_read32(CAPABILITIES + 4), period);
}

static void check_counter(void)
{
	u64 first, second;
	int i;

	step("the counter stands still, takes a value, and runs");
	hpet_write(CONFIGURATION, 0);
	hpet_write(COUNTER, 0x123456789);
	first = hpet_read(COUNTER);
	check_eq(first, capabilities & HAS_64BIT ? 0x123456789 : 0x23456789);
	check_eq(hpet_read32(COUNTER), 0x23456789);
	check_eq(hpet_read(COUNTER), first);
	hpet_write(CONFIGURATION, ENABLE);
	for (i = 0; i < 100; i++) {
		second = hpet_read(COUNTER);
		if (!check(second >= first))
			break;
		first = second;
	}
	check(second > 0x23456789);
}

/* The TSC counts the same time twice, by two spans of the counter. */
static void check_speed(void)
{
	u64 wanted[2] = { ticks_in(2000), ticks_in(8000) }, passed[2];
	int i;

	step("four times the span takes four times as long");
	for (i = 0; i < 2; i++) {
		u64 start = rdtsc(), begin = hpet_read(COUNTER);

		while (hpet_read(COUNTER) - begin < wanted[i])
			cpu_pause();
		passed[i] = rdtsc() - start;
	}
	print("  %llu and %llu ticks\n", passed[0], passed[1]);
	check(passed[1] > passed[0] * 2);
	check(passed[1] < passed[0] * 8);
}

static void pic_prepare(void)
{
	/* No tick of the PIT's, which a BIOS leaves running, while the HPET has not its place. */
	outb(PIT_CONTROL, PIT_WAIT_FOR_COUNT);
	outb(PIC1_COMMAND, 0x11);
	outb(PIC1_DATA, VECTOR);
	outb(PIC1_DATA, 4);
	outb(PIC1_DATA, 1);
	outb(PIC1_DATA, 0xfe);
	outb(PIC2_DATA, 0xff);
	trap_hook(VECTOR, on_timer);
}

static void check_one_shot(void)
{
	u64 deadline;

	step("timer 0, one-shot, by the legacy route: IRQ 0, not before its time");
	taken = 0;
	hpet_write(CONFIGURATION, 0);
	hpet_write(COUNTER, 0);
	hpet_write(TIMER0, TIMER_INTERRUPT);
	deadline = ticks_in(3000);
	hpet_write(COMPARATOR0, deadline);
	hpet_write(CONFIGURATION, ENABLE | LEGACY);
	check(wait_for(1));
	check(hpet_read(COUNTER) >= deadline);
	check_eq(taken, 1);
	check_eq(hpet_read(INTERRUPTS), 0);	/* edge-triggered: never set */
}

static void check_periodic(void)
{
	u64 period = ticks_in(2000), passed;

	step("timer 0, periodic");
	check(hpet_read(TIMER0) & TIMER_CAN_REPEAT);
	taken = 0;
	hpet_write(CONFIGURATION, 0);
	hpet_write(COUNTER, 0);
	hpet_write(TIMER0, TIMER_INTERRUPT | TIMER_PERIODIC | TIMER_SET_VALUE);
	hpet_write(COMPARATOR0, period);
	hpet_write(COMPARATOR0, period);
	hpet_write(CONFIGURATION, ENABLE | LEGACY);
	check(wait_for(5));
	passed = hpet_read(COUNTER);
	check(passed >= 5 * period);
	hpet_write(TIMER0, 0);
	hpet_write(CONFIGURATION, ENABLE);
	outb(PIC1_DATA, 0xff);
}

GUEST("hpet")
{
	capabilities = hpet_read(CAPABILITIES);
	if (!capabilities || !~capabilities)
		skip_guest("no HPET");
	check_capabilities();
	check_counter();
	check_speed();
	pic_prepare();
	check_one_shot();
	check_periodic();
}
