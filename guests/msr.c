// SPDX-License-Identifier: GPL-2.0-only
/* msr: which MSRs there are, what they keep, and what they refuse. */
#include "lib/trap.h"

#define CANONICAL	0xffff800000123000ULL
#define NON_CANONICAL	0x0000800000000000ULL
#define MSR_TSC_ADJUST	0x3b
#define MSR_MTRR_CAP		0xfe
#define MSR_MTRR_BASE0		0x200
#define MSR_MTRR_FIX64K		0x250
#define MSR_MTRR_FIX16K_A0000	0x259
#define MSR_MTRR_FIX4K_F8000	0x26f
#define MSR_MTRR_DEF_TYPE	0x2ff

/* Values an MSR keeps, and one it refuses. */
static const struct msr {
	const char *name;
	u32 index;
	u64 good[2];
	u64 bad;
} msrs[] = {
	{ "LSTAR", MSR_LSTAR, { CANONICAL, 0x7000 }, NON_CANONICAL },
	{ "CSTAR", MSR_CSTAR, { CANONICAL, 0x7000 }, NON_CANONICAL },
	{ "STAR", MSR_STAR, { 0x001b000800000000, 0x0123456789abcdef }, 0 },
	{ "FMASK", MSR_FMASK, { 0x47700, 0 }, 0 },
	{ "FS_BASE", MSR_FS_BASE, { CANONICAL, 0x12340 }, NON_CANONICAL },
	{ "GS_BASE", MSR_GS_BASE, { CANONICAL, 0x12340 }, NON_CANONICAL },
	{ "KERNEL_GS_BASE", MSR_KERNEL_GS_BASE, { CANONICAL, 0x12340 }, NON_CANONICAL },
	{ "SYSENTER_CS", MSR_SYSENTER_CS, { 0x1234, 0 }, 0 },
	{ "SYSENTER_ESP", MSR_SYSENTER_ESP, { CANONICAL, 0x5000 }, NON_CANONICAL },
	{ "SYSENTER_EIP", MSR_SYSENTER_EIP, { CANONICAL, 0x5000 }, NON_CANONICAL },
	{ "PAT", MSR_PAT, { 0x0007010600070106, 0x0007040600070406 }, 0x0202020202020202 },
};

static void check_msr(const struct msr *msr)
{
	u64 old = rdmsr(msr->index), got;
	int i;

	for (i = 0; i < 2; i++) {
		if (!check_eq(try_wrmsr(msr->index, msr->good[i]), TRAP_NONE))
			print("    WRMSR %s\n", msr->name);
		cpuid(0, 0);
		outb(PORT_DEBUG, '.');
		check_eq(try_rdmsr(msr->index, &got), TRAP_NONE);
		if (!check_eq(got, msr->good[i]))
			print("    RDMSR %s\n", msr->name);
	}
	if (msr->bad && !check_eq(try_wrmsr(msr->index, msr->bad), TRAP_GP))
		print("    WRMSR %s of a value it should refuse\n", msr->name);
	check_eq(rdmsr(msr->index), msr->good[1]);
	wrmsr(msr->index, old);
}

static void check_values(void)
{
	u32 i;

	step("values kept and refused: %lu MSRs", (ulong)ARRAY_SIZE(msrs));
	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		check_msr(&msrs[i]);
}

/* UC, WC, WT, WP, WB and UC- are the memory types that exist. */
static bool is_memory_type(u32 type)
{
	return type < 8 && type != 2 && type != 3;
}

static void check_pat(void)
{
	u64 old = rdmsr(MSR_PAT), others;
	u32 place, type;

	step("PAT takes each memory type that exists, and no other, in each of its eight places");
	for (place = 0; place < 64; place += 8) {
		others = old & ~(0xffULL << place);
		for (type = 0; type < 256; type++)
			if (!check_eq(try_wrmsr(MSR_PAT, others | (u64)type << place),
				      is_memory_type(type) ? TRAP_NONE : TRAP_GP))
				print("    type %u in bits %u ...\n", type, place);
	}
	wrmsr(MSR_PAT, old);
}

/* UC, WC, WT, WP, WB in each of eight places, or as the type of a range. */
static void check_mtrrs(void)
{
	u64 cap, hole = 0x40000000;

	if (!(cpuid(1, 0).edx & 1 << 12)) {
		skipped("no MTRRs");
		return;
	}
	cap = rdmsr(MSR_MTRR_CAP);
	step("MTRRs: %lu ranges; RAM is write-back, the hole below 4 GiB is not cached",
	     (ulong)cap & 0xff);
	check((cap & 0xff) >= 8);
	check_eq(rdmsr(MSR_MTRR_DEF_TYPE), 0xc06);
	check_eq(rdmsr(MSR_MTRR_BASE0), 0x100000000 - hole);
	check_eq(rdmsr(MSR_MTRR_BASE0 + 1) & 0xffffffff, 0x100000000 - hole + 0x800);
	check_eq(rdmsr(MSR_MTRR_FIX64K), 0x0606060606060606);
	check_eq(rdmsr(MSR_MTRR_FIX16K_A0000), 0);
	check_eq(rdmsr(MSR_MTRR_FIX4K_F8000), 0x0606060606060606);
	step("MTRRs keep what they get, and refuse what is reserved");
	check_eq(try_wrmsr(MSR_MTRR_BASE0 + 14, 0x12345005), TRAP_NONE);
	check_eq(rdmsr(MSR_MTRR_BASE0 + 14), 0x12345005);
	check_eq(try_wrmsr(MSR_MTRR_BASE0 + 14, 0x12345002), TRAP_GP);
	check_eq(try_wrmsr(MSR_MTRR_BASE0 + 15, 0x100), TRAP_GP);
	check_eq(try_wrmsr(MSR_MTRR_FIX64K, 7), TRAP_GP);
	check_eq(try_wrmsr(MSR_MTRR_CAP, cap), TRAP_GP);
	wrmsr(MSR_MTRR_BASE0 + 14, 0);
}

