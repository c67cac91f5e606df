// SPDX-License-Identifier: GPL-2.0-only
/* protected: 32-bit protected mode: segments, an LDT, 32-bit and PAE paging. */
#include "lib/trap.h"

#define PTE_P		1U
#define PTE_W		2U
#define PTE_U		4U
#define PTE_PS		0x80U
#define LDT_SELECTOR	GDT_FREE
#define DATA_DOWN	(GDT_FREE + 8)
#define TRIED		(GDT_FREE + 16)	/* a segment that is made anew for each test */
#define NOWHERE		0xd0000000UL	/* neither RAM nor a chip */
#define IN_LDT		(0 << 3 | 4)
#define NEAR_4M		0x400000UL	/* where test pages are mapped */

extern u64 gdt[];

static u32 directory[1024] __aligned(4096);
static u32 table[1024] __aligned(4096);
static u64 pdpt[4] __aligned(32);
static u64 pae_directory[2][512] __aligned(4096);
static volatile u32 pages[2][1024] __aligned(4096);
static u32 words[2] = { 11, 22 };

static volatile u32 *at(ulong address)
{
	return (volatile u32 *)address;
}

static void check_mode(void)
{
	step("protected, not paged, not long");
	check_eq(read_cr0() & (CR0_PE | CR0_PG), CR0_PE);
	check_eq(rdmsr(MSR_EFER) & (EFER_LME | EFER_LMA), 0);
}

static u64 descriptor(u32 base, u32 limit, u32 access)
{
	return (u64)(base >> 24) << 56 | (u64)(access & 0xf00) << 44 |
	       (u64)(limit >> 16 & 0xf) << 48 | (u64)(access & 0xff) << 40 |
	       (u64)(base & 0xffffff) << 16 | (limit & 0xffff);
}

static void check_ldt(void)
{
	static u64 ldt[1];
	u32 selector, value;

	step("LDT: LLDT, SLDT, a segment with a base");
	ldt[0] = descriptor((ulong)words, sizeof(words) - 1, 0x493);
	gdt[LDT_SELECTOR / 8] = descriptor((ulong)ldt, sizeof(ldt) - 1, 0x082);
	asm volatile("lldt %w0" : : "r"(LDT_SELECTOR));
	asm volatile("sldt %0" : "=r"(selector));
	check_eq(selector & 0xffff, LDT_SELECTOR);
	cpuid(0, 0);
	asm volatile("mov %w1, %%fs; movl %%fs:4, %0" : "=r"(value) : "r"(IN_LDT));
	check_eq(value, 22);
	outb(PORT_DEBUG, '\n');
	asm volatile("movl %%fs:0, %0" : "=r"(value));
	check_eq(value, 11);
	expect_fault(TRAP_GP, 0, "cmpl $0, %%fs:(%0)", "r"(5));
	expect_fault(TRAP_GP, 0xc, "mov %w0, %%fs", "r"(0xc));	/* beyond the LDT */
	asm volatile("lldt %w0" : : "r"(0));
	expect_fault(TRAP_GP, 4, "mov %w0, %%fs", "r"(IN_LDT));
}

static void check_expand_down(void)
{
	step("expand-down: offsets above the limit");
	gdt[DATA_DOWN / 8] = descriptor(0, 0x1ff, 0xc97);
	asm volatile("mov %w0, %%fs" : : "r"(DATA_DOWN));
	expect_fault(TRAP_GP, 0, "cmpb $0, %%fs:(%0)", "r"(0x1fffff));
	expect_none("cmpb $0, %%fs:(%0)", "r"(0x200000));
	asm volatile("mov %w0, %%fs" : : "r"(0));
}

/* What a data segment of the test's own allows is in FS, or, for one instruction, in ES. */
static void make_tried(u32 base, u32 limit, u32 access)
{
	gdt[TRIED / 8] = descriptor(base, limit, access);
	asm volatile("mov %w0, %%fs" : : "r"(TRIED));
}

