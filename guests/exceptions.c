// SPDX-License-Identifier: GPL-2.0-only
/*
 * exceptions: every exception software can raise, delivered and returned from.
 * Built twice: exceptions (64-bit) and exceptions32 (protected mode).
 */
#include "lib/trap.h"
#include "lib/fpu.h"
#ifdef __x86_64__
#include "lib/paging.h"
#define SP	"rsp"
#else
#define SP	"esp"
#endif

#define VECTOR_ABSENT	0x50
#define VECTOR_TEST	0x51
#define VECTOR_RING1	0x52
#define RING1_CS	GDT_FREE
#define DATA_ABSENT	(GDT_FREE + 8)
#define STACK_ABSENT	(GDT_FREE + 16)
#define DATA_SMALL	(GDT_FREE + 24)

#define ERROR_IDT	2	/* selector error codes: the index is a vector */
#define DR6_BS		(1UL << 14)

extern u64 gdt[];
extern u32 tss[];

static void check_divide(void)
{
	step("#DE: fault, from DIV by 0 and from overflow of IDIV");
	expect_fault(TRAP_DE, 0, "div %b0", "q"(0), "a"(1));
	expect_fault(TRAP_DE, 0, "idiv %b0", "q"((char)-1), "a"(0xff80));
}

static void check_debug(void)
{
	step("#DB: by TF behind the instruction, by ICEBP, DR6 tells which");
	write_dr6(0);
	trap_arm();
	asm volatile(PUSHF "; orl $0x100, (%%" SP "); " POPF "\n\t" TRY("nop")
		     : : : "memory", "cc");
	trap_expect(__FILE__, __LINE__, "nop", TRAP_DB, 0, true);
	check(read_dr6() & DR6_BS);
	write_dr6(0);
	expect_trap(TRAP_DB, ".byte 0xf1");
	check_eq(read_dr6() & DR6_BS, 0);
}

static void check_software(void)
{
	step("#BP by INT3 and INT 3, #OF, #UD, NMI's and other vectors by INT n");
	expect_trap(TRAP_BP, "int3");
	expect_trap(TRAP_BP, ".byte 0xcd, 3");
	expect_trap(TRAP_OF, "int $4");
	expect_fault(TRAP_UD, 0, "ud2");
	expect_trap(TRAP_NMI, "int $2");
	expect_trap(VECTOR_TEST, "int $0x51");
	expect_trap(255, "int $255");
}

#ifndef __x86_64__
static void check_32bit_only(void)
{
	static const u32 bounds[2] = { 1, 5 };

	step("#OF by INTO, #BR by BOUND");
	expect_trap(TRAP_OF, "pushfl; orl $0x800, (%%esp); popfl; into");
	expect_none("test %%esp, %%esp; into");
	expect_fault(TRAP_BR, 0, "bound %0, %1", "r"(6), "m"(bounds));
	expect_none("bound %0, %1", "r"(5), "m"(bounds));
}
#endif

static void check_no_math(void)
{
	step("#NM: CR0.TS and CR0.EM");
	write_cr0(read_cr0() | CR0_TS);
	expect_fault(TRAP_NM, 0, "fnop");
	write_cr0(read_cr0() | CR0_MP);
	expect_fault(TRAP_NM, 0, "fwait");
	asm volatile("clts");
	expect_none("fnop");
	write_cr0(read_cr0() | CR0_EM);
	expect_fault(TRAP_NM, 0, "fnop");
	write_cr0(read_cr0() & ~CR0_EM);
}

static void check_segments(void)
{
	step("#NP, #SS, #GP: the selector is the error code");
	gdt[DATA_ABSENT / 8] = 0x00cf13000000ffff;
	expect_fault(TRAP_NP, DATA_ABSENT, "mov %w0, %%es", "r"(DATA_ABSENT));
	expect_fault(TRAP_SS, DATA_ABSENT, "mov %w0, %%ss", "r"(DATA_ABSENT));
	expect_fault(TRAP_GP, 0x1230, "mov %w0, %%es", "r"(0x1230));
	expect_fault(TRAP_GP, KERNEL_CS, "mov %w0, %%ss", "r"(KERNEL_CS));
	step("#GP(0), and #NP and #GP from an IDT entry");
	expect_fault(TRAP_GP, 0, "wrmsr", "c"(0x12345678), "a"(0), "d"(0));
	trap_set_present(VECTOR_ABSENT, false);
	expect_fault(TRAP_NP, VECTOR_ABSENT * 8 | ERROR_IDT, "int $0x50");
	trap_set_gate(VECTOR_ABSENT, check_segments, KERNEL_DS, 0, 0);
	expect_fault(TRAP_GP, KERNEL_DS, "int $0x50");
}

