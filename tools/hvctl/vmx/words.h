/* SPDX-License-Identifier: GPL-2.0-only */
/* A text that grows in a caller's buffer and keeps counting when it is full. */
#ifndef HV_VMX_WORDS_H
#define HV_VMX_WORDS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct vmx_words {
	char *buf;
	size_t size;
	size_t used;			/* of the whole text, as snprintf() counts */
};

static inline void __attribute__((format(printf, 2, 3)))
vmx_say(struct vmx_words *words, const char *format, ...)
{
	size_t at = words->used < words->size ? words->used : words->size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(words->size ? words->buf + at : NULL, words->size - at, format, args);
	va_end(args);
	if (n > 0)
		words->used += (size_t)n;
}

#endif
