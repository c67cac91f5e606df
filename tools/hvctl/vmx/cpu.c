// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CPUID tells of a CPU that the rules of VMX depend on.
 */
#include <string.h>

#include "caps.h"
#include "lib/util.h"

enum { EAX, EBX, ECX, EDX };

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	asm volatile("cpuid"
		     : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
		     : "a"(leaf), "c"(subleaf));
}

void vmx_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	/* Hypervisor leaves have no highest one to ask for in general. */
	if (leaf >> 30 != 1) {
		cpuid(leaf & 0x80000000, 0, regs);
		if (regs[0] < leaf) {
			memset(regs, 0, 4 * sizeof(regs[0]));
			return;
		}
	}
	cpuid(leaf, subleaf, regs);
}

/* A flag of CPUID that brings bits of an MSR. */
struct brings {
	unsigned int reg;
	unsigned int bit;
	uint64_t msr_bits;
};

static uint64_t brought(const uint32_t regs[4], const struct brings *brings, size_t n)
{
	uint64_t msr_bits = 0;

	for (size_t i = 0; i < n; i++)
		if (regs[brings[i].reg] >> brings[i].bit & 1)
			msr_bits |= brings[i].msr_bits;
	return msr_bits;
}

static uint64_t low_bits(unsigned int n)
{
	return n < 64 ? (1ULL << n) - 1 : UINT64_MAX;
}

/* SDM, "Architectural Performance Monitoring Leaf": one bit a counter, the fixed ones from 32 on */
static uint64_t perf_global(vmx_cpuid_fn *ask)
{
	uint32_t regs[4];
	uint64_t fixed;

	ask(0xa, 0, regs);
	fixed = low_bits(regs[EDX] & 0x1f);
	if ((regs[EAX] & 0xff) >= 5)
		fixed |= regs[ECX];
	return fixed << 32 | low_bits(regs[EAX] >> 8 & 0xff);
}

/* SDM, "Last Branch Records Information Leaf": LBREn, then what is filtered by */
static uint64_t lbr_ctl(vmx_cpuid_fn *ask)
{
	static const struct brings brings[] = {
		{ EBX, 0, 1 << 1 | 1 << 2 }, /* OS, USR */
		{ EBX, 1, 0x7f << 16 },      /* kinds of branches */
		{ EBX, 2, 1 << 3 },          /* CALL_STACK */
	};
	uint32_t regs[4];

	ask(7, 0, regs);
	if (!(regs[EDX] >> 19 & 1))
		return 0;
	ask(0x1c, 0, regs);
	return 1 | brought(regs, brings, ARRAY_SIZE(brings));
}

/* SDM, "IA32_RTIT_CTL MSR" and "Intel Processor Trace Enumeration Main Leaf" */
static uint64_t rtit_ctl(vmx_cpuid_fn *ask)
{
	/* TraceEn, OS, User, TSCEn, DisRETC, BranchEn */
	const uint64_t always = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 10 | 1 << 11 | 1 << 13;
	static const struct brings brings[] = {
		{ EBX, 0, 1 << 7 },                         /* CR3Filter */
		{ EBX, 1, 1 << 1 | 0xf << 19 | 0xf << 24 }, /* CYCEn, CycThresh, PSBFreq */
		{ EBX, 3, 1 << 9 | 0xf << 14 },             /* MTCEn, MTCFreq */
		{ EBX, 4, 1 << 5 | 1 << 12 },               /* FUPonPTW, PTWEn */
		{ EBX, 5, 1 << 4 },                         /* PwrEvtEn */
		{ EBX, 6, 1ULL << 56 },                     /* InjectPsbPmiOnEnable */
		{ EBX, 7, 1ULL << 31 },                     /* EventEn */
		{ EBX, 8, 1ULL << 55 },                     /* DisTNT */
		{ ECX, 0, 1 << 8 },                         /* ToPA */
		{ ECX, 3, 1 << 6 },                         /* FabricEn */
	};
	uint32_t regs[4], ranges[4];
	uint64_t msr_bits;

	ask(7, 0, regs);
	if (!(regs[EBX] >> 25 & 1))
		return 0;
	ask(0x14, 0, regs);
	ask(0x14, 1, ranges);
	msr_bits = always | brought(regs, brings, ARRAY_SIZE(brings));
	/* ADDR0_CFG to ADDR3_CFG, as many as there are ranges of addresses to filter by */
	if (regs[EBX] >> 2 & 1)
		msr_bits |= (low_bits(4 * (ranges[EAX] & 7)) & 0xffff) << 32;
	return msr_bits;
}

void vmx_cpu_from_cpuid(struct vmx_cpu *cpu, vmx_cpuid_fn *ask)
{
	uint32_t regs[4];

	ask(0x80000008, 0, regs);
	cpu->phys_bits = regs[EAX] & 0xff;
	cpu->linear_bits = regs[EAX] >> 8 & 0xff;
	ask(7, 0, regs);
	cpu->sgx = regs[EBX] >> 2 & 1;
	cpu->rtm = regs[EBX] >> 11 & 1;
	cpu->bus_lock_detect = regs[ECX] >> 24 & 1;
	cpu->hybrid = regs[EDX] >> 15 & 1;
	cpu->perf_global = perf_global(ask);
	cpu->lbr_ctl = lbr_ctl(ask);
	cpu->rtit_ctl = rtit_ctl(ask);
}

void vmx_cpu_probe(struct vmx_cpu *cpu)
{
	vmx_cpu_from_cpuid(cpu, vmx_cpuid);
}
