// SPDX-License-Identifier: GPL-2.0-only
/* cpuid: the answers fit together, and follow the control registers. */
#include "lib/fpu.h"
#include "lib/trap.h"

#define HYPERVISOR_LEAF	0x40000000
#define EXTENDED_LEAF	0x80000000
/* FPU PSE TSC MSR PAE CX8 CMOV PGE PAT MMX FXSR SSE SSE2 */
#define ESSENTIAL_EDX	0x0781a179

static bool same(struct cpuid a, struct cpuid b)
{
	return a.eax == b.eax && a.ebx == b.ebx && a.ecx == b.ecx && a.edx == b.edx;
}

static void check_ranges(void)
{
	u32 highest = cpuid(0, 0).eax, extended = cpuid(EXTENDED_LEAF, 0).eax;

	step("highest leaves 0x%x and 0x%x", highest, extended);
	check(highest >= 0xd && highest < 0x100);
	check(extended >= 0x80000008 && extended < 0x80000100);
	step("beyond the highest, the highest basic leaf answers");
	check(same(cpuid(highest + 1, 0), cpuid(highest, 0)));
	check(same(cpuid(0x20000000, 0), cpuid(highest, 0)));
	check(same(cpuid(0xffffffff, 0), cpuid(highest, 0)));
	check(same(cpuid(7, 100), (struct cpuid){ 0, 0, 0, 0 }));
}

static void check_hypervisor(void)
{
	struct cpuid r = cpuid(HYPERVISOR_LEAF, 0);
	u32 name[4] = { r.ebx, r.ecx, r.edx, 0 };

	step("leaf 1 tells of a hypervisor, leaf 0x40000000 which");
	if (!check(cpuid(1, 0).ecx & 1U << 31))
		return;
	print("  \"%s\", highest leaf 0x%x\n", (char *)name, r.eax);
	check(r.eax >= HYPERVISOR_LEAF && r.eax < HYPERVISOR_LEAF + 0x100);
}

static void check_registers(void)
{
	u64 rax = 0xffffffff00000000, rbx = ~0ULL, rcx = 0xffffffff00000000, rdx = ~0ULL;

	step("the upper halves of RAX, RBX, RCX, RDX are cleared");
	asm volatile("cpuid" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx));
	check_eq((rax | rbx | rcx | rdx) >> 32, 0);
}

static void check_essentials(void)
{
	struct cpuid r = cpuid(1, 0), e = cpuid(0x80000001, 0);

	step("what every 64-bit CPU has");
	check_eq(r.edx & ESSENTIAL_EDX, ESSENTIAL_EDX);
	check(e.edx & 1 << 11);	/* SYSCALL */
	check(e.edx & 1 << 20);	/* NX */
	check(e.edx & 1 << 29);	/* long mode */
	check((cpuid(0x80000008, 0).eax & 0xff) >= 36);
	check_eq(cpuid(0x80000008, 0).eax >> 8 & 0xff, 48);
	step("no virtual machine inside this one");
	check_eq(r.ecx & 1 << 5, 0);
}

static void check_osxsave(void)
{
	if (!cpu_has_xsave()) {
		skipped("no XSAVE");
		return;
	}
	step("OSXSAVE follows CR4");
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	check_eq(cpuid(1, 0).ecx & 1 << 27, 0);
	write_cr4(read_cr4() | CR4_OSXSAVE);
	check(cpuid(1, 0).ecx & 1 << 27);
}

/* The end of the last component of @mask, by its own sub-leaf. */
static u32 xsave_size(u64 mask)
{
	u32 size = 512 + 64, i;

	for (i = 2; i < 63; i++) {
		struct cpuid r;

		if (!(mask & 1ULL << i))
			continue;
		r = cpuid(0xd, i);
		if (r.eax + r.ebx > size)
			size = r.eax + r.ebx;
	}
	return size;
}

static void check_xsave_leaf(void)
{
	u64 all = xcr0_supported();

	if (!all)
		return;
	step("leaf 0xd: sizes of the components 0x%llx, and of what XCR0 holds", all);
	check_eq(all & 3, 3);
	check_eq(cpuid(0xd, 0).ecx, xsave_size(all));
	xsetbv(0, 1);
	check_eq(cpuid(0xd, 0).ebx, xsave_size(1));
	xsetbv(0, all);
	check_eq(cpuid(0xd, 0).ebx, xsave_size(all));
	check_eq(cpuid(0xd, 0).ebx, cpuid(0xd, 0).ecx);
	check_eq(!!(cpuid(1, 0).ecx & 1 << 28), !!(all & XCR0_AVX));
	check_eq(!!(cpuid(7, 0).ebx & 1 << 16), !!(all & 1 << 5));
}

