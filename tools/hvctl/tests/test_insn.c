// SPDX-License-Identifier: GPL-2.0-only
/* Instructions on a device beyond registers and operands: segments, stacks, branches, faults. */
#include "insn_test.h"

/* -------------------------------------------------------------------- segments */

static void test_limits(void **state)
{
	(void)state;
	sregs.seg[TINYVMX_DS].limit = CHIP + 3;
	DO(32, "\x8b\x03");                           /* mov eax, [ebx] */
	FAULTS(32, "\x8b\x43\x01", X86_VECTOR_GP, 0); /* mov eax, [ebx+1] */
	sregs.seg[TINYVMX_SS].limit = CHIP + 3;
	FAULTS(32, "\x36\x89\x43\x01", X86_VECTOR_SS, 0); /* mov ss:[ebx+1], eax */
	sregs.seg[TINYVMX_DS].limit = UINT32_MAX;
	sregs.seg[TINYVMX_DS].ar = 0x91;
	FAULTS(32, "\x89\x03", X86_VECTOR_GP, 0);     /* mov [ebx], eax: read-only */
	FAULTS(32, "\xd1\x23", X86_VECTOR_GP, 0);     /* shl dword [ebx], 1 */
	FAULTS(32, "\x2e\x89\x03", X86_VECTOR_GP, 0); /* mov cs:[ebx], eax */
	assert_int_equal(reads, 1);
	assert_int_equal(writes, 0);
	/* 64-bit code has no such thing. */
	DO(64, "\x89\x03");
}

/* The second element is beyond the limit: the first is done. */
static void test_limit_in_the_middle(void **state)
{
	(void)state;
	sregs.seg[TINYVMX_ES].limit = CHIP + 7;
	RDI = CHIP + 4, RCX = 3;
	assert_int_equal(emulate(32, "\xf3\xab", 2), HV_MMIO_FAULT); /* rep stosd */
	assert_int_equal(mmio.guest.fault.vector, X86_VECTOR_GP);
	assert_int_equal(RCX, 2);
	assert_int_equal(RDI, CHIP + 8);
	assert_int_equal(writes, 1);
	/* The other operand is as forbidden, and the chip is not read for it. */
	RSI = CHIP, RDI = CHIP + 8;
	FAULTS(32, "\xa5", X86_VECTOR_GP, 0); /* movsd */
	/* Both: the source's fault comes first. */
	sregs.seg[TINYVMX_SS].limit = 0;
	FAULTS(32, "\x36\xa5", X86_VECTOR_SS, 0); /* ss movsd */
	assert_int_equal(reads, 0);
}

static void test_canonical_ends(void **state)
{
	(void)state;
	mmio.guest.paging = (struct hv_paging){ .efer = X86_EFER_LME | X86_EFER_LMA };
	RBX = 0x7ffffffffffe;
	FAULTS(64, "\x8b\x03", X86_VECTOR_GP, 0); /* mov eax, [rbx] */
	regs.gpr[TINYVMX_RBP] = 0x7ffffffffffe;
	FAULTS(64, "\x8b\x45\x00", X86_VECTOR_SS, 0);         /* mov eax, [rbp] */
	FAULTS(64, "\xd1\x65\x00", X86_VECTOR_SS, 0);         /* shl dword [rbp], 1 */
	FAULTS(64, "\x0f\xba\x6d\x00\x01", X86_VECTOR_SS, 0); /* bts dword [rbp], 1 */
}

static void test_alignment(void **state)
{
	(void)state;
	mmio.guest.aligned = true;
	FAULTS(32, "\x8b\x43\x02", X86_VECTOR_AC, 0); /* mov eax, [ebx+2] */
	FAULTS(32, "\xd1\x63\x02", X86_VECTOR_AC, 0); /* shl dword [ebx+2], 1 */
	assert_int_equal(reads + writes, 0);
	DO(32, "\x8b\x43\x04");
	DO(32, "\x66\x8b\x43\x02"); /* mov ax, [ebx+2] */
}

/* ---------------------------------------------------------------------- stacks */

