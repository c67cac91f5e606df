// SPDX-License-Identifier: GPL-2.0-only
/* paging: pages of 4 KiB, 2 MiB and 1 GiB, A and D bits, WP, NX, flushing, CR3. */
#include "lib/trap.h"
#include "lib/paging.h"

#define TEST_VA		0x4000000000UL	/* of its own in the PML4 */
#define HIGH_VA		0xffff800000000000UL

static u8 pages[2][4096] __aligned(4096);

static volatile u64 *at(ulong address)
{
	return (volatile u64 *)address;
}

static void check_4k(void)
{
	step("4 KiB: two addresses, one page; remapping shows the other");
	*at((ulong)pages[0]) = 0x1111;
	*at((ulong)pages[1]) = 0x2222;
	paging_map(TEST_VA, (ulong)pages[0], LEVEL_4K, PTE_W);
	check_eq(*at(TEST_VA), 0x1111);
	*at(TEST_VA) = 0x3333;
	check_eq(*at((ulong)pages[0]), 0x3333);
	paging_map(TEST_VA, (ulong)pages[1], LEVEL_4K, PTE_W);
	check_eq(*at(TEST_VA), 0x2222);
	step("in the upper half as well");
	paging_map(HIGH_VA, (ulong)pages[1], LEVEL_4K, PTE_W);
	check_eq(*at(HIGH_VA), 0x2222);
	paging_unmap(HIGH_VA, LEVEL_4K);
	expect_fault(TRAP_PF, 0, "cmpb $0, (%0)", "r"(HIGH_VA));
}

static void check_large(void)
{
	ulong va = TEST_VA + GIB, here = (ulong)pages[0];

	step("2 MiB");
	*at(here + 8) = 0x4444;
	paging_map(va, here & ~(2 * MIB - 1), LEVEL_2M, PTE_W);
	check_eq(*at(va + (here & (2 * MIB - 1)) + 8), 0x4444);
	paging_map(va, (here & ~(2 * MIB - 1)) | 1 << 13, LEVEL_2M, PTE_W);
	expect_fault(TRAP_PF, PF_P | PF_RSVD, "cmpb $0, (%0)", "r"(va));
	if (!(cpuid(0x80000001, 0).edx & 1 << 26)) {
		skipped("no 1 GiB pages");
		return;
	}
	step("1 GiB");
	va += GIB;
	paging_map(va, 0, LEVEL_1G, PTE_W);
	check_eq(*at(va + here + 8), 0x4444);
}

static void check_accessed_dirty(void)
{
	volatile u64 *entry = paging_entry(TEST_VA, LEVEL_4K);

	step("A is set by a read, D by a write, and not before");
	paging_map(TEST_VA, (ulong)pages[0], LEVEL_4K, PTE_W);
	check_eq(*entry & (PTE_A | PTE_D), 0);
	(void)*at(TEST_VA);
	check_eq(*entry & (PTE_A | PTE_D), PTE_A);
	*at(TEST_VA) = 1;
	check_eq(*entry & (PTE_A | PTE_D), PTE_A | PTE_D);
}

static void check_write_protect(void)
{
	step("CR0.WP: ring 0 writes to a read-only page without it, not with it");
	paging_map(TEST_VA, (ulong)pages[0], LEVEL_4K, 0);
	write_cr0(read_cr0() | CR0_WP);
	expect_fault(TRAP_PF, PF_P | PF_W, "movb $1, (%0)", "r"(TEST_VA));
	write_cr0(read_cr0() & ~CR0_WP);
	expect_none("movb $1, (%0)", "r"(TEST_VA));
	write_cr0(read_cr0() | CR0_WP);
	expect_fault(TRAP_PF, PF_P | PF_W, "movb $1, (%0)", "r"(TEST_VA));
}

static void check_no_execute_rule(void)
{
	step("NX is a reserved bit without EFER.NXE");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_NXE);
	paging_map(TEST_VA, (ulong)pages[0], LEVEL_4K, PTE_NX);
	expect_fault(TRAP_PF, PF_P | PF_RSVD, "cmpb $0, (%0)", "r"(TEST_VA));
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	invlpg(TEST_VA);
	expect_none("cmpb $0, (%0)", "r"(TEST_VA));
}

/* Stale entries may also be gone: only what must hold is checked. */
static void check_flushing(void)
{
	volatile u64 *entry = paging_entry(TEST_VA, LEVEL_4K);

	step("MOV to CR3 forgets; with CR4.PGE a global page needs INVLPG");
	*at((ulong)pages[0]) = 0x5555;
	*at((ulong)pages[1]) = 0x6666;
	paging_map(TEST_VA, (ulong)pages[0], LEVEL_4K, PTE_W);
	check_eq(*at(TEST_VA), 0x5555);
	*entry = (ulong)pages[1] | PTE_P | PTE_W;
	write_cr3(read_cr3());
	check_eq(*at(TEST_VA), 0x6666);
	write_cr4(read_cr4() | CR4_PGE);
	paging_map(TEST_VA, (ulong)pages[0], LEVEL_4K, PTE_W | PTE_G);
	check_eq(*at(TEST_VA), 0x5555);
	*entry = (ulong)pages[1] | PTE_P | PTE_W | PTE_G;
	invlpg(TEST_VA);
	check_eq(*at(TEST_VA), 0x6666);
	*entry = (ulong)pages[0] | PTE_P | PTE_W | PTE_G;
	write_cr4(read_cr4() & ~CR4_PGE);
	check_eq(*at(TEST_VA), 0x5555);
}

static void check_cr3(void)
{
	int bits = cpuid(0x80000008, 0).eax & 0xff;

	step("CR3: %d address bits, the rest is reserved", bits);
	check_eq(try_write_cr3(read_cr3() | 1UL << 63), TRAP_GP);
	if (bits < 52)
		check_eq(try_write_cr3(read_cr3() | 1UL << bits), TRAP_GP);
	check_eq(try_write_cr3(read_cr3() | 0x18), TRAP_NONE);
	check_eq(read_cr3() & 0x18, 0x18);
	write_cr3(read_cr3() & ~0x18UL);
}

GUEST("paging")
{
	check_4k();
	check_large();
	check_accessed_dirty();
	check_write_protect();
	check_no_execute_rule();
	check_flushing();
	check_cr3();
}