/* What the table offers must not be #UD. */
static void check_offered(void)
{
	struct cpuid r = cpuid(1, 0), s = cpuid(7, 0);

	step("what is offered works");
	fpu_enable();
	if (r.ecx & 1 << 30)
		expect_none("rdrand %%eax", "a"(0));
	if (s.ebx & 1 << 18)
		expect_none("rdseed %%eax", "a"(0));
	if (s.ebx & 1 << 10) {
		static u64 descriptor[2];

		expect_none("invpcid %1, %0", "r"(2UL), "m"(descriptor));
	}
	if (s.ebx & 1 << 8)
		expect_none("rorx $1, %%rax, %%rax", "a"(0));
	if (s.ebx & 1 << 3)
		expect_none("blsr %%eax, %%eax", "a"(0));
	if (r.ecx & 1 << 23)
		expect_none("popcnt %%eax, %%eax", "a"(0));
	if (r.ecx & 1 << 25)
		expect_none("aesenc %%xmm0, %%xmm0", "a"(0));
	if (cpuid(0x80000001, 0).edx & 1 << 27)
		expect_none("rdtscp", "a"(0), "c"(0), "d"(0));
	if (cpuid(0xd, 1).eax & 1 << 1) {
		static u8 area[4096] __aligned(64);

		expect_none("xsavec %0", "m"(area), "a"(3), "d"(0));
	}
}

/* Hypercalls of KVM's guests: number in RAX, and in RAX the answer. */
#define CALL_POLL_IRQ	1
#define CALL_UNKNOWN	0x7777
#define ERROR_EPERM	-1L
#define ERROR_ENOSYS	-1000L

static bool has_kvm(void)
{
	u32 leaf;

	for (leaf = HYPERVISOR_LEAF; leaf < HYPERVISOR_LEAF + 0x10000; leaf += 0x100) {
		struct cpuid r = cpuid(leaf, 0);

		if (r.ebx == 0x4b4d564b && r.ecx == 0x564b4d56 && r.edx == 0x4d)
			return true;
	}
	return false;
}

static long vmcall(long number)
{
	long rax = number;

	asm volatile("vmcall" : "+a"(rax) : "b"(0), "c"(0), "d"(0), "S"(0) : "memory");
	return rax;
}

/* #UD without KVM's signature in CPUID; with it, the answer that KVM gives. */
static void check_calls(void)
{
	if (!has_kvm()) {
		expect_fault(TRAP_UD, 0, "vmcall");
		return;
	}
	print("  KVM's signature: VMCALL answers\n");
	check_eq(vmcall(CALL_UNKNOWN), ERROR_ENOSYS);
	check_eq(vmcall(-1), ERROR_ENOSYS);
	check_eq(vmcall(CALL_POLL_IRQ), 0);
	check_eq(user_run(vmcall, CALL_POLL_IRQ), ERROR_EPERM);
	check_eq(user_run(vmcall, CALL_UNKNOWN), ERROR_EPERM);
}

static void check_not_offered(void)
{
	struct cpuid r = cpuid(1, 0), s = cpuid(7, 0);

	step("what is not offered is #UD, where the host lets it be");
	if (!(r.ecx & 1 << 5))
		check_calls();
	if (!(r.ecx & 1 << 3))
		expect_fault(TRAP_UD, 0, "monitor", "a"(0), "c"(0), "d"(0));
	if (!(s.ebx & 1 << 10)) {
		static u64 descriptor[2];

		expect_fault(TRAP_UD, 0, "invpcid %1, %0", "r"(2UL), "m"(descriptor));
	}
	if (!(cpuid(0x80000001, 0).edx & 1 << 27))
		expect_fault(TRAP_UD, 0, "rdtscp", "a"(0), "c"(0), "d"(0));
	if (!(cpuid(0xd, 1).eax & 1 << 3))
		expect_fault(TRAP_UD, 0, "xsaves (%0)", "r"(0x200000UL), "a"(0), "d"(0));
}

static long user_cpuid(long leaf)
{
	return cpuid(leaf, 0).eax;
}

GUEST("cpuid")
{
	check_ranges();
	check_hypervisor();
	check_registers();
	check_essentials();
	check_osxsave();
	check_xsave_leaf();
	check_offered();
	check_not_offered();
	step("ring 3 gets the same answers");
	check_eq(user_run(user_cpuid, 0), cpuid(0, 0).eax);
}
