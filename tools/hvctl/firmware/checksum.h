/* SPDX-License-Identifier: GPL-2.0-only */
/* The checksum of all tables that firmware writes. */
#ifndef HV_FIRMWARE_CHECKSUM_H
#define HV_FIRMWARE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The byte that makes the sum of @bytes, together with it, zero. */
static inline uint8_t hv_checksum(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return (uint8_t)-sum;
}

#endif