static void test_push_pop(void **state)
{
	(void)state;
	chip_put(0, 0x1122334455667788, 8);
	DO(64, "\xff\x33"); /* push qword [rbx] */
	assert_int_equal(RSP, STACK - 8);
	assert_int_equal(test_get(&memory, STACK - 8, 8), 0x1122334455667788);
	DO(64, "\x8f\x43\x10"); /* pop qword [rbx+16] */
	assert_int_equal(RSP, STACK);
	assert_int_equal(chip_get(16, 8), 0x1122334455667788);
	DO(32, "\xff\x33");
	assert_int_equal(RSP, STACK - 4);
	DO(32, "\x66\xff\x33");
	assert_int_equal(RSP, STACK - 6);
	/* A stack on the chip; an address by way of RSP is that behind the POP. */
	RSP = CHIP + 0x100;
	DO(64, "\x53"); /* push rbx */
	assert_int_equal(chip_get(0xf8, 8), CHIP);
	DO(64, "\x8f\x44\x24\x08"); /* pop qword [rsp+8] */
	assert_int_equal(chip_get(0x108, 8), CHIP);
	DO(64, "\x6a\xfe"); /* push -2 */
	assert_int_equal(chip_get(0xf8, 8), (uint64_t)-2);
	DO(64, "\x58"); /* pop rax */
	assert_int_equal(RAX, (uint64_t)-2);
	regs.rflags = 0x10246;
	DO(64, "\x9c"); /* pushfq: without RF */
	assert_int_equal(chip_get(0xf8, 8), 0x246);
	regs.gpr[TINYVMX_RBP] = CHIP + 0xf8;
	DO(64, "\xc9"); /* leave */
	assert_int_equal(regs.gpr[TINYVMX_RBP], 0x246);
	assert_int_equal(RSP, CHIP + 0x100);
	DO(32, "\x1e"); /* push ds */
	assert_int_equal(RSP, CHIP + 0xfc);
}

static void test_enter(void **state)
{
	(void)state;
	RSP = CHIP + 0x100;
	regs.gpr[TINYVMX_RBP] = 0x1122334455667788;
	DO(64, "\xc8\x80\x00\x00"); /* enter 0x80, 0 */
	assert_int_equal(chip_get(0xf8, 8), 0x1122334455667788);
	assert_int_equal(regs.gpr[TINYVMX_RBP], CHIP + 0xf8);
	assert_int_equal(RSP, CHIP + 0x78);
	/* The whole frame has to be there, or nothing happens. */
	sregs.seg[TINYVMX_SS] = (struct tinyvmx_segment){ .limit = 0xffff, .ar = 0x93 };
	RSP = 0x10;
	chip_put(0xf8, 0, 8);
	sregs.seg[TINYVMX_SS].limit = 0x1fff;
	FAULTS(32, "\xc8\x00\x10\x00", X86_VECTOR_SS, 0);
	assert_int_equal(RSP, 0x10);
	assert_int_equal(emulate(64, "\xc8\x80\x00\x01", 4), HV_MMIO_UNSUPPORTED);
}

/* A small stack counts in SP alone, and its limit is #SS. */
static void test_stack_rules(void **state)
{
	(void)state;
	sregs.seg[TINYVMX_SS] = (struct tinyvmx_segment){ .limit = 0xffff, .ar = 0x93 };
	RSP = 0xabcd0000;
	DO(32, "\xff\x33"); /* push dword [ebx] */
	assert_int_equal(RSP, 0xabcdfffc);
	sregs.seg[TINYVMX_SS].limit = 0x7fff;
	reads = 0;
	FAULTS(32, "\xff\x33", X86_VECTOR_SS, 0);
	FAULTS(32, "\xff\x13", X86_VECTOR_SS, 0); /* call [ebx] */
	/* The chip is not read for a push that cannot be. */
	assert_int_equal(reads, 0);
	mmio.guest.paging.efer = X86_EFER_LME | X86_EFER_LMA;
	RSP = 0x800000000004;
	FAULTS(64, "\xff\x33", X86_VECTOR_SS, 0);
	regs.rflags |= X86_RFLAGS_VM;
	assert_int_equal(emulate(32, "\x9c", 1), HV_MMIO_UNSUPPORTED);
}

