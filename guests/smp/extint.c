// SPDX-License-Identifier: GPL-2.0-only
/*
 * extint: interrupts from outside: the 8259s' INTR goes to the BSP, whatever others make of
 * their LINT0; the I/O APIC's go to whom the entry says.
 */
#include "../lib/pic.h"
#include "../lib/smp.h"

#define PIT_CHANNEL0	0x40
#define PIT_COMMAND	0x43
#define PIT_RATE	0x34	/* channel 0, both bytes, mode 2 */
#define PIT_COUNT	11932	/* 100 Hz */

#define IOAPIC		0xfec00000UL
#define IOAPIC_WINDOW	0x10
#define IOAPIC_ENTRY(pin) (0x10 + 2 * (pin))
#define IOAPIC_PIT	2
#define IOAPIC_LOGICAL	0x800
#define IOAPIC_MASKED	0x10000

#define EXTINT_VECTOR	0x50
#define PIN_VECTOR	0x61
#define TICKS		10

static bool on_extint(struct trap_frame *frame)
{
	this_cpu()->taken[frame->vector]++;
	outb(PIC1_COMMAND, PIC_EOI);
	return true;
}

static void pit_start(void)
{
	outb(PIT_COMMAND, PIT_RATE);
	outb(PIT_CHANNEL0, PIT_COUNT & 0xff);
	outb(PIT_CHANNEL0, PIT_COUNT >> 8);
}

static void ioapic_write(u8 index, u32 value)
{
	*(volatile u32 *)IOAPIC = index;
	*(volatile u32 *)(IOAPIC + IOAPIC_WINDOW) = value;
}

static void route(u32 dest, u32 low)
{
	ioapic_write(IOAPIC_ENTRY(IOAPIC_PIT) + 1, dest << 24);
	ioapic_write(IOAPIC_ENTRY(IOAPIC_PIT), low);
}

/* As if INTR were wired to it. */
static void open_lint0(void *unused)
{
	(void)unused;
	apic_write(APIC_LVT_LINT0, LVT_EXTINT);
}

static void check_only(const struct cpu *wanted, u8 vector)
{
	struct cpu *cpu;

	for_each_cpu(cpu)
		if (cpu != wanted)
			check_eq(cpu->taken[vector], 0);
	check(wanted->taken[vector] >= TICKS);
}

static void check_extint(void)
{
	step("ExtINT: the BSP alone, though all have opened their LINT0");
	smp_forget_counts();
	smp_run_all(open_lint0, NULL);
	outb(PIC1_DATA, 0xfe);
	check(wait_open(cpus[0].taken[EXTINT_VECTOR] >= TICKS));
	check_only(&cpus[0], EXTINT_VECTOR);
	step("... and nobody, when the BSP has masked it");
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	smp_forget_counts();
	asm volatile("sti" : : : "memory");
	ap_delay(20000000);
	asm volatile("cli" : : : "memory");
	outb(PIC1_DATA, 0xff);
	check_eq(cpus[0].taken[EXTINT_VECTOR] + cpus[nr_cpus - 1].taken[EXTINT_VECTOR], 0);
}

static void check_pin(u32 dest, u32 low, const struct cpu *wanted)
{
	smp_forget_counts();
	route(dest, low | PIN_VECTOR);
	check(wait_open(wanted->taken[PIN_VECTOR] >= TICKS));
	route(0, IOAPIC_MASKED);
	check_only(wanted, PIN_VECTOR);
}

static void take_address(void *unused)
{
	(void)unused;
	apic_write(APIC_LDR, 1U << (this_cpu()->index & 7) << 24);
}

GUEST("extint")
{
	struct cpu *last;

	smp_init();
	last = &cpus[nr_cpus - 1];
	trap_hook(EXTINT_VECTOR, on_extint);
	trap_hook(EXTINT_VECTOR + 7, on_extint);
	smp_count(PIN_VECTOR);
	smp_start_all();
	pic_start(EXTINT_VECTOR);
	pit_start();
	check_extint();
	step("a pin of the I/O APIC: to the BSP, to the last CPU");
	check_pin(cpus[0].apic_id, 0, &cpus[0]);
	check_pin(last->apic_id, 0, last);
	step("... by a logical destination");
	smp_run_all(take_address, NULL);
	if (nr_cpus <= 8)
		check_pin(1U << last->index, IOAPIC_LOGICAL, last);
}
