// SPDX-License-Identifier: GPL-2.0-only
/* ioapic: redirection entries, edge and level, remote IRR, and the EOI that ends it. */
#include "lib/apic.h"
#include "lib/trap.h"

#define IOAPIC_SELECT	0xfec00000UL
#define IOAPIC_WINDOW	0xfec00010UL
#define IOAPIC_ID	0x00
#define IOAPIC_VERSION	0x01
#define IOAPIC_ENTRY(n)	(0x10 + 2 * (n))
#define ENTRY_LEVEL	(1U << 15)
#define ENTRY_REMOTE_IRR (1U << 14)
#define ENTRY_MASKED	(1U << 16)
#define ENTRY_NMI	(4U << 8)
#define LVT_NMI		0x400

#define SPURIOUS_VECTOR	0xff

#define PIC1_COMMAND	0x20
#define PIC1_DATA	0x21
#define PIC2_DATA	0xa1
#define PIT_CHANNEL0	0x40
#define PIT_COMMAND	0x43
#define PIT_HZ		1193182
#define UART_IER	(PORT_COM1 + 1)
#define UART_MCR	(PORT_COM1 + 4)
#define IER_THR_EMPTY	0x02
#define MCR_OUT2	0x08
#define MCR_NORMAL	0x03

#define PIN_PIT		2	/* the PC's habit: ISA IRQ 0 is pin 2 */
#define PIN_UART	4
#define VECTOR_PIT	0x60
#define VECTOR_UART	0x71
#define PATIENCE	2000000000ULL	/* ticks */

bool x2apic;
static volatile u32 taken[256];
static volatile bool quench = true;

static u32 ioapic_read(u8 index)
{
	*(volatile u32 *)IOAPIC_SELECT = index;
	return *(volatile u32 *)IOAPIC_WINDOW;
}

static void ioapic_write(u8 index, u32 value)
{
	*(volatile u32 *)IOAPIC_SELECT = index;
	*(volatile u32 *)IOAPIC_WINDOW = value;
}

static void set_entry(int pin, u32 low)
{
	ioapic_write(IOAPIC_ENTRY(pin) + 1, apic_read(APIC_ID));
	ioapic_write(IOAPIC_ENTRY(pin), low);
}

static bool on_interrupt(struct trap_frame *frame)
{
	taken[frame->vector]++;
	if (frame->vector == VECTOR_UART && quench)
		outb(UART_IER, 0);
	apic_write(APIC_EOI, 0);
	return true;
}

static void let_in(void)
{
	asm volatile("sti; nop; nop; cli" : : : "memory");
}

static bool wait_for(u8 vector, u32 times)
{
	u64 start = rdtsc();

	asm volatile("sti");
	while (taken[vector] < times && rdtsc() - start < PATIENCE)
		cpu_pause();
	asm volatile("cli");
	return taken[vector] >= times;
}

static void check_registers(void)
{
	u32 version = ioapic_read(IOAPIC_VERSION), i;

	step("version 0x%x: %u pins; entries keep what may be written", version,
	     (version >> 16 & 0xff) + 1);
	check((version >> 16 & 0xff) >= 23);
	for (i = 0; i < 24; i++)
		check_eq(ioapic_read(IOAPIC_ENTRY(i)) & ENTRY_MASKED, ENTRY_MASKED);
	ioapic_write(IOAPIC_ENTRY(5), ENTRY_MASKED | ENTRY_REMOTE_IRR | 0x1000 | 0xabcd);
	check_eq(ioapic_read(IOAPIC_ENTRY(5)), ENTRY_MASKED | (0xabcd & ~0x5000));
	ioapic_write(IOAPIC_ENTRY(5) + 1, 0x12000000);
	check_eq(ioapic_read(IOAPIC_ENTRY(5) + 1) & 0xff000000, 0x12000000);
	ioapic_write(IOAPIC_ENTRY(5), ENTRY_MASKED);
}