static void test_near_branches(void **state)
{
	(void)state;
	chip_put(0, 0x12345678, 8);
	GOES_TO(64, "\xff\x23", 0x12345678); /* jmp [rbx] */
	GOES_TO(64, "\xff\x13", 0x12345678); /* call [rbx] */
	assert_int_equal(test_get(&memory, RSP, 8), CODE + 2);
	GOES_TO(16, "\x67\xff\x23", 0x5678); /* jmp word [ebx] */
	RSP = CHIP + 0x100;
	GOES_TO(32, "\xe8\x00\x01\x00\x00", CODE + 0x105); /* call, onto the chip */
	assert_int_equal(chip_get(0xfc, 4), CODE + 5);
	GOES_TO(32, "\xc2\x04\x00", CODE + 5); /* ret 4 */
	assert_int_equal(RSP, CHIP + 0x104);
	sregs.seg[TINYVMX_CS].limit = 0xffff;
	FAULTS(32, "\xff\x23", X86_VECTOR_GP, 0);
	RSP = STACK;
	FAULTS(32, "\xff\x13", X86_VECTOR_GP, 0);
	mmio.guest.paging.efer = X86_EFER_LME | X86_EFER_LMA;
	chip_put(0, 1ULL << 47, 8);
	FAULTS(64, "\xff\x23", X86_VECTOR_GP, 0);
}

/* ---------------------------------------------------------- segments and tables */

static void put_descriptor(unsigned int selector, uint64_t value)
{
	test_put64(&memory, GDT + (selector & ~7u), value);
	sregs.gdt_base = GDT;
	sregs.gdt_limit = 0x3f;
}

static void test_load_segment(void **state)
{
	(void)state;
	put_descriptor(0x08, 0x00cf92000010ffff);
	put_descriptor(0x10, 0x00cf98000000ffff); /* execute-only */
	put_descriptor(0x18, 0x00cf12000000ffff); /* not present */
	chip_put(0, 0x08, 2);
	DO(32, "\x8e\x23"); /* mov fs, [ebx] */
	assert_int_equal(sregs.seg[TINYVMX_FS].base, 0x10);
	assert_int_equal(sregs.seg[TINYVMX_FS].limit, UINT32_MAX);
	assert_int_equal(sregs.seg[TINYVMX_FS].ar, 0xc093);
	/* Accessed. */
	assert_int_equal(test_get(&memory, GDT + 8 + 5, 1), 0x93);
	DO(32, "\x8c\x63\x04"); /* mov [ebx+4], fs */
	assert_int_equal(chip_get(4, 4), 0x08);
	chip_put(0, 0x10, 2);
	FAULTS(32, "\x8e\x23", X86_VECTOR_GP, 0x10);
	chip_put(0, 0x1b, 2);
	FAULTS(32, "\x8e\x23", X86_VECTOR_GP, 0x18); /* RPL 3 */
	chip_put(0, 0x18, 2);
	FAULTS(32, "\x8e\x23", X86_VECTOR_NP, 0x18);
	chip_put(0, 0x40, 2);
	FAULTS(32, "\x8e\x23", X86_VECTOR_GP, 0x40); /* beyond the table */
	chip_put(0, 0x0c, 2);
	FAULTS(32, "\x8e\x23", X86_VECTOR_GP, 0x0c); /* no LDT */
	chip_put(0, 3, 2);
	DO(32, "\x8e\x23");
	assert_true(sregs.seg[TINYVMX_FS].ar & TINYVMX_AR_UNUSABLE);
	assert_int_equal(emulate(32, "\x8e\x13", 2), HV_MMIO_UNSUPPORTED); /* mov ss, [ebx] */
	assert_string_equal(mmio.why,
			    "mov ss, [ebx] loads SS, and hvctl does not do that on a device");
	broken = TINYVMX_STATE_SREGS;
	assert_int_equal(emulate(64, "\x8e\x23", 2), HV_MMIO_UNSUPPORTED);
}

