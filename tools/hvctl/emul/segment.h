/* SPDX-License-Identifier: GPL-2.0-only */
/* What a segment forbids outside 64-bit mode. */
#ifndef HV_EMUL_SEGMENT_H
#define HV_EMUL_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "tinyvmx.h"

/*
 * May @width bytes at @offset of @segment be read, or written? @cr0: real mode looks at
 * limits alone. If not, it is #SS(0) through SS, else #GP(0).
 */
bool hv_segment_allows(const struct tinyvmx_segment *segment, uint64_t cr0, uint64_t offset,
		       unsigned int width, bool write);

#endif
