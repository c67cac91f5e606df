// SPDX-License-Identifier: GPL-2.0-only
/* hello: 64-bit code says where it is, and ends. */
#include "lib/guest.h"

static void print_vendor(void)
{
	struct cpuid r = cpuid(0, 0);
	u32 name[4] = { r.ebx, r.edx, r.ecx, 0 };

	step("CPUID says \"%s\", highest leaf 0x%x", (char *)name, r.eax);
	check(r.eax >= 1);
}

GUEST("hello")
{
	print("hello, world\n");
	step("cr0 0x%lx, cr3 0x%lx, cr4 0x%lx, efer 0x%llx", read_cr0(), read_cr3(),
	     read_cr4(), rdmsr(MSR_EFER));
	check((read_cr0() & (CR0_PE | CR0_PG)) == (CR0_PE | CR0_PG));
	check(rdmsr(MSR_EFER) & EFER_LMA);
	print_vendor();
}
