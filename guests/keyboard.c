// SPDX-License-Identifier: GPL-2.0-only
/*
 * keyboard: what is typed, by polling and by IRQ 1, in sets 1 and 2. It says on the screen
 * what it waits for, so it wants --display text and somebody there who types: aB, then the
 * arrow up, then x.
 */
#include "lib/screen.h"
#include "lib/trap.h"

#define DATA		0x60
#define STATUS		0x64
#define COMMAND		0x64
#define STATUS_FULL	0x01
#define READ_MODE	0x20
#define WRITE_MODE	0x60
#define MODE_IRQ	0x01
#define MODE_TRANSLATE	0x40
#define ACK		0xfa
#define SET_LEDS	0xed
#define IDENTIFY	0xf2

#define PIC1_COMMAND	0x20
#define PIC1_DATA	0x21
#define PIC_EOI		0x20
#define BASE		0x60
#define IRQ		1
#define PATIENCE	20000000000ULL	/* ticks: a person's */

static volatile u8 came[16];
static volatile u32 count;

/* The next byte, or 100H if none comes. */
static u32 poll(void)
{
	u64 start = rdtsc();

	while (!(inb(STATUS) & STATUS_FULL))
		if (rdtsc() - start > PATIENCE)
			return 0x100;
	return inb(DATA);
}

static void expect_polled(const u8 *bytes, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		require(check_eq(poll(), bytes[i]));
}

static u8 mode(void)
{
	outb(COMMAND, READ_MODE);
	return poll();
}

static void set_mode(u8 value)
{
	outb(COMMAND, WRITE_MODE);
	outb(DATA, value);
}

static void commands(void)
{
	step("it knows who it is, and lights its LEDs");
	check_eq(mode() & (MODE_IRQ | MODE_TRANSLATE), MODE_IRQ | MODE_TRANSLATE);
	outb(DATA, IDENTIFY);
	expect_polled((const u8[]){ ACK, 0xab, 0x41 }, 3);
	outb(DATA, SET_LEDS);
	check_eq(poll(), ACK);
	outb(DATA, 2);
	check_eq(poll(), ACK);
}

static void by_polling(void)
{
	step("keys by polling, in set 1");
	screen_print("polling\n");
	expect_polled((const u8[]){ 0x1e, 0x9e, 0x2a, 0x30, 0xb0, 0xaa }, 6);
}

static bool on_irq(struct trap_frame *frame)
{
	(void)frame;
	if (count < sizeof(came))
		came[count] = inb(DATA);
	count++;
	outb(PIC1_COMMAND, PIC_EOI);
	return true;
}

static void by_interrupt(void)
{
	static const u8 up[] = { 0xe0, 0x48, 0xe0, 0xc8 };
	u64 start = rdtsc();
	u32 i;

	step("keys by IRQ 1, a byte an interrupt");
	outb(PIC1_COMMAND, 0x11);
	outb(PIC1_DATA, BASE);
	outb(PIC1_DATA, 4);
	outb(PIC1_DATA, 1);
	outb(PIC1_DATA, 0xff & ~(1 << IRQ));
	trap_hook(BASE + IRQ, on_irq);
	screen_print("interrupts\n");
	while (count < sizeof(up) && rdtsc() - start < PATIENCE)
		asm volatile("sti; hlt; cli" : : : "memory");
	outb(PIC1_DATA, 0xff);
	check_eq(count, sizeof(up));
	for (i = 0; i < sizeof(up); i++)
		check_eq(came[i], up[i]);
}

static void untranslated(void)
{
	step("keys in set 2");
	set_mode(mode() & ~(MODE_TRANSLATE | MODE_IRQ));
	screen_print("set 2\n");
	expect_polled((const u8[]){ 0x22, 0xf0, 0x22 }, 3);
}

GUEST("keyboard")
{
	if (inb(STATUS) == 0xff)
		skip_guest("there is no keyboard controller");
	commands();
	by_polling();
	by_interrupt();
	untranslated();
	screen_print("done\n");
}
