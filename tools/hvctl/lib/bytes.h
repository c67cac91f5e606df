/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as they lie in files and tables: little-endian, of any length, at any address. */
#ifndef HV_LIB_BYTES_H
#define HV_LIB_BYTES_H

#include <stdint.h>

static inline uint64_t hv_get_le(const void *from, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | ((const uint8_t *)from)[bytes];
	return value;
}

static inline void hv_put_le(void *to, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		((uint8_t *)to)[i] = (uint8_t)(value >> 8 * i);
}

#endif
