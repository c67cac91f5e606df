/* SPDX-License-Identifier: GPL-2.0-only */
/* Text and memory: what a C program expects of its surroundings. */
#ifndef GUEST_PRINT_H
#define GUEST_PRINT_H

#include "types.h"

void console_putc(char c);
void print(const char *format, ...) __printf(1, 2);
void vprint(const char *format, va_list args);

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
int strcmp(const char *a, const char *b);
size_t strlen(const char *s);

#endif
