// SPDX-License-Identifier: GPL-2.0-only
/* The console: COM1, polled, and a small printf. */
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

/* By hand: 32-bit code has no 64-bit division without libgcc. */
static u32 divide(u64 *n, u32 base)
{
	u32 high = *n >> 32, low = *n, rest = high % base;

	asm("divl %2" : "+a"(low), "+d"(rest) : "r"(base) : "cc");
	*n = (u64)(high / base) << 32 | low;
	return rest;
}

static void print_number(u64 n, u32 base, int width, char pad)
{
	char digits[20];
	int count = 0;

	do {
		digits[count++] = "0123456789abcdef"[divide(&n, base)];
	} while (n);
	while (width-- > count)
		console_putc(pad);
	while (count)
		console_putc(digits[--count]);
}

static void print_string(const char *s, int width)
{
	for (; *s; s++, width--)
		console_putc(*s);
	while (width-- > 0)
		console_putc(' ');
}

static u64 next_unsigned(va_list *args, int longs)
{
	if (longs == 2)
		return va_arg(*args, u64);
	if (longs == 1)
		return va_arg(*args, ulong);
	return va_arg(*args, u32);
}

static u64 next_magnitude(va_list *args, int longs)
{
	long long n = longs == 2 ? va_arg(*args, long long) :
		      longs == 1 ? va_arg(*args, long) : va_arg(*args, int);

	if (n < 0)
		console_putc('-');
	return n < 0 ? -(u64)n : (u64)n;
}

/* One conversion; returns the character behind it. */
static const char *convert(const char *f, va_list *args)
{
	char pad = *f == '0' ? '0' : ' ';
	int width = 0, longs = 0;

	while (*f == '-')
		f++;
	while (*f >= '0' && *f <= '9')
		width = width * 10 + *f++ - '0';
	while (*f == 'l') {
		longs++;
		f++;
	}
	switch (*f) {
	case 'd':
		print_number(next_magnitude(args, longs), 10, width, pad);
		break;
	case 'u':
		print_number(next_unsigned(args, longs), 10, width, pad);
		break;
	case 'x':
		print_number(next_unsigned(args, longs), 16, width, pad);
		break;
	case 'c':
		console_putc(va_arg(*args, int));
		break;
	case 's':
		print_string(va_arg(*args, const char *), width);
		break;
	default:
		console_putc(*f);
	}
	return f + 1;
}

/* %d %u %x with l and ll, %c, %s, %%; a width, with 0 to pad numbers. */
void vprint(const char *format, va_list args)
{
	va_list copy;

	va_copy(copy, args);
	while (*format) {
		if (*format == '%')
			format = convert(format + 1, &copy);
		else
			console_putc(*format++);
	}
	va_end(copy);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprint(format, args);
	va_end(args);
}