#ifdef __x86_64__
static void check_canonical(void)
{
	step("#GP and #SS: non-canonical addresses");
	expect_fault(TRAP_GP, 0, "cmpb $0, (%0)", "a"(1UL << 63));
	trap_arm();
	asm volatile("push %%rbp; mov %0, %%rbp\n\t"
		     TRY("cmpb $0, (%%rbp)") "pop %%rbp" : : "r"(1UL << 63) : "memory", "cc");
	trap_expect(__FILE__, __LINE__, "(%rbp)", TRAP_SS, 0, false);
}
#else
static void check_limits(void)
{
	step("#GP and #SS: beyond the limit");
	gdt[DATA_SMALL / 8] = 0x0040930000000fff;
	expect_none("mov %w0, %%fs", "r"(DATA_SMALL));
	expect_none("cmpl $0, %%fs:(%0)", "r"(0xffc));
	expect_fault(TRAP_GP, 0, "cmpl $0, %%fs:(%0)", "r"(0xffd));
	expect_fault(TRAP_GP, 0, "cmpb $0, %%fs:(%0)", "r"(0x1000));
	expect_none("mov %w0, %%fs", "r"(0));
	expect_fault(TRAP_GP, 0, "cmpb $0, %%fs:(%0)", "r"(0));
}
#endif

static long user_privileged(long unused)
{
	(void)unused;
	expect_fault(TRAP_GP, 0, "hlt");
	expect_fault(TRAP_GP, 0, "cli");
	expect_fault(TRAP_GP, 0, "inb $0xe9, %%al", "a"(0));
	expect_fault(TRAP_GP, 0, "mov %%cr0, %0", "r"(0L));
	expect_fault(TRAP_GP, 0x51 * 8 | ERROR_IDT, "int $0x51");
	expect_trap(TRAP_BP, "int3");
	return 0x600d;
}

static void check_user(void)
{
	step("ring 3: privileged instructions are #GP(0), gates of DPL 0 #GP(vector)");
	check_eq(user_run(user_privileged, 0), 0x600d);
	check_eq(last_trap.cs & 3, 3);
}

static long user_misaligned(long address)
{
	write_flags(read_flags() | EFLAGS_AC);
	expect_fault(TRAP_AC, 0, "cmpl $0, (%0)", "r"(address + 1));
	write_flags(read_flags() & ~EFLAGS_AC);
	return last_trap.vector;
}

static void check_alignment(void)
{
	static ulong words[2] = { 1, 2 };

	step("#AC: a misaligned load in ring 3 with CR0.AM and EFLAGS.AC");
	write_cr0(read_cr0() | CR0_AM);
	user_run(user_misaligned, (long)words);
	write_cr0(read_cr0() & ~CR0_AM);
}

static void check_float(void)
{
	u16 control = 0x37b;	/* #Z unmasked */

	step("#MF: the next waiting instruction after 1/0; #XM: at once");
	fpu_enable();
	asm volatile("fldcw %0; fldz; fld1; fdivp" : : "m"(control));
	expect_fault(TRAP_MF, 0, "fwait");
	asm volatile("fninit");
	ldmxcsr(MXCSR_DEFAULT & ~(1 << 9));
	asm volatile("xorps %xmm0, %xmm0; mov $1, %eax; cvtsi2ss %eax, %xmm1");
	expect_fault(TRAP_XM, 0, "divss %%xmm0, %%xmm1", "a"(0));
	check_eq(stmxcsr() & 0x3f, 1 << 2);
	ldmxcsr(MXCSR_DEFAULT);
	step("#UD instead, without CR4.OSXMMEXCPT");
	write_cr4(read_cr4() & ~CR4_OSXMMEXCPT);
	ldmxcsr(MXCSR_DEFAULT & ~(1 << 9));
	expect_fault(TRAP_UD, 0, "divss %%xmm0, %%xmm1", "a"(0));
	write_cr4(read_cr4() | CR4_OSXMMEXCPT);
	ldmxcsr(MXCSR_DEFAULT);
}

#ifdef __x86_64__
#define TEST_VA	0x4000000000UL

static long user_read(long address)
{
	expect_fault(TRAP_PF, PF_P | PF_U, "cmpb $0, (%0)", "r"(address));
	return 0;
}

