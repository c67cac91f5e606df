// SPDX-License-Identifier: GPL-2.0-only
/* The few functions that a freestanding compiler expects to find. */
#include "print.h"

void *memset(void *to, int byte, size_t n)
{
	u8 *p = to;

	while (n--) {
		*p++ = byte;
		asm volatile("" : : : "memory");	/* or this becomes memset() */
	}
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	const u8 *q = from;
	u8 *p = to;

	while (n--) {
		*p++ = *q++;
		asm volatile("" : : : "memory");
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n; n--, p++, q++) {
		if (*p != *q)
			return *p - *q;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}
