// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory type range registers, as a PC's firmware leaves them: all is write-back but the
 * hole for video below 1 MiB and the one for chips and PCI below 4 GiB.
 */
#include "lib/memory.h"
#include "mtrr.h"

#define PHYSBASE0 0x200
#define PHYSMASK0 0x201
#define FIX64K 0x250
#define FIX16K_80000 0x258
#define FIX16K_A0000 0x259
#define FIX4K 0x268			/* eight of them */
#define FIX4K_COUNT 8
#define DEF_TYPE 0x2ff

#define UNCACHED 0
#define WRITE_BACK 6
#define EACH(type) ((type) * 0x0101010101010101ULL)
#define VALID (1ULL << 11)
#define ENABLE (1ULL << 11)
#define ENABLE_FIXED (1ULL << 10)

void hv_mtrr_build(struct tinyvmx_msr msrs[HV_MTRR_COUNT], unsigned int gpa_bits)
{
	uint64_t hole = HV_GAP_END - HV_GAP_BEGIN;
	size_t n = 0;

	msrs[n++] = (struct tinyvmx_msr){ .index = FIX64K, .value = EACH(WRITE_BACK) };
	msrs[n++] = (struct tinyvmx_msr){ .index = FIX16K_80000, .value = EACH(WRITE_BACK) };
	msrs[n++] = (struct tinyvmx_msr){ .index = FIX16K_A0000, .value = EACH(UNCACHED) };
	for (unsigned int i = 0; i < FIX4K_COUNT; i++)
		msrs[n++] = (struct tinyvmx_msr){ .index = FIX4K + i, .value = EACH(WRITE_BACK) };
	msrs[n++] = (struct tinyvmx_msr){ .index = PHYSBASE0, .value = HV_GAP_BEGIN | UNCACHED };
	msrs[n++] = (struct tinyvmx_msr){
		.index = PHYSMASK0,
		.value = ((1ULL << gpa_bits) - hole) | VALID,
	};
	msrs[n++] = (struct tinyvmx_msr){
		.index = DEF_TYPE,
		.value = ENABLE | ENABLE_FIXED | WRITE_BACK,
	};
}
