/* SPDX-License-Identifier: GPL-2.0-only */
/* The stub that takes a NimbOS kernel from real mode to its first instruction. */
#ifndef HV_LOAD_NIMBOS_STUB_H
#define HV_LOAD_NIMBOS_STUB_H

#define HV_NIMBOS_STUB_GPA 0x8000	/* linked for, entered at */
#define HV_NIMBOS_KERNEL_GPA 0x200000
#define HV_NIMBOS_ESP 0x7000
#define HV_NIMBOS_EAX 0x2badb002
#define HV_NIMBOS_EBX 0x3000

#ifndef __ASSEMBLER__
#include <stdint.h>

extern const uint8_t hv_nimbos_stub[], hv_nimbos_stub_end[];
#endif

#endif
