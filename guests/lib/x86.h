/* SPDX-License-Identifier: GPL-2.0-only */
/* The instructions and register bits that C has no words for. */
#ifndef GUEST_X86_H
#define GUEST_X86_H

#include "types.h"

#define CR0_PE	(1UL << 0)
#define CR0_MP	(1UL << 1)
#define CR0_EM	(1UL << 2)
#define CR0_TS	(1UL << 3)
#define CR0_ET	(1UL << 4)
#define CR0_NE	(1UL << 5)
#define CR0_WP	(1UL << 16)
#define CR0_AM	(1UL << 18)
#define CR0_NW	(1UL << 29)
#define CR0_CD	(1UL << 30)
#define CR0_PG	(1UL << 31)

#define CR4_TSD		(1UL << 2)
#define CR4_DE		(1UL << 3)
#define CR4_PSE		(1UL << 4)
#define CR4_PAE		(1UL << 5)
#define CR4_PGE		(1UL << 7)
#define CR4_PCE		(1UL << 8)
#define CR4_OSFXSR	(1UL << 9)
#define CR4_OSXMMEXCPT	(1UL << 10)
#define CR4_UMIP	(1UL << 11)
#define CR4_VMXE	(1UL << 13)
#define CR4_FSGSBASE	(1UL << 16)
#define CR4_PCIDE	(1UL << 17)
#define CR4_OSXSAVE	(1UL << 18)
#define CR4_SMEP	(1UL << 20)
#define CR4_SMAP	(1UL << 21)

#define EFLAGS_CF	(1UL << 0)
#define EFLAGS_FIXED	(1UL << 1)
#define EFLAGS_TF	(1UL << 8)
#define EFLAGS_IF	(1UL << 9)
#define EFLAGS_DF	(1UL << 10)
#define EFLAGS_OF	(1UL << 11)
#define EFLAGS_NT	(1UL << 14)
#define EFLAGS_RF	(1UL << 16)
#define EFLAGS_AC	(1UL << 18)
#define EFLAGS_ID	(1UL << 21)

#define MSR_TSC			0x10
#define MSR_APIC_BASE		0x1b
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_MISC_ENABLE		0x1a0
#define MSR_PAT			0x277
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_FMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103

#define EFER_SCE	(1UL << 0)
#define EFER_LME	(1UL << 8)
#define EFER_LMA	(1UL << 10)
#define EFER_NXE	(1UL << 11)

#define XCR0_X87	(1UL << 0)
#define XCR0_SSE	(1UL << 1)
#define XCR0_AVX	(1UL << 2)
#define XCR0_AVX512	(7UL << 5)

static inline u8 inb(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u16 inw(u16 port)
{
	u16 value;

	asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u32 inl(u16 port)
{
	u32 value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outw(u16 port, u16 value)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf, u32 index)
{
	struct cpuid r;

	asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(index) : "memory");
	return r;
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value),
		     "d"((u32)(value >> 32)) : "memory");
}

static inline void cpu_pause(void)
{
	asm volatile("pause" : : : "memory");
}

static inline __noreturn void cpu_halt_forever(void)
{
	for (;;)
		asm volatile("cli; hlt" : : : "memory");
}

#define DEFINE_REG(name)						\
static inline ulong read_##name(void)					\
{									\
	ulong value;							\
									\
	asm volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");	\
	return value;							\
}									\
static inline void write_##name(ulong value)				\
{									\
	asm volatile("mov %0, %%" #name : : "r"(value) : "memory");	\
}

DEFINE_REG(cr0)
DEFINE_REG(cr2)
DEFINE_REG(cr3)
DEFINE_REG(cr4)
#ifdef __x86_64__
DEFINE_REG(cr8)
#endif
DEFINE_REG(dr0)
DEFINE_REG(dr1)
DEFINE_REG(dr2)
DEFINE_REG(dr3)
DEFINE_REG(dr6)
DEFINE_REG(dr7)

#ifdef __x86_64__
#define PUSHF	"pushfq"
#define POPF	"popfq"
#else
#define PUSHF	"pushfl"	/* spelled out for -m16 */
#define POPF	"popfl"
#endif

static inline ulong read_flags(void)
{
	ulong flags;

	asm volatile(PUSHF "; pop %0" : "=r"(flags) : : "memory");
	return flags;
}

static inline void write_flags(ulong flags)
{
	asm volatile("push %0; " POPF : : "r"(flags) : "memory", "cc");
}

static inline void invlpg(ulong address)
{
	asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline u64 xgetbv(u32 index)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
	return (u64)high << 32 | low;
}

static inline void xsetbv(u32 index, u64 value)
{
	asm volatile("xsetbv" : : "c"(index), "a"((u32)value),
		     "d"((u32)(value >> 32)) : "memory");
}

#endif