/* The task's descriptor becomes busy. */
static void test_load_task(void **state)
{
	(void)state;
	put_descriptor(0x10, 0x00008912345000ff);
	put_descriptor(0x18, 0x00cf93000000ffff); /* data */
	put_descriptor(0x20, 0x00000900000000ff); /* not present */
	chip_put(0, 0x10, 2);
	DO(32, "\x0f\x00\x1b"); /* ltr [ebx] */
	assert_int_equal(sregs.seg[TINYVMX_TR].selector, 0x10);
	assert_int_equal(sregs.seg[TINYVMX_TR].base, 0x123450);
	assert_int_equal(sregs.seg[TINYVMX_TR].limit, 0xff);
	assert_int_equal(sregs.seg[TINYVMX_TR].ar, 0x8b);
	assert_int_equal(test_get(&memory, GDT + 0x10 + 5, 1), 0x8b);
	FAULTS(32, "\x0f\x00\x1b", X86_VECTOR_GP, 0x10); /* it is busy now */
	chip_put(0, 0x18, 2);
	FAULTS(32, "\x0f\x00\x1b", X86_VECTOR_GP, 0x18);
	chip_put(0, 0x20, 2);
	FAULTS(32, "\x0f\x00\x1b", X86_VECTOR_NP, 0x20);
	chip_put(0, 0x14, 2);
	FAULTS(32, "\x0f\x00\x1b", X86_VECTOR_GP, 0x14); /* of an LDT */
	chip_put(0, 0, 2);
	FAULTS(32, "\x0f\x00\x1b", X86_VECTOR_GP, 0);
	/* Of 16 bytes in long mode. */
	mmio.guest.paging.efer = X86_EFER_LME | X86_EFER_LMA;
	put_descriptor(0x10, 0x00008912345000ff);
	put_descriptor(0x18, 0xffff8000);
	regs.gpr[TINYVMX_RAX] = 0x10;
	DO(64, "\x0f\x00\xd8"); /* ltr ax */
	assert_true(sregs.seg[TINYVMX_TR].base == 0xffff800000123450);
	put_descriptor(0x10, 0x00008912345000ff);
	sregs.gdt_limit = 0x1e;
	FAULTS(64, "\x0f\x00\xd8", X86_VECTOR_GP, 0x10);
	mmio.guest.paging.cr0 &= ~X86_CR0_PE;
	FAULTS(16, "\x0f\x00\xd8", X86_VECTOR_UD, 0);
}

/* An exit as the CPU's write to @gpa makes it, from linear address @gla. */
static bool marks(uint64_t gla, uint64_t gpa, uint32_t flags)
{
	struct tinyvmx_run run = {
		.regs = regs,
		.mmio = { .gla = gla, .gpa = gpa, .flags = flags, .paging.cr0 = X86_CR0_PE },
	};

	return hv_mmio_mark_descriptor(&mmio, &run);
}

#define ROM 0xffffe000u
#define WRITES (TINYVMX_MMIO_WRITE | TINYVMX_MMIO_GLA_VALID)

static uint8_t type_at(uint64_t offset)
{
	return test_get(&memory, ROM + offset + 5, 1);
}

static void put_rom(void)
{
	struct hv_error err;

	assert_int_equal(hv_memory_add_rom(&memory, 0x2000, &err), 0);
	sregs.gdt_base = ROM;
	sregs.gdt_limit = 0x1f;
	sregs.seg[TINYVMX_LDTR] =
		(struct tinyvmx_segment){ .base = ROM + 0x104, .limit = 0xf, .ar = 0x82 };
	test_put64(&memory, ROM + 0x08, 0x00cf9a000000ffff);
	test_put64(&memory, ROM + 0x10, 0x00cf92000000ffff);
	test_put64(&memory, ROM + 0x18, 0x00008912345000ff); /* a TSS */
	test_put64(&memory, ROM + 0x20, 0x00cf92000000ffff); /* behind the limit */
	test_put64(&memory, ROM + 0x10c, 0x00cff2000000ffff);
}

/* What the CPU notes in a descriptor in ROM is noted for it, once. */
static void test_marks_in_rom(void **state)
{
	(void)state;
	put_rom();
	assert_true(marks(ROM + 0x0d, ROM + 0x0d, WRITES));
	assert_int_equal(type_at(0x08), 0x9b);
	assert_int_equal(type_at(0x10), 0x92);
	assert_false(marks(ROM + 0x0d, ROM + 0x0d, WRITES));
	/* A second store; and what another vCPU has marked since it came to this exit. */
	assert_true(marks(ROM + 0x0d, ROM + 0x0d, WRITES));
	assert_false(marks(ROM + 0x0d, ROM + 0x0d, WRITES));
	test_put64(&memory, ROM + 0x10, 0x00cf93000000ffff);
	assert_true(marks(ROM + 0x15, ROM + 0x15, WRITES));
	assert_false(marks(ROM + 0x15, ROM + 0x15, WRITES));
	test_put64(&memory, ROM + 0x10, 0x00cf92000000ffff);
	/* CPUs may write more than that byte; and an event may be what they are at. */
	assert_true(marks(ROM + 0x14, ROM + 0x14, WRITES | TINYVMX_MMIO_WALK));
	assert_int_equal(type_at(0x10), 0x93);
	assert_true(marks(ROM + 0x111, ROM + 0x111, WRITES)); /* in the LDT */
	assert_int_equal(type_at(0x10c), 0xf3);
}

