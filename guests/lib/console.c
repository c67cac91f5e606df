// SPDX-License-Identifier: GPL-2.0-only
/* The console: COM1, polled. */
#include "guest.h"
#include "segments.h"

#define UART_DATA	(PORT_COM1 + 0)
#define UART_IER	(PORT_COM1 + 1)
#define UART_FCR	(PORT_COM1 + 2)
#define UART_LCR	(PORT_COM1 + 3)
#define UART_MCR	(PORT_COM1 + 4)
#define UART_LSR	(PORT_COM1 + 5)
#define LCR_8N1		0x03
#define LCR_DLAB	0x80
#define LSR_THR_EMPTY	0x20
#define LSR_IDLE	0x40

void console_init(void)
{
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_DLAB | LCR_8N1);
	outb(UART_DATA, 1);	/* divisor 1: 115200 baud */
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	outb(UART_FCR, 0x07);	/* FIFOs on and empty */
	outb(UART_MCR, 0x03);
}

/* In real mode CS is 0 here. */
static bool in_ring3(void)
{
	u32 cs;

	asm("mov %%cs, %0" : "=r"(cs));
	return (cs & 3) == 3;
}

/* Ring 3 has no ports: it asks ring 0. */
static void user_putc(char c)
{
	asm volatile("int %0" : : "i"(USER_PRINT_VECTOR), "a"(c) : "memory");
}

void console_putc(char c)
{
	if (in_ring3()) {
		user_putc(c);
		return;
	}
	if (c == '\n')
		console_putc('\r');
	while (!(inb(UART_LSR) & LSR_THR_EMPTY))
		cpu_pause();
	outb(UART_DATA, c);
}

void console_drain(void)
{
	while (!(inb(UART_LSR) & LSR_IDLE))
		cpu_pause();
}
