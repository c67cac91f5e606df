/* SPDX-License-Identifier: GPL-2.0-only */
/* What the C library lacks. */
#ifndef HV_LIB_UTIL_H
#define HV_LIB_UTIL_H

#include <stdint.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* @align: a power of two */
static inline uint64_t hv_align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/* Nothing if there is none: -1. */
static inline void hv_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

#endif