static void test_no_marks(void **state)
{
	(void)state;
	put_rom();
	assert_false(marks(ROM + 0x1d, ROM + 0x1d, WRITES));
	assert_false(marks(ROM + 0x25, ROM + 0x25, WRITES));
	assert_false(marks(ROM + 0x0d, ROM + 0x0d, TINYVMX_MMIO_READ | TINYVMX_MMIO_GLA_VALID));
	assert_false(marks(ROM + 0x0d, ROM + 0x0d, TINYVMX_MMIO_WRITE));
	/* Page tables in ROM, on the way there. */
	assert_false(marks(ROM + 0x0d, ROM + 0x800, WRITES));
	sregs.seg[TINYVMX_LDTR].ar = TINYVMX_AR_UNUSABLE;
	assert_false(marks(ROM + 0x111, ROM + 0x111, WRITES));
	/* Its type is in another page, which may lie elsewhere. */
	sregs.gdt_base = ROM + 0xffa;
	test_put64(&memory, ROM + 0xffa, 0x00cf9a000000ffff);
	assert_false(marks(ROM + 0x1000, ROM + 0x1000, WRITES));
	/* No ROM, and none of the vCPU's state. */
	sregs.gdt_base = CHIP;
	assert_false(marks(CHIP + 0x0d, CHIP + 0x0d, WRITES));
	sregs.gdt_base = ROM;
	broken = TINYVMX_STATE_SREGS;
	assert_false(marks(ROM + 0x0d, ROM + 0x0d, WRITES));
	assert_int_equal(type_at(0x08), 0x9a);
	assert_int_equal(type_at(0x10c), 0xf2);
}

static void test_load_far(void **state)
{
	(void)state;
	put_descriptor(0x08, 0x00cf93000010ffff);
	chip_put(0, 0x0008deadbeef, 6);
	DO(32, "\x0f\xb4\x03"); /* lfs eax, [ebx] */
	assert_int_equal(RAX, 0xdeadbeef);
	assert_int_equal(sregs.seg[TINYVMX_FS].selector, 8);
	mmio.guest.paging.cr0 = 0;
	chip_put(0, 0x1234abcd, 4);
	DO(16, "\x67\xc4\x03"); /* les ax, [ebx]: real mode */
	assert_int_equal(RAX & 0xffff, 0xabcd);
	assert_int_equal(sregs.seg[TINYVMX_ES].base, 0x12340);
}

static void test_far_branches(void **state)
{
	(void)state;
	put_descriptor(0x08, 0x00cf9b000000ffff);
	put_descriptor(0x10, 0x00009b000000ffff); /* 16-bit code */
	put_descriptor(0x18, 0x00008c0000080000); /* a call gate */
	put_descriptor(0x20, 0x00cffb000000ffff); /* DPL 3 */
	chip_put(0, 0x001000004321, 6);
	GOES_TO(32, "\xff\x2b", 0x4321); /* jmp far [ebx] */
	assert_int_equal(sregs.seg[TINYVMX_CS].selector, 0x10);
	assert_int_equal(mmio.code_bits, 16);
	chip_put(0, 0x000800014321, 6);
	GOES_TO(32, "\xff\x1b", 0x14321); /* call far [ebx] */
	assert_int_equal(test_get(&memory, RSP, 4), CODE + 2);
	assert_int_equal(test_get(&memory, RSP + 4, 4), 0x10);
	chip_put(4, 0x20, 2);
	FAULTS(32, "\xff\x2b", X86_VECTOR_GP, 0x20);
	chip_put(4, 0, 2);
	FAULTS(32, "\xff\x2b", X86_VECTOR_GP, 0);
	chip_put(4, 0x10, 2);
	FAULTS(32, "\xff\x1b", X86_VECTOR_GP, 0); /* beyond the limit */
	chip_put(4, 0x18, 2);
	assert_int_equal(emulate(32, "\xff\x2b", 2), HV_MMIO_UNSUPPORTED);
	mmio.guest.paging.cr0 = 0;
	chip_put(0, 0x1234abcd, 4);
	GOES_TO(16, "\x67\xff\x2b", 0xabcd); /* real mode */
	assert_int_equal(sregs.seg[TINYVMX_CS].base, 0x12340);
}