static void check_page_faults(void)
{
	static u8 page[4096] __aligned(4096);

	step("#PF: error code and CR2 for absent, write, user, reserved, fetch");
	expect_fault(TRAP_PF, 0, "cmpb $0, (%0)", "r"(TEST_VA + 5));
	check_eq(last_trap.cr2, TEST_VA + 5);
	expect_fault(TRAP_PF, PF_W, "movb $1, (%0)", "r"(TEST_VA + 0xfff));
	check_eq(last_trap.cr2, TEST_VA + 0xfff);
	paging_map(TEST_VA, (ulong)page, LEVEL_4K, 0);
	write_cr0(read_cr0() | CR0_WP);
	expect_none("cmpb $0, (%0)", "r"(TEST_VA));
	expect_fault(TRAP_PF, PF_P | PF_W, "movb $1, (%0)", "r"(TEST_VA));
	user_run(user_read, TEST_VA);
	check_eq(last_trap.cr2, TEST_VA);
	paging_map(TEST_VA, (ulong)page | 1ULL << 51, LEVEL_4K, PTE_W);
	expect_fault(TRAP_PF, PF_P | PF_RSVD, "cmpb $0, (%0)", "r"(TEST_VA));
}

static struct trap_frame fetch_fault;

/* Nothing to go on with at the target: return to the caller instead. */
static bool on_fetch_fault(struct trap_frame *frame)
{
	fetch_fault = *frame;
	frame->ip = *(ulong *)frame->sp;
	frame->sp += sizeof(ulong);
	return true;
}

static void check_no_execute(void)
{
	static u8 page[4096] __aligned(4096) = { 0xc3 };	/* RET */
	void (*target)(void) = (void (*)(void))TEST_VA;

	step("#PF on a fetch from a no-execute page");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	paging_map(TEST_VA, (ulong)page, LEVEL_4K, 0);
	target();
	trap_hook(TRAP_PF, on_fetch_fault);
	paging_map(TEST_VA, (ulong)page, LEVEL_4K, PTE_NX);
	target();
	trap_hook(TRAP_PF, NULL);
	check_eq(fetch_fault.error, PF_P | PF_I);
	check_eq(fetch_fault.ip, TEST_VA);
	check_eq(read_cr2(), TEST_VA);
}
#endif

#ifdef __x86_64__
/* A not-present handler for #GP makes #NP on the way: contributory, so #DF. */
static void check_double_fault(void)
{
	step("#DF: #NP while #GP is delivered; error code 0, on its own stack");
	trap_set_present(TRAP_GP, false);
	trap_set_present(TRAP_NP, false);
	expect_fault(TRAP_DF, 0, "mov %w0, %%es", "r"(0x1230));
	trap_set_present(TRAP_GP, true);
	trap_set_present(TRAP_NP, true);
	step("#DF: #NP while #PF is delivered; and not when #PF has its gate back");
	trap_set_present(TRAP_PF, false);
	expect_fault(TRAP_DF, 0, "cmpb $0, (%0)", "r"(TEST_VA - 4096));
	trap_set_present(TRAP_PF, true);
	expect_fault(TRAP_PF, 0, "cmpb $0, (%0)", "r"(TEST_VA - 4096));
}
#else
static void check_double_fault(void)
{
	step("#DF: #NP while #GP is delivered; error code 0");
	trap_set_present(TRAP_GP, false);
	trap_set_present(TRAP_NP, false);
	expect_fault(TRAP_DF, 0, "mov %w0, %%es", "r"(0x1230));
	trap_set_present(TRAP_GP, true);
	trap_set_present(TRAP_NP, true);
}

static long user_to_ring1(long unused)
{
	expect_fault(TRAP_TS, KERNEL_DS, "int $0x52");
	return unused;
}

/* A gate to ring 1 takes its stack from the TSS; this one has the wrong DPL. */
static void check_invalid_tss(void)
{
	step("#TS: the TSS names a stack segment of the wrong privilege");
	gdt[RING1_CS / 8] = 0x00cfbb000000ffff;
	trap_set_gate(VECTOR_RING1, check_invalid_tss, RING1_CS | 1, 3, 0);
	tss[3] = tss[1];
	tss[4] = KERNEL_DS;
	user_run(user_to_ring1, 0);
}
#endif

#ifdef __x86_64__
GUEST("exceptions")
#else
GUEST("exceptions32")
#endif
{
	check_divide();
	check_debug();
	check_software();
	check_no_math();
	check_segments();
	check_user();
	check_alignment();
	check_float();
#ifdef __x86_64__
	check_canonical();
	check_page_faults();
	check_no_execute();
#else
	check_32bit_only();
	check_limits();
	check_invalid_tss();
#endif
	check_double_fault();
}
