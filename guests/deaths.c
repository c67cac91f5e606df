// SPDX-License-Identifier: GPL-2.0-only
/*
 * deaths: a triple fault of the kind that is typed, a letter. tests.list has what hvctl is to find
 * out about each.
 */
#include "lib/trap.h"

#define COM1_LSR	(PORT_COM1 + 5)
#define LSR_DATA	1

struct death {
	char letter;
	const char *name;
	void (*die)(void);
};

#ifndef REAL_MODE
#define GATES		0x30	/* all that are of the CPU's exceptions, and some more */

extern u64 gdt[];
extern u32 tss[];

static void set_gates(u16 selector, u8 ist)
{
	for (u8 vector = 0; vector < GATES; vector++)
		trap_set_gate(vector, (void *)0x1000, selector, 0, ist);
}

static void set_not_present(void)
{
	for (u8 vector = 0; vector < GATES; vector++)
		trap_set_present(vector, false);
}

static void change_tr_limit(u16 limit)
{
	u64 *descriptor = &gdt[TSS_SELECTOR / 8];

	*descriptor = (*descriptor & ~0xffffULL & ~(0x2ULL << 40)) | limit;
	asm volatile("ltr %w0" : : "r"(TSS_SELECTOR));
}

static long halt_in_ring_3(long unused)
{
	asm volatile("hlt");
	return unused;
}

static void ud2_beyond_idt(void)
{
	trap_load_idt(0);
	asm volatile("ud2");
}

static void null_selector(void)
{
	set_gates(0, 0);
	asm volatile("ud2");
}

static void selector_beyond_gdt(void)
{
	set_gates(0x100, 0);
	asm volatile("ud2");
}

static void selector_of_data(void)
{
	set_gates(KERNEL_DS, 0);
	asm volatile("ud2");
}

static void code_not_present(void)
{
	gdt[GDT_FREE / 8] = gdt[KERNEL_CS / 8] & ~(0x80ULL << 40);
	set_gates(GDT_FREE, 0);
	asm volatile("ud2");
}
#endif

#ifdef __x86_64__
#define NOWHERE		0x8000000000UL	/* of PML4[1], which the identity map has not */

/* A gate's byte of type and DPL; the table is the library's, by IDTR. */
static void set_type(u8 vector, u8 type)
{
	struct {
		u16 limit;
		ulong base;
	} __packed idtr;

	asm volatile("sidt %0" : "=m"(idtr));
	((volatile u8 *)idtr.base)[vector * 16 + 5] = type;
}

static void gates_not_present(void)
{
	set_not_present();
	(void)*(volatile u32 *)NOWHERE;
}

static void df_beyond_limit(void)
{
	trap_load_idt(8 * 16 - 1);
	*(volatile u32 *)(NOWHERE + 8) = 1;
}

static void stack_not_mapped(void)
{
	set_gates(KERNEL_CS, 0);
	asm volatile("mov %0, %%rsp; ud2" : : "r"(NOWHERE + 0x1000));
}

static void stack_not_canonical(void)
{
	set_gates(KERNEL_CS, 0);
	asm volatile("mov %0, %%rsp; push %%rax" : : "r"(1UL << 63));
}

static void rsp0_not_mapped(void)
{
	u64 rsp0 = NOWHERE + 0x1000;

	set_gates(KERNEL_CS, 0);
	memcpy((u8 *)tss + 4, &rsp0, 8);
	user_run(halt_in_ring_3, 0);
}

static void ist_beyond_tss(void)
{
	set_gates(KERNEL_CS, 7);
	change_tr_limit(0x40);
	asm volatile("ud2");
}

static void idt_not_mapped(void)
{
	struct {
		u16 limit;
		ulong base;
	} __packed idtr = { 0xfff, NOWHERE };

	asm volatile("lidt %0; ud2" : : "m"(idtr));
}

static void call_gates(void)
{
	for (u8 vector = 0; vector < GATES; vector++)
		set_type(vector, 0x8c);
	asm volatile("ud2");
}

static void empty_tables(void)
{
	static u8 nothing[4096] __aligned(4096);

	write_cr3((ulong)nothing);
}

static void divide_by_zero(void)
{
	for (u8 vector = 0; vector < GATES; vector++)
		set_type(vector, 0);
	asm volatile("xor %%ecx, %%ecx; div %%rcx" : : : "rax", "rcx", "rdx");
}

static void jump_to_nowhere(void)
{
	set_not_present();
	asm volatile("jmp *%0" : : "r"(1UL << 63));
}

static void software_interrupt(void)
{
	set_not_present();
	asm volatile("int $0x2f");
}

static void interrupt_return(void)
{
	set_not_present();
	asm volatile("push $0; push $0; push $2; push $0x100; push $0x1000; iretq");
}

