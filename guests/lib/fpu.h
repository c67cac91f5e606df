/* SPDX-License-Identifier: GPL-2.0-only */
/* Switching the FPU and the extended states on. C code here never uses them. */
#ifndef GUEST_FPU_H
#define GUEST_FPU_H

#include "x86.h"

#define MXCSR_DEFAULT	0x1f80

static inline void fpu_enable(void)
{
	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	asm volatile("fninit");
}

static inline bool cpu_has_xsave(void)
{
	return cpuid(1, 0).ecx & (1U << 26);
}

/* XCR0 bits that CPUID offers; 0 without XSAVE. */
static inline u64 xcr0_supported(void)
{
	struct cpuid r;

	if (!cpu_has_xsave())
		return 0;
	r = cpuid(0xd, 0);
	return (u64)r.edx << 32 | r.eax;
}

/* The x87, SSE, AVX and AVX-512 states that exist, on; returns XCR0. */
static inline u64 fpu_enable_all(void)
{
	u64 want = xcr0_supported() & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512);

	fpu_enable();
	if (!want)
		return 0;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	xsetbv(0, want);
	return want;
}

static inline void ldmxcsr(u32 value)
{
	asm volatile("ldmxcsr %0" : : "m"(value));
}

static inline u32 stmxcsr(void)
{
	u32 value;

	asm volatile("stmxcsr %0" : "=m"(value));
	return value;
}

#endif