static void check_edge(void)
{
	u32 before;

	step("edge: the PIT on pin 2");
	outb(PIT_COMMAND, 0x34);
	outb(PIT_CHANNEL0, (PIT_HZ / 1000) & 0xff);
	outb(PIT_CHANNEL0, (PIT_HZ / 1000) >> 8);
	set_entry(PIN_PIT, VECTOR_PIT);
	check(wait_for(VECTOR_PIT, 5));
	step("masked: no more of them");
	set_entry(PIN_PIT, ENTRY_MASKED | VECTOR_PIT);
	let_in();
	before = taken[VECTOR_PIT];
	let_in();
	check(!wait_for(VECTOR_UART, 1) && taken[VECTOR_PIT] == before);
}

static void uart_assert(void)
{
	console_drain();
	outb(UART_MCR, MCR_NORMAL | MCR_OUT2);
	outb(UART_IER, IER_THR_EMPTY);
}

static void check_level(void)
{
	step("level: remote IRR from delivery to EOI");
	set_entry(PIN_UART, ENTRY_LEVEL | VECTOR_UART);
	uart_assert();
	check_eq(ioapic_read(IOAPIC_ENTRY(PIN_UART)) & ENTRY_REMOTE_IRR, ENTRY_REMOTE_IRR);
	let_in();
	check_eq(taken[VECTOR_UART], 1);
	check_eq(ioapic_read(IOAPIC_ENTRY(PIN_UART)) & ENTRY_REMOTE_IRR, 0);
	step("level: as long as the line is up, once more behind every EOI");
	quench = false;
	taken[VECTOR_UART] = 0;
	uart_assert();
	check(wait_for(VECTOR_UART, 3));
	outb(UART_IER, 0);
	quench = true;
	let_in();
	let_in();
	set_entry(PIN_UART, ENTRY_MASKED | VECTOR_UART);
	outb(UART_MCR, MCR_NORMAL);
}

static bool on_nmi(struct trap_frame *frame)
{
	taken[frame->vector]++;
	return true;
}

/* A PC that is dead to interrupts, but for those that cannot be closed. */
static void check_nmi(void)
{
	step("HLT with interrupts off: a pin with delivery mode NMI ends it");
	trap_hook(TRAP_NMI, on_nmi);
	outb(PIT_COMMAND, 0x30);	/* one-shot */
	set_entry(PIN_PIT, ENTRY_NMI);
	outb(PIT_CHANNEL0, (PIT_HZ / 100) & 0xff);
	outb(PIT_CHANNEL0, (PIT_HZ / 100) >> 8);
	asm volatile("cli; hlt");
	check_eq(taken[TRAP_NMI], 1);
	set_entry(PIN_PIT, ENTRY_MASKED);
	step("... and so does the 8259s' INTR, with LINT0 as NMI");
	outb(PIT_COMMAND, 0x30);
	outb(PIC1_COMMAND, 0x11);	/* ICW1: forgets the edges it has seen */
	outb(PIC1_DATA, 0x20);
	outb(PIC1_DATA, 0x04);
	outb(PIC1_DATA, 0x01);
	outb(PIC1_DATA, 0xfe);
	apic_write(APIC_LVT_LINT0, LVT_NMI);
	outb(PIT_CHANNEL0, (PIT_HZ / 100) & 0xff);
	outb(PIT_CHANNEL0, (PIT_HZ / 100) >> 8);
	asm volatile("cli; hlt");
	check_eq(taken[TRAP_NMI], 2);
	outb(PIC1_DATA, 0xff);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
}

GUEST("ioapic")
{
	if (!(cpuid(1, 0).edx & 1 << 9))
		skip_guest("no local APIC");
	if (ioapic_read(IOAPIC_VERSION) == ~0U)
		skip_guest("no I/O APIC");
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | SPURIOUS_VECTOR);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_TPR, 0);
	trap_hook(VECTOR_PIT, on_interrupt);
	trap_hook(VECTOR_UART, on_interrupt);
	check_registers();
	check_edge();
	check_level();
	check_nmi();
}
