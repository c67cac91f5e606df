// SPDX-License-Identifier: GPL-2.0-only
/* modes: from 64-bit mode down to real mode and up again, through every paging mode. */
#include "lib/trap.h"

#define REAL_BASE	0x8000UL
#define REAL_VECTOR	0x21
#define LARGE		0x83	/* present, writable, page size */
#define WORD32		0x32323232
#define WORD_PAE	0x50414521

/* Offsets: NOTE_* of modes-asm.S */
struct notes {
	u32 compat_efer, compat_inc;
	u32 unpaged_efer, legacy_efer, legacy_cr0;
	u32 paged32, paged_pae;
	u32 real_cr0, real_int, real_port;
	u32 enabled_efer, active_efer;
};

void modes_round_trip(struct notes *notes);
extern const u8 modes_real[], modes_real_end[];

/* 4 MiB pages; and 2 MiB pages below a table of four. */
u32 modes_pd32[1024] __aligned(4096);
u64 modes_pdpt[4] __aligned(32);
static u64 modes_pd[512] __aligned(4096);

static struct notes notes;

/* Both show their own word at an address that is not where it lies. */
static void build_tables(void)
{
	modes_pd32[0] = LARGE;
	modes_pd32[1] = 0xc00000 | LARGE;	/* 4 MiB shows 12 MiB */
	modes_pdpt[0] = (ulong)modes_pd | 1;
	modes_pd[0] = LARGE;
	modes_pd[3] = 0x1000000 | LARGE;	/* 6 MiB shows 16 MiB */
	*(volatile u32 *)0xc00000 = WORD32;
	*(volatile u32 *)0x1000000 = WORD_PAE;
	memcpy((void *)REAL_BASE, modes_real, modes_real_end - modes_real);
}

static void compare(void)
{
	const u32 both = EFER_LME | EFER_LMA;

	check_eq(notes.compat_efer & both, both);
	check_eq(notes.compat_inc, 1);
	check_eq(notes.unpaged_efer & both, EFER_LME);
	check_eq(notes.legacy_efer & both, 0);
	check_eq(notes.legacy_cr0 & (CR0_PE | CR0_PG), CR0_PE);
	check_eq(notes.paged32, WORD32);
	check_eq(notes.paged_pae, WORD_PAE);
	check_eq(notes.real_cr0 & (CR0_PE | CR0_PG), 0);
	check_eq(notes.real_int, REAL_VECTOR);
	check_eq(notes.real_port, 0xc3);
	check_eq(notes.enabled_efer & both, EFER_LME);
	check_eq(notes.active_efer & both, both);
}

static void check_after(void)
{
	u64 high = 0x123456789abcdef0;

	check(rdmsr(MSR_EFER) & EFER_LMA);
	check_eq(read_cr0() & (CR0_PE | CR0_PG), CR0_PE | CR0_PG);
	asm volatile("rol $32, %0; cpuid; ror $32, %0" : "+S"(high) : "a"(0), "c"(0)
		     : "rbx", "rdx");
	check_eq(high, 0x123456789abcdef0);
	expect_fault(TRAP_UD, 0, "ud2");
	expect_trap(TRAP_BP, "int3");
}

GUEST("modes")
{
	int i;

	build_tables();
	step("64-bit, compatibility, protected, 32-bit and PAE paging, real, and back");
	modes_round_trip(&notes);
	compare();
	step("exceptions work as before");
	check_after();
	step("a hundred times");
	for (i = 0; i < 100; i++) {
		memset(&notes, 0, sizeof(notes));
		modes_round_trip(&notes);
		compare();
	}
	check_after();
}
