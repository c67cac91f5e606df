// SPDX-License-Identifier: GPL-2.0-only
/* A small printf on top of console_putc(). */
#include "print.h"

/* By hand: 32-bit code has no 64-bit division without libgcc. */
static u32 divide(u64 *n, u32 base)
{
	u32 high = *n >> 32, low = *n, rest = high % base;

	asm("divl %2" : "+a"(low), "+d"(rest) : "r"(base) : "cc");
	*n = (u64)(high / base) << 32 | low;
	return rest;
}

static void print_number(u64 n, bool negative, u32 base, int width, char pad)
{
	char digits[24];
	int count = 0;

	do {
		digits[count++] = "0123456789abcdef"[divide(&n, base)];
	} while (n);
	if (negative)
		digits[count++] = '-';
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

static long long next_signed(va_list *args, int longs)
{
	if (longs == 2)
		return va_arg(*args, long long);
	if (longs == 1)
		return va_arg(*args, long);
	return va_arg(*args, int);
}

/* One conversion; returns the character behind it. */
static const char *convert(const char *f, va_list *args)
{
	char pad = *f == '0' ? '0' : ' ';
	int width = 0, longs = 0;
	long long n;

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
		n = next_signed(args, longs);
		print_number(n < 0 ? -(u64)n : (u64)n, n < 0, 10, width, pad);
		break;
	case 'u':
		print_number(next_unsigned(args, longs), false, 10, width, pad);
		break;
	case 'x':
		print_number(next_unsigned(args, longs), false, 16, width, pad);
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
