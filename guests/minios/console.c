// SPDX-License-Identifier: GPL-2.0-only
/* The console: COM1, polled. What is typed waits in a ring until somebody reads. */
#include "kernel.h"

#define COM1		0x3f8
#define UART_DATA	(COM1 + 0)	/* divisor low with DLAB */
#define UART_IER	(COM1 + 1)	/* divisor high with DLAB */
#define UART_FCR	(COM1 + 2)
#define UART_LCR	(COM1 + 3)
#define UART_MCR	(COM1 + 4)
#define UART_LSR	(COM1 + 5)

#define FCR_ENABLE_CLEAR	0x07
#define LCR_8N1			0x03
#define LCR_DLAB		0x80
#define MCR_DTR_RTS		0x03
#define LSR_DATA		0x01
#define LSR_THR_EMPTY		0x20

#define RING	1024

static char ring[RING];
static u32 ring_head, ring_tail;

void console_init(void)
{
	outb(UART_IER, 0);
	outb(UART_FCR, FCR_ENABLE_CLEAR);
	outb(UART_LCR, LCR_DLAB);
	outb(UART_DATA, 1);		/* 115200 baud */
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	outb(UART_MCR, MCR_DTR_RTS);
}

void console_putc(char c)
{
	if (c == '\n')
		console_putc('\r');
	while (!(inb(UART_LSR) & LSR_THR_EMPTY))
		cpu_pause();
	outb(UART_DATA, c);
}

/* Empty the FIFO, which is short; what does not fit here stays in there. */
void console_poll(void)
{
	while (ring_head - ring_tail < RING && inb(UART_LSR) & LSR_DATA)
		ring[ring_head++ % RING] = inb(UART_DATA);
}

bool console_getc(char *c)
{
	console_poll();
	if (ring_head == ring_tail)
		return false;
	*c = ring[ring_tail++ % RING];
	return true;
}