static void check_unknown(void)
{
	static const u32 unknown[] = {
		0x4, 0x12345678, 0x40000fff, 0x7fffffff, 0xc0001fff, 0xc0011fff, 0xffffffff,
	};
	u64 value;
	u32 i;

	step("an MSR that is not there is #GP(0), read and written");
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		check_eq(try_rdmsr(unknown[i], &value), TRAP_GP);
		check_eq(try_wrmsr(unknown[i], 0), TRAP_GP);
	}
}

static long user_msr(long unused)
{
	u64 value;

	check_eq(try_rdmsr(MSR_TSC, &value), TRAP_GP);
	check_eq(try_wrmsr(MSR_TSC, 0), TRAP_GP);
	return unused;
}

/* RDMSR and RDTSC clear the upper halves of RAX and RDX. */
static void check_halves(void)
{
	u64 rax = ~0ULL, rdx = ~0ULL;

	step("RDMSR and RDTSC clear the upper halves of RAX and RDX");
	asm volatile("rdmsr" : "+a"(rax), "+d"(rdx) : "c"(MSR_EFER));
	check_eq(rax >> 32, 0);
	check_eq(rdx, 0);
	rax = ~0ULL;
	rdx = ~0ULL;
	asm volatile("rdtsc" : "+a"(rax), "+d"(rdx));
	check_eq(rax >> 32, 0);
	check_eq(rdx >> 32, 0);
	step("WRMSR looks at ECX, EDX, EAX alone");
	asm volatile("wrmsr" : : "c"(0xdead000000000000 | MSR_LSTAR), "a"(0xdead000000004321),
		     "d"(0xdead000000000000));
	check_eq(rdmsr(MSR_LSTAR), 0x4321);
}

static void check_tsc(void)
{
	u64 before = rdtsc(), after;

	step("the TSC runs, forwards, and RDMSR agrees with it");
	cpuid(0, 0);
	after = rdtsc();
	check(after > before);
	before = rdmsr(MSR_TSC);
	check(before >= after);
	check(rdtsc() >= before);
	step("the TSC can be written, and TSC_ADJUST follows");
	wrmsr(MSR_TSC, 1ULL << 50);
	after = rdtsc();
	check(after >= 1ULL << 50);
	check(after - (1ULL << 50) < 1ULL << 40);
	outb(PORT_DEBUG, '.');
	check(rdtsc() >= after);
	if (!(cpuid(7, 0).ebx & 1 << 1)) {
		skipped("no TSC_ADJUST");
		return;
	}
	wrmsr(MSR_TSC_ADJUST, rdmsr(MSR_TSC_ADJUST) - (1ULL << 49));
	check(rdtsc() < 1ULL << 50);
}

static void check_tsc_aux(void)
{
	u32 aux, low, high;

	if (!(cpuid(0x80000001, 0).edx & 1 << 27)) {
		skipped("no RDTSCP");
		return;
	}
	step("TSC_AUX is what RDTSCP says; 32 bits");
	check_eq(try_wrmsr(MSR_TSC_AUX, 0x12345678), TRAP_NONE);
	asm volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
	check_eq(aux, 0x12345678);
	check_eq(try_wrmsr(MSR_TSC_AUX, 1ULL << 32), TRAP_GP);
}

static void check_apic_base(void)
{
	u64 base;

	if (!(cpuid(1, 0).edx & 1 << 9)) {
		skipped("no APIC");
		return;
	}
	step("APIC_BASE: enabled, boot processor, 0xfee00000");
	base = rdmsr(MSR_APIC_BASE);
	check_eq(base & 0xfffff000, 0xfee00000);
	check(base & 1 << 8);
	check(base & 1 << 11);
	check_eq(try_wrmsr(MSR_APIC_BASE, base | 1), TRAP_GP);
	check_eq(try_wrmsr(MSR_APIC_BASE, base | 1ULL << 63), TRAP_GP);
}

GUEST("msr")
{
	check_values();
	check_pat();
	check_mtrrs();
	check_unknown();
	check_halves();
	check_tsc();
	check_tsc_aux();
	check_apic_base();
	step("ring 3 may not use RDMSR and WRMSR");
	user_run(user_msr, 0);
}
