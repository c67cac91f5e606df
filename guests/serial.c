// SPDX-License-Identifier: GPL-2.0-only
/*
 * serial: COM2 by interrupt, on the line that it shares with COM4; what is typed there comes
 * back. It wants --serial COM2:stdio --serial COM4:null, so COM1 is unplugged and heard by nobody.
 */
#include "lib/trap.h"

#define COM2		0x2f8
#define COM3		0x3e8
#define COM4		0x2e8
#define DATA		0
#define IER		1
#define IIR		2
#define FCR		2
#define MCR		4
#define LSR		5
#define SCRATCH		7
#define IER_DATA	0x01
#define IER_THR_EMPTY	0x02
#define IIR_MASK	0x0f
#define IIR_NONE	0x01
#define IIR_THR_EMPTY	0x02
#define MCR_DTR_RTS_OUT2 0x0b
#define LSR_DATA	0x01
#define FIFO		16

#define PIC1_COMMAND	0x20
#define PIC1_DATA	0x21
#define PIC_EOI		0x20
#define BASE		0x60
#define IRQ		3
#define PATIENCE	2000000000ULL	/* ticks */

static volatile u32 taken[2];		/* from COM2, from COM4 */
static char line[64];
static volatile u32 received;
static const char *to_send;

/* As many as the FIFO takes; behind the last the interrupt is not wanted any more. */
static void send_some(void)
{
	int i;

	for (i = 0; i < FIFO && *to_send; i++)
		outb(COM2 + DATA, *to_send++);
	if (!i)
		outb(COM2 + IER, IER_DATA);
}

static void serve_com2(u8 reason)
{
	taken[0]++;
	if (reason == IIR_THR_EMPTY)
		send_some();
	while (inb(COM2 + LSR) & LSR_DATA && received < sizeof(line) - 1)
		line[received++] = inb(COM2 + DATA);
}

/* Edge-triggered and shared: look at both until neither wants anything. */
static bool on_irq(struct trap_frame *frame)
{
	u8 com2, com4;

	(void)frame;
	do {
		com2 = inb(COM2 + IIR) & IIR_MASK;
		if (com2 != IIR_NONE)
			serve_com2(com2);
		com4 = inb(COM4 + IIR) & IIR_MASK;
		if (com4 != IIR_NONE)
			taken[1]++;
	} while (com2 != IIR_NONE || com4 != IIR_NONE);
	outb(PIC1_COMMAND, PIC_EOI);
	return true;
}

static void prepare(void)
{
	outb(PIC1_COMMAND, 0x11);
	outb(PIC1_DATA, BASE);
	outb(PIC1_DATA, 4);
	outb(PIC1_DATA, 1);
	outb(PIC1_DATA, 0xff & ~(1 << IRQ));
	trap_hook(BASE + IRQ, on_irq);
	outb(COM2 + FCR, 0x07);
	outb(COM2 + MCR, MCR_DTR_RTS_OUT2);
	outb(COM4 + MCR, MCR_DTR_RTS_OUT2);
}

static void let_in(void)
{
	asm volatile("sti; nop; nop; cli" : : : "memory");
}

static void send(const char *text)
{
	u64 start = rdtsc();

	to_send = text;
	outb(COM2 + IER, IER_DATA | IER_THR_EMPTY);
	while (*to_send && rdtsc() - start < PATIENCE)
		let_in();
	check(!*to_send);
}

GUEST("serial")
{
	u64 start = rdtsc();

	outb(COM2 + SCRATCH, 0x5a);
	require(inb(COM2 + SCRATCH) == 0x5a);
	check_eq(inb(COM3 + SCRATCH), 0xff);
	prepare();
	send("by interrupt, and in more pieces than one\r\n");
	check(taken[0] >= 3);
	outb(COM4 + IER, IER_THR_EMPTY);
	let_in();
	check_eq(taken[1], 1);
	while ((!received || line[received - 1] != '\r') && rdtsc() - start < PATIENCE)
		let_in();
	send("heard ");
	send(line);
	send("\n");
}