#define expect_es_fault(insn, selector, ...)					\
do {										\
	trap_arm();								\
	asm volatile("mov %w0, %%es\n\t" TRY(insn) "mov %w1, %%es"		\
		     : : "r"(selector), "r"(KERNEL_DS), __VA_ARGS__ : "memory", "cc");	\
	trap_expect(__FILE__, __LINE__, insn, TRAP_GP, 0, false);		\
} while (0)

/* What hvctl does for the guest keeps to segments as the CPU does. */
static void check_string_io(void)
{
	u32 count = 3;
	ulong from = 0xfe;

	step("INS and OUTS: limits, read-only, null, expand-down, execute-only");
	make_tried(0, 0xff, 0x493);
	expect_fault(TRAP_GP, 0, "fs outsb", "S"(0x100), "d"(PORT_COM1 + 7));
	expect_fault(TRAP_GP, 0, "fs outsl", "S"(0xfd), "d"(PORT_COM1 + 7));
	trap_arm();
	asm volatile(TRY("rep outsb %%fs:(%%esi), (%%dx)")
		     : "+S"(from), "+c"(count) : "d"(PORT_COM1 + 7) : "memory");
	trap_expect(__FILE__, __LINE__, "rep fs outsb", TRAP_GP, 0, false);
	check_eq(count, 1);
	check_eq(from, 0x100);
	make_tried(0, 0xfffff, 0xc91);
	expect_es_fault("insb", TRIED, "D"(words), "d"(PORT_COM1 + 7));
	expect_es_fault("insb", 0, "D"(words), "d"(PORT_COM1 + 7));
	make_tried(0, 0xfff, 0x497);
	expect_fault(TRAP_GP, 0, "fs outsb", "S"(0xfff), "d"(PORT_COM1 + 7));
	asm volatile("mov %w0, %%fs" : : "r"(0));
	expect_fault(TRAP_GP, 0, "fs outsb", "S"(words), "d"(PORT_COM1 + 7));
}

static void check_device_segments(void)
{
	u32 count = 3;
	ulong from = 0xfe;

	step("devices: later elements of a string, and its other operand");
	make_tried(NOWHERE, 0xff, 0x493);
	trap_arm();
	asm volatile(TRY("rep lodsb %%fs:(%%esi), %%al")
		     : "+S"(from), "+c"(count) : : "eax", "memory");
	trap_expect(__FILE__, __LINE__, "rep fs lodsb", TRAP_GP, 0, false);
	check_eq(count, 1);
	make_tried(0, 0xfffff, 0xc91);
	expect_es_fault("movsb", TRIED, "S"(NOWHERE), "D"(words));
	check_eq(words[0], 11);
	asm volatile("mov %w0, %%fs" : : "r"(0));
}

static void build_32bit(void)
{
	ulong i;

	for (i = 0; i < 1024; i++)
		directory[i] = i << 22 | PTE_PS | PTE_W | PTE_P;
	directory[NEAR_4M >> 22] = (ulong)table | PTE_W | PTE_U | PTE_P;
	table[0] = (ulong)pages[0] | PTE_W | PTE_P;
	table[1] = (ulong)pages[1] | PTE_P;
	pages[0][0] = 0xaaaa;
	pages[1][0] = 0xbbbb;
}

static void check_32bit_paging(void)
{
	step("32-bit paging: 4 MiB and 4 KiB pages");
	build_32bit();
	write_cr4(read_cr4() | CR4_PSE);
	write_cr3((ulong)directory);
	write_cr0(read_cr0() | CR0_PG | CR0_WP);
	check_eq(*at(NEAR_4M), 0xaaaa);
	check_eq(*at(NEAR_4M + 4096), 0xbbbb);
	expect_fault(TRAP_PF, 3, "movl $1, (%0)", "r"(NEAR_4M + 4096));
	check_eq(last_trap.cr2, NEAR_4M + 4096);
	expect_fault(TRAP_PF, 0, "cmpl $0, (%0)", "r"(NEAR_4M + 8192));
	cpuid(0, 0);
	outb(PORT_DEBUG, '\n');
	write_cr0(read_cr0() & ~CR0_WP);
	expect_none("movl $1, (%0)", "r"(NEAR_4M + 4096));
	check_eq(pages[1][0], 1);
	write_cr0(read_cr0() & ~CR0_PG);
	check_eq(read_cr0() & CR0_PG, 0);
}

