// SPDX-License-Identifier: GPL-2.0-only
/* control: which values CR0, CR4, CR8, EFER and XCR0 take, and what they switch. */
#include "lib/fpu.h"
#include "lib/paging.h"
#include "lib/trap.h"

#define CR4_SMXE	(1UL << 14)
#define CR4_LA57	(1UL << 12)
#define CR4_PKE		(1UL << 22)

static void check_cr0(void)
{
	ulong cr0 = read_cr0();

	step("CR0: combinations and reserved bits that are #GP");
	check_eq(try_write_cr0(cr0 | 1UL << 32), TRAP_GP);
	check_eq(try_write_cr0(cr0 | 1UL << 63), TRAP_GP);
	check_eq(try_write_cr0((cr0 & ~CR0_CD) | CR0_NW), TRAP_GP);
	check_eq(try_write_cr0(cr0 & ~CR0_PE), TRAP_GP);
	check_eq(try_write_cr0(cr0 & ~CR0_PG), TRAP_GP);	/* in 64-bit mode */
	check_eq(read_cr0(), cr0);
	step("CR0: bits that come and go; ET is fixed to 1, reserved low bits to 0");
	check_eq(try_write_cr0(cr0 ^ (CR0_WP | CR0_AM | CR0_MP)), TRAP_NONE);
	check_eq(read_cr0(), cr0 ^ (CR0_WP | CR0_AM | CR0_MP));
	check_eq(try_write_cr0((cr0 & ~CR0_ET) | 1 << 10), TRAP_NONE);
	check_eq(read_cr0(), cr0 | CR0_ET);
	check_eq(try_write_cr0(cr0 ^ CR0_NE), TRAP_NONE);
	check_eq(read_cr0(), cr0 ^ CR0_NE);
	check_eq(try_write_cr0(cr0 | CR0_CD), TRAP_NONE);
	check_eq(read_cr0(), cr0 | CR0_CD);
	check_eq(try_write_cr0(cr0 | CR0_CD | CR0_NW), TRAP_NONE);
	check_eq(read_cr0(), cr0 | CR0_CD | CR0_NW);
	write_cr0(cr0);
}

static void check_task_switched(void)
{
	ulong word;

	step("CLTS, LMSW and SMSW; LMSW does not clear PE");
	write_cr0(read_cr0() | CR0_TS);
	asm volatile("clts");
	check_eq(read_cr0() & CR0_TS, 0);
	asm volatile("smsw %0" : "=r"(word));
	asm volatile("lmsw %w0" : : "r"((word | CR0_TS) & ~CR0_PE));
	check(read_cr0() & CR0_TS);
	check(read_cr0() & CR0_PE);
	asm volatile("lmsw %w0" : : "r"(word & 0xf));
	check_eq(read_cr0() & CR0_TS, 0);
}

/* A CR4 bit, and the CPUID bit that says whether it exists. */
static const struct feature {
	const char *name;
	ulong bit;
	u32 leaf, reg, shift;
} features[] = {
	{ "VME", 1 << 0, 1, 3, 1 },
	{ "PVI", 1 << 1, 1, 3, 1 },
	{ "TSD", CR4_TSD, 1, 3, 4 },
	{ "DE", CR4_DE, 1, 3, 2 },
	{ "PSE", CR4_PSE, 1, 3, 3 },
	{ "PGE", CR4_PGE, 1, 3, 13 },
	{ "OSFXSR", CR4_OSFXSR, 1, 3, 24 },
	{ "OSXMMEXCPT", CR4_OSXMMEXCPT, 1, 3, 25 },
	{ "UMIP", CR4_UMIP, 7, 2, 2 },
	{ "VMXE", CR4_VMXE, 1, 2, 5 },
	{ "SMXE", CR4_SMXE, 1, 2, 6 },
	{ "FSGSBASE", CR4_FSGSBASE, 7, 1, 0 },
	{ "PCIDE", CR4_PCIDE, 1, 2, 17 },
	{ "OSXSAVE", CR4_OSXSAVE, 1, 2, 26 },
	{ "SMEP", CR4_SMEP, 7, 1, 7 },
	{ "SMAP", CR4_SMAP, 7, 1, 20 },
	{ "PKE", CR4_PKE, 7, 2, 3 },
	{ "PKS", 1 << 24, 7, 2, 31 },
};

static bool has_feature(const struct feature *f)
{
	struct cpuid r = cpuid(f->leaf, 0);
	u32 words[4] = { r.eax, r.ebx, r.ecx, r.edx };

	return words[f->reg] & 1U << f->shift;
}

/* This program lies in pages of ring 3: SMEP and SMAP may not come on. */
static bool harmless(const struct feature *f)
{
	return f->bit != CR4_SMEP && f->bit != CR4_SMAP;
}

