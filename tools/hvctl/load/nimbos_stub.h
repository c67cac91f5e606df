/* SPDX-License-Identifier: GPL-2.0-only */
/* The stub that takes a NimbOS kernel from real mode to its first instruction. */
#ifndef HV_NIMBOS_STUB_H
#define HV_NIMBOS_STUB_H

#include <stdint.h>

#define HV_NIMBOS_STUB_GPA 0x8000

extern const uint8_t hv_nimbos_stub[], hv_nimbos_stub_end[];

#endif