/* PAE tables are read when CR3 is: four entries the CPU keeps. */
static void build_pae(void)
{
	ulong i;

	for (i = 0; i < 512; i++)
		pae_directory[0][i] = i << 21 | PTE_PS | PTE_W | PTE_P;
	pae_directory[1][0] = 0x200000 | PTE_PS | PTE_W | PTE_P;
	*at(0x200000) = 0xcccc;
	memset(pdpt, 0, sizeof(pdpt));
	pdpt[0] = (ulong)pae_directory[0] | PTE_P;
}

static void check_pae_paging(void)
{
	ulong gib = 1UL << 30;

	step("PAE paging: 2 MiB pages, the PDPTEs are those of the last MOV to CR3");
	build_pae();
	write_cr4(read_cr4() | CR4_PAE);
	write_cr3((ulong)pdpt);
	write_cr0(read_cr0() | CR0_PG);
	expect_fault(TRAP_PF, 0, "cmpl $0, (%0)", "r"(gib));
	pdpt[1] = (ulong)pae_directory[1] | PTE_P;
	write_cr3((ulong)pdpt);
	check_eq(*at(gib), 0xcccc);
	cpuid(0, 0);
	outb(PORT_DEBUG, '\n');
	check_eq(*at(gib), 0xcccc);
	step("PAE paging: reserved bits of a PDPTE are #GP at once");
	pdpt[2] = PTE_P | PTE_W;
	check_eq(try_write_cr3((ulong)pdpt), TRAP_GP);
	pdpt[2] = 0;
	check_eq(*at(gib), 0xcccc);
}

/* MOVs that load the PDPTEs without naming CR3. */
static void check_pdpte_loads(void)
{
	ulong gib = 1UL << 30;

	step("PAE paging: MOV to CR0 and CR4 load the PDPTEs as well");
	write_cr0(read_cr0() & ~CR0_PG);
	pdpt[1] = 0;
	write_cr0(read_cr0() | CR0_PG);
	expect_fault(TRAP_PF, 0, "cmpl $0, (%0)", "r"(gib));
	pdpt[1] = (ulong)pae_directory[1] | PTE_P;
	write_cr4(read_cr4() ^ CR4_PGE);
	check_eq(*at(gib), 0xcccc);
	step("the same with CR0.CD and CR0.NE changing in one go");
	write_cr0(read_cr0() & ~CR0_PG);
	pdpt[1] = 0;
	write_cr0((read_cr0() | CR0_PG | CR0_CD) ^ CR0_NE);
	expect_fault(TRAP_PF, 0, "cmpl $0, (%0)", "r"(gib));
	check(read_cr0() & CR0_CD);
	write_cr0((read_cr0() & ~(CR0_PG | CR0_CD)) ^ CR0_NE);
	check_eq(read_cr0() & (CR0_PG | CR0_CD), 0);
}

static void check_long_rules(void)
{
	step("EFER.LME: paging needs CR4.PAE");
	write_cr4(read_cr4() & ~(CR4_PAE | CR4_PGE));
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_LME);
	check_eq(try_write_cr0(read_cr0() | CR0_PG), TRAP_GP);
	check_eq(read_cr0() & CR0_PG, 0);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_LME);
	check_eq(try_write_cr0((read_cr0() | CR0_PG) & ~CR0_PE), TRAP_GP);
	check_eq(rdmsr(MSR_EFER) & (EFER_LME | EFER_LMA), 0);
}

GUEST("protected")
{
	check_mode();
	check_ldt();
	check_expand_down();
	check_string_io();
	check_device_segments();
	check_32bit_paging();
	check_pae_paging();
	check_pdpte_loads();
	check_long_rules();
}
