/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers of a vCPU as gdb numbers them, and the description by which it knows how. */
#ifndef HV_DEBUG_GDB_REGS_H
#define HV_DEBUG_GDB_REGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tinyvmx.h"

/*
 * Of an XSAVE image in standard format: legacy region, header, the upper halves of YMM0 to YMM15.
 */
#define HV_GDB_FPU_LEGACY 512
#define HV_GDB_FPU_SSE	  576
#define HV_GDB_FPU_AVX	  832

/* All that gdb may ask for, of one vCPU. */
struct hv_gdb_cpu {
	struct tinyvmx_regs regs;
	struct tinyvmx_sregs sregs;
	uint64_t kernel_gs_base;	/* IA32_KERNEL_GS_BASE */
	uint8_t fpu[HV_GDB_FPU_AVX];
};

/* Which of those a register was in that was written. */
#define HV_GDB_WROTE_REGS  (1U << 0)
#define HV_GDB_WROTE_SREGS (1U << 1)
#define HV_GDB_WROTE_MSR   (1U << 2)
#define HV_GDB_WROTE_FPU   (1U << 3)

enum hv_gdb_arch {
	HV_GDB_I8086,			/* registers as of the next, 16-bit code */
	HV_GDB_I386,
	HV_GDB_X86_64
};

#define HV_GDB_REGS_MAX	     100
#define HV_GDB_REG_BYTES_MAX 16

struct hv_gdb_reg {
	const char *name;
	const char *type;		/* by the name that the description has for it */
	uint8_t feature;
	uint8_t kind;
	uint8_t bytes;			/* as gdb sees it, and ... */
	uint8_t kept;			/* ... as it is kept: from the lowest on, others read 0 */
	uint16_t at;			/* there in struct hv_gdb_cpu */
};

struct hv_gdb_regs {
	enum hv_gdb_arch arch;
	unsigned int count;
	struct hv_gdb_reg reg[HV_GDB_REGS_MAX];
};

/* Those of @arch; @avx: with YMM. */
void hv_gdb_regs_init(struct hv_gdb_regs *regs, enum hv_gdb_arch arch, bool avx);

/* XML, to be freed; NULL: no memory. */
char *hv_gdb_regs_describe(const struct hv_gdb_regs *regs);

/* Register @n, which there is, in the guest's byte order. Returns how many bytes. */
size_t hv_gdb_reg_get(const struct hv_gdb_regs *regs, unsigned int n, const struct hv_gdb_cpu *cpu,
		      uint8_t bytes[HV_GDB_REG_BYTES_MAX]);

/*
 * Write it. Returns HV_GDB_WROTE_*, 0 if it has that value already; -1: it cannot be written: a
 * selector alone does not make a segment.
 */
int hv_gdb_reg_set(const struct hv_gdb_regs *regs, unsigned int n, struct hv_gdb_cpu *cpu,
		   const uint8_t bytes[HV_GDB_REG_BYTES_MAX]);

/* What XSAVE has left out, being as after a reset, is in the image, too, and counts as there. */
void hv_gdb_fpu_fill(uint8_t *fpu, bool avx);

#endif
