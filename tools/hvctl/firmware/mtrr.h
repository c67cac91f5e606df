/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory types that firmware tells the CPU of: RAM is write-back, the rest is not cached. */
#ifndef HV_FIRMWARE_MTRR_H
#define HV_FIRMWARE_MTRR_H

#include <stddef.h>

#include "tinyvmx.h"

#define HV_MTRR_COUNT 14

/* Fill @msrs, in the order in which they are to be set. @gpa_bits: the guest's MAXPHYADDR. */
void hv_mtrr_build(struct tinyvmx_msr msrs[HV_MTRR_COUNT], unsigned int gpa_bits);

#endif