static void check_feature(const struct feature *f)
{
	ulong cr4 = read_cr4();

	if (!has_feature(f)) {
		if (!check_eq(try_write_cr4(cr4 | f->bit), TRAP_GP))
			print("    CR4.%s without its CPUID bit\n", f->name);
		return;
	}
	if (!harmless(f))
		return;
	if (!check_eq(try_write_cr4(cr4 | f->bit), TRAP_NONE))
		print("    CR4.%s with its CPUID bit\n", f->name);
	check_eq(read_cr4(), cr4 | f->bit);
	check_eq(try_write_cr4(cr4 & ~f->bit), TRAP_NONE);
	check_eq(read_cr4(), cr4 & ~f->bit);
	write_cr4(cr4);
}

static void check_cr4(void)
{
	ulong cr4 = read_cr4();
	u32 i;

	step("CR4: each bit exists if CPUID says so, else it is #GP");
	for (i = 0; i < ARRAY_SIZE(features); i++)
		check_feature(&features[i]);
	check_eq(read_cr4(), cr4);
	step("CR4: reserved bits, PAE and LA57 in 64-bit mode");
	check_eq(try_write_cr4(cr4 | 1UL << 15), TRAP_GP);
	check_eq(try_write_cr4(cr4 | 1UL << 31), TRAP_GP);
	check_eq(try_write_cr4(cr4 | 1UL << 32), TRAP_GP);
	check_eq(try_write_cr4(cr4 | 1UL << 63), TRAP_GP);
	check_eq(try_write_cr4(cr4 & ~CR4_PAE), TRAP_GP);
	check_eq(try_write_cr4(cr4 | CR4_LA57), TRAP_GP);
	check_eq(read_cr4(), cr4);
}

static void check_pcid(void)
{
	ulong cr3 = read_cr3();

	if (!(cpuid(1, 0).ecx & 1 << 17)) {
		skipped("no PCID");
		return;
	}
	step("CR4.PCIDE needs CR3[11:0] = 0; then CR3[63] and PCIDs are allowed");
	write_cr3(cr3 | 8);
	check_eq(try_write_cr4(read_cr4() | CR4_PCIDE), TRAP_GP);
	write_cr3(cr3);
	check_eq(try_write_cr4(read_cr4() | CR4_PCIDE), TRAP_NONE);
	check_eq(try_write_cr3(cr3 | 5 | 1UL << 63), TRAP_NONE);
	check_eq(read_cr3(), cr3 | 5);
	check_eq(try_write_cr3(cr3 | 1UL << 62), TRAP_GP);
	check_eq(try_write_cr0(read_cr0() & ~CR0_PG), TRAP_GP);
	write_cr3(cr3);
	write_cr4(read_cr4() & ~CR4_PCIDE);
}

static long user_limited(long unused)
{
	expect_fault(TRAP_GP, 0, "rdtsc", "a"(0), "d"(0));
	expect_fault(TRAP_GP, 0, "rdpmc", "a"(0), "d"(0), "c"(0));
	expect_none("smsw %0", "m"(unused));
	return unused;
}

static long user_umip(long unused)
{
	u64 word[2];

	expect_fault(TRAP_GP, 0, "sgdt %0", "m"(word));
	expect_fault(TRAP_GP, 0, "sidt %0", "m"(word));
	expect_fault(TRAP_GP, 0, "sldt %0", "r"(0UL));
	expect_fault(TRAP_GP, 0, "str %0", "r"(0UL));
	return unused;
}

static void check_user_limits(void)
{
	step("CR4.TSD and CR4.PCE: RDTSC and RDPMC in ring 3");
	write_cr4((read_cr4() | CR4_TSD) & ~CR4_PCE);
	user_run(user_limited, 0);
	write_cr4(read_cr4() & ~CR4_TSD);
	if (!(cpuid(7, 0).ecx & 1 << 2)) {
		skipped("no UMIP");
		return;
	}
	/* And SMSW: but where a hypervisor does UMIP for the CPU it cannot see that one. */
	step("CR4.UMIP: SGDT, SIDT, SLDT and STR in ring 3");
	write_cr4(read_cr4() | CR4_UMIP);
	user_run(user_umip, 0);
	write_cr4(read_cr4() & ~CR4_UMIP);
}

static void check_fsgsbase(void)
{
	ulong base = 0x123456789000;
	ulong got;

	if (!(cpuid(7, 0).ebx & 1)) {
		skipped("no FSGSBASE");
		return;
	}
	step("CR4.FSGSBASE switches RDFSBASE and its kin");
	write_cr4(read_cr4() & ~CR4_FSGSBASE);
	expect_fault(TRAP_UD, 0, "rdfsbase %0", "r"(0UL));
	write_cr4(read_cr4() | CR4_FSGSBASE);
	asm volatile("wrfsbase %1; rdfsbase %0" : "=r"(got) : "r"(base));
	check_eq(got, base);
	check_eq(rdmsr(MSR_FS_BASE), base);
	write_cr4(read_cr4() & ~CR4_FSGSBASE);
}