static void test_tables(void **state)
{
	(void)state;
	sregs.gdt_base = 0xffff800000001234, sregs.gdt_limit = 0x7f;
	sregs.seg[TINYVMX_TR].selector = 0x28;
	sregs.cr0 = 0x80010033;
	DO(64, "\x0f\x01\x03"); /* sgdt [rbx] */
	assert_int_equal(chip_get(0, 2), 0x7f);
	assert_int_equal(chip_get(2, 8), 0xffff800000001234);
	DO(64, "\x0f\x01\x1b"); /* lidt [rbx] */
	assert_int_equal(sregs.idt_base, 0xffff800000001234);
	assert_int_equal(sregs.idt_limit, 0x7f);
	DO(64, "\x0f\x00\x4b\x10"); /* str [rbx+16] */
	assert_int_equal(chip_get(16, 8), 0x28);
	DO(64, "\x0f\x01\x63\x18"); /* smsw [rbx+24] */
	assert_int_equal(chip_get(24, 8), 0x33);
	DO(16, "\x67\x0f\x01\x13"); /* lgdt [ebx]: 24 bits of base */
	assert_int_equal(sregs.gdt_base, 0x001234);
	mmio.guest.paging.user = true;
	FAULTS(64, "\x0f\x01\x1b", X86_VECTOR_GP, 0);
	mmio.guest.paging.user = false;
	mmio.guest.paging.efer = X86_EFER_LME | X86_EFER_LMA;
	chip_put(2, 1ULL << 50, 8);
	FAULTS(64, "\x0f\x01\x1b", X86_VECTOR_GP, 0);
	broken = TINYVMX_STATE_SREGS;
	assert_int_equal(emulate(64, "\x0f\x01\x03", 3), HV_MMIO_UNSUPPORTED);
}

static void test_prevented(void **state)
{
	(void)state;
	DO(64, "\x0f\x01\x03"); /* sgdt [rbx] */
	mmio.guest.paging.user = true;
	DO(64, "\x0f\x01\x23"); /* smsw [rbx] */
	mmio.guest.paging.cr4 = X86_CR4_UMIP;
	FAULTS(64, "\x0f\x01\x03", X86_VECTOR_GP, 0);
	FAULTS(64, "\x0f\x01\x23", X86_VECTOR_GP, 0);
}

static void test_nothing(void **state)
{
	(void)state;
	DO(64, "\x0f\xae\x3b");     /* clflush [rbx] */
	DO(64, "\x66\x0f\xae\x3b"); /* clflushopt [rbx] */
	DO(64, "\x66\x0f\xae\x33"); /* clwb [rbx] */
	DO(64, "\x0f\x18\x0b");     /* prefetcht0 [rbx] */
	assert_int_equal(reads + writes, 0);
	chip[0x21] = 0x99;
	RBX = CHIP + 0x20, RAX = 1;
	DO(64, "\xd7"); /* xlat */
	assert_int_equal(RAX, 0x99);
}

/* ----------------------------------------------------------------- breakpoints */

static void test_breakpoints(void **state)
{
	(void)state;
	debug = (struct tinyvmx_debug){ .dr = { CHIP + 8 }, .dr7 = 3ULL << 16 | 3ULL << 18 | 2 };
	hv_mmio_load_breakpoints(&mmio);
	DO(64, "\x8b\x43\x0c"); /* mov eax, [rbx+12] */
	assert_int_equal(mmio.guest.dr6, 0);
	DO(64, "\x8a\x43\x0b"); /* mov al, [rbx+11] */
	assert_int_equal(mmio.guest.dr6, 1);
	mmio.guest.dr6 = 0;
	RDI = CHIP + 4, RCX = 4;
	assert_int_equal(emulate(64, "\xf3\xab", 2), HV_MMIO_DONE); /* rep stosd */
	assert_int_equal(mmio.guest.dr6, 1);
	assert_int_equal(RCX, 2);
	assert_int_equal(regs.rip, CODE);
	mmio.guest.debug = NULL;
	broken = TINYVMX_STATE_DEBUG;
	hv_mmio_load_breakpoints(&mmio);
	assert_null(mmio.guest.debug);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_limits),         T(test_limit_in_the_middle),
		T(test_canonical_ends), T(test_alignment),
		T(test_push_pop),       T(test_enter),
		T(test_stack_rules),    T(test_near_branches),
		T(test_load_segment),   T(test_load_far),
		T(test_far_branches),   T(test_load_task),
		T(test_marks_in_rom),   T(test_no_marks),
		T(test_tables),         T(test_prevented),
		T(test_nothing),        T(test_breakpoints),
	};

	return cmocka_run_group_tests_name("insn", tests, NULL, NULL);
}
