/* SPDX-License-Identifier: GPL-2.0-only */
/* The fixed-width types, alike in 16-, 32- and 64-bit code. */
#ifndef GUEST_TYPES_H
#define GUEST_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long ulong;	/* a general register outside real mode */

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __aligned(n)	__attribute__((aligned(n)))
#define __packed	__attribute__((packed))
#define __noreturn	__attribute__((noreturn))
#define __noinline	__attribute__((noinline))
#define __printf(f, a)	__attribute__((format(printf, f, a)))

#define KIB	1024UL
#define MIB	(1024 * KIB)
#define GIB	(1024 * MIB)

#endif