static void check_cr8(void)
{
	step("CR8: 0 to 15, the rest is #GP");
	write_cr8(9);
	cpuid(0, 0);
	check_eq(read_cr8(), 9);
	expect_fault(TRAP_GP, 0, "mov %0, %%cr8", "r"(16UL));
	write_cr8(0);
	check_eq(read_cr8(), 0);
	expect_fault(TRAP_UD, 0, "mov %0, %%cr1", "r"(0UL));
	expect_fault(TRAP_UD, 0, "mov %%cr5, %0", "r"(0UL));
}

static void check_efer(void)
{
	u64 efer = rdmsr(MSR_EFER);

	step("EFER: SCE and NXE switch, LME does not while paging is on");
	check_eq(try_wrmsr(MSR_EFER, efer ^ EFER_SCE), TRAP_NONE);
	check_eq(rdmsr(MSR_EFER), efer ^ EFER_SCE);
	check_eq(try_wrmsr(MSR_EFER, efer ^ EFER_NXE), TRAP_NONE);
	check_eq(rdmsr(MSR_EFER), efer ^ EFER_NXE);
	wrmsr(MSR_EFER, efer);
	check_eq(try_wrmsr(MSR_EFER, efer & ~EFER_LME), TRAP_GP);
	check_eq(try_wrmsr(MSR_EFER, efer | 1 << 1), TRAP_GP);
	check_eq(try_wrmsr(MSR_EFER, efer | 1 << 9), TRAP_GP);
	check_eq(try_wrmsr(MSR_EFER, efer | 1ULL << 32), TRAP_GP);
	check_eq(rdmsr(MSR_EFER), efer);
}

static bool osxsave(void)
{
	return cpuid(1, 0).ecx & 1 << 27;
}

static void check_xcr0(void)
{
	u64 all = xcr0_supported();

	step("XCR0: offered 0x%llx", all);
	if (!all)
		return;
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	check(!osxsave());
	expect_fault(TRAP_UD, 0, "xgetbv", "c"(0), "a"(0), "d"(0));
	check_eq(try_xsetbv(0, XCR0_X87), TRAP_UD);
	write_cr4(read_cr4() | CR4_OSXSAVE);
	check(osxsave());
	check_eq(xgetbv(0) & XCR0_X87, XCR0_X87);
	check_eq(try_xsetbv(0, all), TRAP_NONE);
	check_eq(xgetbv(0), all);
	step("XCR0: what XSETBV refuses");
	check_eq(try_xsetbv(1, all), TRAP_GP);
	check_eq(try_xsetbv(0, 0), TRAP_GP);
	check_eq(try_xsetbv(0, all & ~XCR0_X87), TRAP_GP);
	check_eq(try_xsetbv(0, all | 1ULL << 62), TRAP_GP);
	check_eq(try_xsetbv(0, XCR0_X87 | XCR0_AVX), TRAP_GP);
	check_eq(try_xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX | 1 << 5), TRAP_GP);
	check_eq(try_xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX512), TRAP_GP);
	check_eq(try_xsetbv(0, XCR0_X87 | XCR0_SSE | 1 << 3), TRAP_GP);
	check_eq(xgetbv(0), all);
}

static long user_xsetbv(long unused)
{
	check_eq(try_xsetbv(0, XCR0_X87 | XCR0_SSE), TRAP_GP);
	return unused;
}

static void check_avx_gate(void)
{
	if (!(xcr0_supported() & XCR0_AVX)) {
		skipped("no AVX");
		return;
	}
	step("AVX is #UD without its XCR0 bit, and #NM with CR0.TS; XSETBV is for ring 0");
	fpu_enable();
	xsetbv(0, XCR0_X87 | XCR0_SSE);
	expect_fault(TRAP_UD, 0, "vaddps %%ymm0, %%ymm0, %%ymm0", "a"(0));
	xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX);
	expect_none("vaddps %%ymm0, %%ymm0, %%ymm0", "a"(0));
	write_cr0(read_cr0() | CR0_TS);
	expect_fault(TRAP_NM, 0, "vaddps %%ymm0, %%ymm0, %%ymm0", "a"(0));
	asm volatile("clts");
	user_run(user_xsetbv, 0);
}

GUEST("control")
{
	check_cr0();
	check_task_switched();
	check_cr4();
	check_pcid();
	check_user_limits();
	check_fsgsbase();
	check_cr8();
	check_efer();
	check_xcr0();
	check_avx_gate();
}