static void wrong_alignment(void)
{
	set_not_present();
	write_cr4(read_cr4() | CR4_OSFXSR);
	asm volatile("movaps %%xmm0, (%0)" : : "r"(0x200004UL));
}

static const struct death deaths[] = {
	{ 'a', "UD2 without an IDT", ud2_beyond_idt },
	{ 'b', "a read from nowhere, no gate present", gates_not_present },
	{ 'c', "a write to nowhere, #DF's gate beyond the limit", df_beyond_limit },
	{ 'd', "handlers with a null selector", null_selector },
	{ 'e', "handlers with a selector beyond the GDT", selector_beyond_gdt },
	{ 'f', "handlers in a data segment", selector_of_data },
	{ 'g', "handlers in a segment that is not present", code_not_present },
	{ 'h', "a stack that is not mapped", stack_not_mapped },
	{ 'i', "a stack that is not canonical", stack_not_canonical },
	{ 'j', "RSP0 not mapped", rsp0_not_mapped },
	{ 'k', "an IST beyond TR's limit", ist_beyond_tss },
	{ 'l', "an IDT that is not mapped", idt_not_mapped },
	{ 'm', "call gates in the IDT", call_gates },
	{ 'n', "empty page tables", empty_tables },
	{ 'o', "a division by zero, an empty IDT", divide_by_zero },
	{ 'p', "a jump to an address that is not canonical", jump_to_nowhere },
	{ 'q', "INT to a gate that is not present", software_interrupt },
	{ 'r', "IRET to a bad selector", interrupt_return },
	{ 's', "MOVAPS that is not aligned", wrong_alignment },
};

#elif !defined(REAL_MODE)

static u32 directory[1024] __aligned(4096);

static void no_inner_ss(void)
{
	set_gates(KERNEL_CS, 0);
	tss[2] = 0;
	user_run(halt_in_ring_3, 0);
}

static void short_tss(void)
{
	set_gates(KERNEL_CS, 0);
	change_tr_limit(3);
	user_run(halt_in_ring_3, 0);
}

static void short_stack(void)
{
	set_gates(KERNEL_CS, 0);
	gdt[GDT_FREE / 8] = 0x0040930000000fffULL;
	asm volatile("mov %w0, %%ss; mov $0x2000, %%esp; push %%eax" : : "r"(GDT_FREE));
}

static void short_segment(void)
{
	set_not_present();
	gdt[GDT_FREE / 8] = 0x0040930000000fffULL;
	asm volatile("mov %w0, %%fs; movl %%fs:0x1000, %%eax" : : "r"(GDT_FREE) : "eax");
}

static void bad_selector(void)
{
	set_not_present();
	asm volatile("mov %w0, %%ds" : : "r"(0x100));
}

/* 32-bit paging, without PAE: 4 MiB are there, and the stack is not among them. */
static void stack_not_mapped(void)
{
	set_gates(KERNEL_CS, 0);
	directory[0] = 0x83;
	write_cr4(read_cr4() | CR4_PSE);
	write_cr3((ulong)directory);
	write_cr0(read_cr0() | CR0_PG);
	asm volatile("mov $0x801000, %esp; push %eax");
}

static const struct death deaths[] = {
	{ 'a', "UD2 without an IDT", ud2_beyond_idt },
	{ 'b', "SS0 is null", no_inner_ss },
	{ 'c', "a TSS without ESP0", short_tss },
	{ 'd', "a stack beyond its limit", short_stack },
	{ 'e', "a read beyond a limit", short_segment },
	{ 'f', "a selector beyond the GDT", bad_selector },
	{ 'g', "a stack that is not mapped", stack_not_mapped },
	{ 'h', "handlers with a null selector", null_selector },
	{ 'i', "handlers with a selector beyond the GDT", selector_beyond_gdt },
	{ 'j', "handlers in a data segment", selector_of_data },
	{ 'k', "handlers in a segment that is not present", code_not_present },
};

#else

static void short_table(void)
{
	static const struct {
		u16 limit;
		u32 base;
	} __packed idtr = { 0x0f, 0 };

	asm volatile("lidt %0; ud2" : : "m"(idtr));
}

static const struct death deaths[] = {
	{ 'a', "an interrupt table that is too short", short_table },
};
#endif

GUEST("deaths")
{
	char letter;

	while (!(inb(COM1_LSR) & LSR_DATA))
		cpu_pause();
	letter = inb(PORT_COM1);
	for (u32 i = 0; i < ARRAY_SIZE(deaths); i++) {
		if (deaths[i].letter != letter)
			continue;
		print("%s\n", deaths[i].name);
		console_drain();
		deaths[i].die();
	}
	print("FAIL deaths: still here\n");
	guest_exit(VERDICT_FAIL);
}
