// SPDX-License-Identifier: GPL-2.0-only
/* Instructions on a device: what is read, written, flagged, and where RIP goes. */
#include "insn_test.h"

static void set_base(unsigned int segment, uint64_t base)
{
	sregs.seg[segment].base = base;
	mmio.sregs_read = false;
}

/* Of the chip's page is known already that it can be read and written. */
static int setup_known(void **state)
{
	int error = setup(state);

	for (size_t i = 0; i < sizeof(chip); i++)
		chip[i] = i;
	xsave.xcr0 = 3;
	mmio.guest.known = HV_KNOWN_READ | HV_KNOWN_WRITE;
	mmio.guest.known_gla = mmio.guest.known_gpa = CHIP;
	return error;
}

static void test_mov_load(void **state)
{
	(void)state;
	RAX = UINT64_MAX;
	DO(64, "\x8a\x43\x05"); /* mov al, [rbx+5] */
	assert_int_equal(RAX, 0xffffffffffffff05);
	DO(64, "\x8a\x63\x05"); /* mov ah, [rbx+5] */
	assert_int_equal(RAX, 0xffffffffffff0505);
	DO(64, "\x66\x8b\x43\x10"); /* mov ax, [rbx+16] */
	assert_int_equal(RAX, 0xffffffffffff1110);
	DO(64, "\x8b\x43\x10"); /* mov eax, [rbx+16] */
	assert_int_equal(RAX, 0x13121110);
	DO(64, "\x48\x8b\x43\x10"); /* mov rax, [rbx+16] */
	assert_int_equal(RAX, 0x1716151413121110);
	assert_int_equal(reads, 5);
	assert_int_equal(last_width, 8);
	DO(64, "\x4c\x8b\x7b\x10"); /* mov r15, [rbx+16] */
	assert_int_equal(regs.gpr[TINYVMX_R15], 0x1716151413121110);
}

static void test_mov_store(void **state)
{
	(void)state;
	RCX = 0x1122334455667788;
	DO(64, "\x88\x0b");     /* mov [rbx], cl */
	DO(64, "\x88\x6b\x01"); /* mov [rbx+1], ch */
	assert_int_equal(chip_get(0, 4), 0x03027788);
	DO(64, "\x66\x89\x0b"); /* mov [rbx], cx */
	DO(64, "\x89\x0b");     /* mov [rbx], ecx */
	assert_int_equal(chip_get(0, 8), 0x0706050455667788);
	DO(64, "\x48\x89\x0b"); /* mov [rbx], rcx */
	assert_int_equal(chip_get(0, 8), 0x1122334455667788);
	DO(64, "\x48\xc7\x43\x08\xfe\xff\xff\xff"); /* mov qword [rbx+8], -2 */
	assert_int_equal(chip_get(8, 8), 0xfffffffffffffffe);
	DO(64, "\x66\xc7\x03\x34\x12"); /* mov word [rbx], 0x1234 */
	assert_int_equal(chip_get(0, 4), 0x55661234);
	DO(64, "\x48\x0f\xc3\x0b"); /* movnti [rbx], rcx */
	assert_int_equal(chip_get(0, 8), 0x1122334455667788);
}

static void test_mov_moffs(void **state)
{
	(void)state;
	DO(64, "\xa1\x10\x00\x00\x10\x00\x00\x00\x00"); /* mov eax, [0x10000010] */
	assert_int_equal(RAX, 0x13121110);
	RAX = 0x42;
	DO(32, "\xa2\x10\x00\x00\x10"); /* mov [0x10000010], al */
	assert_int_equal(chip[0x10], 0x42);
}

static void test_extend(void **state)
{
	(void)state;
	chip[0x20] = 0x80;
	chip[0x21] = 0xff;
	RAX = UINT64_MAX;
	DO(64, "\x0f\xb6\x43\x20"); /* movzx eax, byte [rbx+32] */
	assert_int_equal(RAX, 0x80);
	DO(64, "\x0f\xbe\x43\x20"); /* movsx eax, byte */
	assert_int_equal(RAX, 0xffffff80);
	DO(64, "\x48\x0f\xbf\x43\x20"); /* movsx rax, word */
	assert_int_equal(RAX, 0xffffffffffffff80);
	memcpy(chip + 0x20, "\x00\x00\x00\x80", 4);
	DO(64, "\x48\x63\x43\x20"); /* movsxd rax, dword */
	assert_int_equal(RAX, 0xffffffff80000000);
	DO(64, "\x48\x0f\x38\xf0\x43\x10"); /* movbe rax, [rbx+16] */
	assert_int_equal(RAX, 0x1011121314151617);
}

static void test_alu(void **state)
{
	(void)state;
	RAX = 0xff00ff00;
	chip[0] = 0xf0, chip[1] = 0xf0, chip[2] = 0, chip[3] = 0x80;
	DO(64, "\x21\x03"); /* and [rbx], eax */
	assert_int_equal(chip_get(0, 4), 0x8000f000);
	assert_int_equal(regs.rflags & (X86_RFLAGS_SF | X86_RFLAGS_ZF), X86_RFLAGS_SF);
	DO(64, "\xf0\x83\x0b\x01"); /* lock or dword [rbx], 1 */
	assert_int_equal(chip_get(0, 4), 0x8000f001);
	DO(64, "\x83\x23\xfe"); /* and dword [rbx], -2 */
	assert_int_equal(chip_get(0, 4), 0x8000f000);
	DO(64, "\x48\x03\x43\x10"); /* add rax, [rbx+16] */
	assert_int_equal(RAX, 0x1716151512131010);
	RAX = 0x13121110;
	writes = 0;
	DO(64, "\x39\x43\x10"); /* cmp [rbx+16], eax */
	assert_true(regs.rflags & X86_RFLAGS_ZF);
	DO(64, "\xf6\x43\x10\x01"); /* test byte [rbx+16], 1 */
	assert_true(regs.rflags & X86_RFLAGS_ZF);
	assert_int_equal(writes, 0);
	DO(64, "\xfe\x43\x10"); /* inc byte [rbx+16] */
	assert_int_equal(chip[0x10], 0x11);
	DO(64, "\xf6\x53\x10"); /* not byte */
	assert_int_equal(chip[0x10], 0xee);
	DO(64, "\xf6\x5b\x10"); /* neg byte */
	assert_int_equal(chip[0x10], 0x12);
	assert_true(regs.rflags & X86_RFLAGS_CF);
}

static void test_exchange(void **state)
{
	(void)state;
	RAX = 0xaabbccdd;
	DO(64, "\x87\x03"); /* xchg [rbx], eax */
	assert_int_equal(RAX, 0x03020100);
	assert_int_equal(chip_get(0, 4), 0xaabbccdd);
	RAX = 1;
	DO(64, "\xf0\x0f\xc1\x03"); /* lock xadd [rbx], eax */
	assert_int_equal(RAX, 0xaabbccdd);
	assert_int_equal(chip_get(0, 4), 0xaabbccde);
	RCX = 7;
	DO(64, "\xf0\x0f\xb1\x0b"); /* lock cmpxchg [rbx], ecx */
	assert_false(regs.rflags & X86_RFLAGS_ZF);
	assert_int_equal(RAX, 0xaabbccde);
	DO(64, "\xf0\x0f\xb1\x0b");
	assert_true(regs.rflags & X86_RFLAGS_ZF);
	assert_int_equal(chip_get(0, 4), 7);
}

static void test_bits(void **state)
{
	(void)state;
	DO(64, "\x0f\xba\x23\x08"); /* bt dword [rbx], 8: byte 1 is 1 */
	assert_true(regs.rflags & X86_RFLAGS_CF);
	DO(64, "\x0f\xba\x33\x08"); /* btr dword [rbx], 8 */
	assert_int_equal(chip[1], 0);
	RCX = 0x80;
	DO(64, "\x0f\xab\x0b"); /* bts [rbx], ecx: bit 128 is byte 16, bit 0 */
	assert_int_equal(chip[0x10], 0x11);
	assert_false(regs.rflags & X86_RFLAGS_CF);
	regs.gpr[TINYVMX_RBX] = CHIP + 16;
	RCX = (uint32_t)-128;
	DO(64, "\x0f\xbb\x0b"); /* btc [rbx], ecx: backwards to byte 0 */
	assert_int_equal(chip[0], 1);
}

static void test_addressing(void **state)
{
	(void)state;
	RCX = 4;
	DO(64, "\x8b\x44\x8b\xf8"); /* mov eax, [rbx+rcx*4-8] */
	assert_int_equal(RAX, 0x0b0a0908);
	/* RIP-relative: the chip is CHIP - next RIP away. */
	DO(64, "\x8b\x05\xfa\xef\xff\x0f"); /* mov eax, [rip+0x0fffeffa] */
	assert_int_equal(RAX, 0x03020100);
	/* FS has a base in 64-bit mode, DS has not. */
	set_base(TINYVMX_FS, 0x10);
	set_base(TINYVMX_DS, 0x20);
	DO(64, "\x64\x8b\x03"); /* mov eax, fs:[rbx] */
	assert_int_equal(RAX, 0x13121110);
	DO(32, "\x8b\x03"); /* mov eax, [ebx] */
	assert_int_equal(RAX, 0x23222120);
	/* 32-bit addresses wrap. */
	set_base(TINYVMX_DS, 0xfffffff0);
	regs.gpr[TINYVMX_RBX] = CHIP + 0x30;
	DO(32, "\x8b\x03");
	assert_int_equal(RAX, 0x23222120);
	/* 16-bit code: DS base 0x10000000, [bx+si]. */
	set_base(TINYVMX_DS, CHIP);
	regs.gpr[TINYVMX_RBX] = 0xabcd0010;
	RSI = 0xffff;
	DO(16, "\x8a\x00"); /* mov al, [bx+si] */
	assert_int_equal(RAX & 0xff, 0x0f);
}

static void test_across_the_end_of_the_page(void **state)
{
	(void)state;
	regs.gpr[TINYVMX_RBX] = CHIP - 2;
	DO(64, "\x8b\x03"); /* two bytes of nobody's, two of the chip's */
	assert_int_equal(RAX, 0x0100ffff);
}

static void test_movs(void **state)
{
	(void)state;
	test_put(&memory, 0x5000, "abcdefgh", 8);
	RSI = 0x5000, RDI = CHIP + 0x40, RCX = 4;
	DO(64, "\xf3\x66\xa5"); /* rep movsw: RAM to chip */
	assert_memory_equal(chip + 0x40, "abcdefgh", 8);
	assert_int_equal(writes, 4);
	assert_int_equal(RCX, 0);
	assert_int_equal(RSI, 0x5008);
	RSI = CHIP + 0x44, RDI = 0x6003;
	regs.rflags |= X86_RFLAGS_DF;
	DO(64, "\xa4"); /* movsb: chip to RAM, backwards */
	assert_int_equal(test_get(&memory, 0x6003, 1), 'e');
	assert_int_equal(RDI, 0x6002);
}

static void test_stos_lods(void **state)
{
	(void)state;
	RAX = 0x1122334455667788, RDI = CHIP, RCX = 3;
	DO(64, "\xf3\x48\xab"); /* rep stosq */
	assert_int_equal(chip_get(16, 8), RAX);
	assert_int_equal(chip[24], 24);
	RSI = CHIP + 0x80;
	DO(64, "\xad"); /* lodsd */
	assert_int_equal(RAX, 0x83828180);
	DO(64, "\xac"); /* lodsb */
	assert_int_equal(RAX, 0x83828184);
	RCX = 0;
	DO(64, "\xf3\xaa"); /* rep stosb, zero times */
	assert_int_equal(writes, 3);
}

static void test_compare_strings(void **state)
{
	(void)state;
	RAX = 0x14, RDI = CHIP + 0x10, RCX = 100;
	DO(64, "\xf2\xae"); /* repne scasb */
	assert_int_equal(RDI, CHIP + 0x15);
	assert_int_equal(RCX, 95);
	assert_true(regs.rflags & X86_RFLAGS_ZF);
	test_put(&memory, 0x5000, "\x10\x11\x12\x99", 4);
	RSI = 0x5000, RDI = CHIP + 0x10, RCX = 100;
	DO(64, "\xf3\xa6"); /* repe cmpsb */
	assert_int_equal(RSI, 0x5004);
	assert_int_equal(RCX, 96);
	assert_false(regs.rflags & X86_RFLAGS_ZF);
}

static void test_long_rep_comes_back(void **state)
{
	(void)state;
	RDI = CHIP, RCX = HV_MMIO_BATCH + 10;
	assert_int_equal(emulate(64, "\xf3\xaa", 2), HV_MMIO_DONE);
	assert_int_equal(regs.rip, CODE);
	assert_int_equal(RCX, 10);
	assert_int_equal(emulate(64, "\xf3\xaa", 2), HV_MMIO_DONE);
	assert_int_equal(regs.rip, CODE + 2);
	assert_int_equal(writes, HV_MMIO_BATCH + 10);
}

static void test_segments_of_strings(void **state)
{
	(void)state;
	set_base(TINYVMX_ES, CHIP);
	set_base(TINYVMX_GS, 0x5000);
	test_put(&memory, 0x5004, "x", 1);
	RSI = 4, RDI = 0xffff0030;
	DO(16, "\x65\xa4"); /* gs movsb */
	assert_int_equal(chip[0x30], 'x');
	assert_int_equal(RDI, 0xffff0031);
}

static void test_fault_of_the_other_operand(void **state)
{
	(void)state;
	test_put(&memory, CODE, "\xa5", 1); /* movsd */
	/* Two levels: the code's page and, read-only, the destination's. */
	test_put32(&memory, 0x8000, 0x9000 | X86_PTE_P | X86_PTE_W);
	test_put32(&memory, 0x9004, 0x1000 | X86_PTE_P);
	test_put32(&memory, 0x9014, 0x5000 | X86_PTE_P);
	RSI = CHIP, RDI = 0x5000;
	mmio.guest.paging =
		(struct hv_paging){ .cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP, .cr3 = 0x8000 };
	mmio.code_bits = 32;
	assert_int_equal(hv_mmio_emulate(&mmio), HV_MMIO_FAULT);
	assert_int_equal(mmio.guest.fault.vector, X86_VECTOR_PF);
	assert_int_equal(mmio.guest.fault.cr2, 0x5000);
	assert_int_equal(mmio.guest.fault.error_code, X86_PF_P | X86_PF_W);
	assert_int_equal(reads, 0);
	assert_int_equal(regs.rip, CODE);
}

/* The CPU has translated the access that it made, not another kind of access. */
static void test_known_for_reading_alone(void **state)
{
	(void)state;
	/* movsd in the chip's page, which is mapped read-only, and only half of it is a write. */
	test_put(&memory, CODE, "\xa5", 1);
	test_put32(&memory, 0x8000, 0x9000 | X86_PTE_P | X86_PTE_W);
	test_put32(&memory, 0x8000 + 4 * (CHIP >> 22), 0xa000 | X86_PTE_P | X86_PTE_W);
	test_put32(&memory, 0x9004, CODE | X86_PTE_P);
	test_put32(&memory, 0xa000, CHIP | X86_PTE_P);
	RSI = CHIP, RDI = CHIP + 0x80;
	mmio.guest.known = HV_KNOWN_READ;
	mmio.guest.paging =
		(struct hv_paging){ .cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP, .cr3 = 0x8000 };
	mmio.code_bits = 32;
	assert_int_equal(hv_mmio_emulate(&mmio), HV_MMIO_FAULT);
	assert_int_equal(mmio.guest.fault.cr2, CHIP + 0x80);
	assert_int_equal(mmio.guest.fault.error_code, X86_PF_P | X86_PF_W);
	assert_int_equal(reads + writes, 0);
	mmio.guest.known = HV_KNOWN_READ | HV_KNOWN_WRITE;
	assert_int_equal(hv_mmio_emulate(&mmio), HV_MMIO_DONE);
	assert_int_equal(chip[0x80], 0);
}

static void unsupported(const char *code, size_t len)
{
	regs.rip = CODE;
	assert_int_equal(emulate(64, code, len), HV_MMIO_UNSUPPORTED);
	assert_non_null(mmio.why);
	assert_int_equal(regs.rip, CODE);
	assert_int_equal(reads + writes, 0);
}

#define UNSUPPORTED(code) unsupported(code, sizeof(code) - 1)

static void test_unsupported(void **state)
{
	(void)state;
	UNSUPPORTED("\x0f\xae\x03");             /* fxsave [rbx] */
	UNSUPPORTED("\x0f\x0b\xff\xff\xff\xff"); /* ud2 */
	UNSUPPORTED("\xf4");                     /* hlt */
	UNSUPPORTED("\x0f\x01\x3b");             /* invlpg [rbx] */
	assert_string_equal(
		mmio.why,
		"invlpg [rbx] is about the CPU's own tables, and hvctl does not do that on a device");
	regs.rip = 4 * HV_MIB;
	assert_int_equal(hv_mmio_emulate(&mmio), HV_MMIO_UNSUPPORTED);
}

/* An exit's facts decide all of it: code size, privilege, what the CPU has checked. */
static void test_facts_of_an_exit(void **state)
{
	static struct tinyvmx_run run;

	(void)state;
	test_put(&memory, CODE, "\x89\x07", 2); /* mov [edi], eax; in 16-bit code mov [bx], ax */
	run.regs = regs;
	run.regs.rip = CODE - 0x800;
	run.regs.gpr[TINYVMX_RAX] = 0x42;
	run.regs.gpr[TINYVMX_RDI] = CHIP;
	run.mmio = (struct tinyvmx_exit_mmio){
		.gpa = CHIP,
		.gla = CHIP,
		.flags = TINYVMX_MMIO_WRITE | TINYVMX_MMIO_GLA_VALID,
		.paging = { .cpl = 3 },
		.cs_base = 0x800,
		.cs_ar = TINYVMX_AR_DB,
	};
	assert_int_equal(hv_mmio_exit(&mmio, &run), HV_MMIO_DONE);
	assert_int_equal(chip_get(0, 4), 0x42);
	assert_int_equal(run.regs.rip, CODE - 0x800 + 2);
	assert_int_equal(mmio.code_bits, 32);
	assert_int_equal(mmio.guest.known, HV_KNOWN_READ | HV_KNOWN_WRITE);
	/* CPL is what the exit says, not what CS says: conforming code has less. */
	assert_true(mmio.guest.paging.user);
	run.regs.rip = CODE - 0x800;
	run.mmio.cs_ar = 3 << TINYVMX_AR_DPL_SHIFT;
	run.mmio.paging.cpl = 0;
	run.mmio.flags = TINYVMX_MMIO_READ | TINYVMX_MMIO_GLA_VALID;
	run.regs.gpr[TINYVMX_RBX] = 0x10;
	set_base(TINYVMX_DS, CHIP);
	assert_int_equal(hv_mmio_exit(&mmio, &run), HV_MMIO_DONE);
	assert_int_equal(chip_get(0x10, 4), 0x13120042);
	assert_int_equal(mmio.code_bits, 16);
	assert_int_equal(mmio.guest.known, HV_KNOWN_READ);
	assert_false(mmio.guest.paging.user);
}

/* ------------------------------------------------------ instructions known already */

static struct hv_mmio_insn *known_insn(void)
{
	struct hv_mmio_insn *found = NULL;

	for (unsigned int i = 0; i < HV_MMIO_INSNS; i++)
		if (mmio.insns[i].code_bits)
			found = &mmio.insns[i];
	assert_non_null(found);
	return found;
}

/* It is what it is remembered to be: here, on purpose, something else. */
static void test_known_is_not_decoded_again(void **state)
{
	(void)state;
	DO(64, "\x8b\x43\x10"); /* mov eax, [rbx+16] */
	known_insn()->insn.op[0].reg = TINYVMX_RCX;
	RAX = 0;
	DO(64, "\x8b\x43\x10");
	assert_int_equal(RAX, 0);
	assert_int_equal(RCX, 0x13121110);
}

static void test_changed_code(void **state)
{
	(void)state;
	DO(64, "\x8b\x43\x10"); /* mov eax, [rbx+16] */
	DO(64, "\x8b\x4b\x10"); /* mov ecx, [rbx+16] */
	assert_int_equal(RCX, 0x13121110);
	DO(64, "\x8b\x4b\x14"); /* the last byte of it */
	assert_int_equal(RCX, 0x17161514);
	DO(64, "\x66\x8b\x4b\x14"); /* a prefix more: another length */
	regs.rip = CODE;
	assert_int_equal(emulate(64, "\xf4", 1), HV_MMIO_UNSUPPORTED);
	assert_int_equal(emulate(64, "\xf4", 1), HV_MMIO_UNSUPPORTED);
	/* Its ninth byte and those behind are compared, too. */
	DO(64, "\xc7\x83\x10\x00\x00\x00\x44\x33\x22\x11"); /* mov dword [rbx+16], 0x11223344 */
	DO(64, "\xc7\x83\x10\x00\x00\x00\x44\x33\x22\x99");
	assert_int_equal(chip_get(0x10, 4), 0x99223344);
}

/* What lies behind an instruction is not a part of it. */
static void test_code_behind_it(void **state)
{
	(void)state;
	DO(64, "\x8b\x43\x10"); /* mov eax, [rbx+16] */
	known_insn()->insn.op[0].reg = TINYVMX_RCX;
	test_put(&memory, CODE + 3, "\xcc\xcc\xcc", 3);
	DO(64, "\x8b\x43\x10");
	assert_int_equal(RCX, 0x13121110);
}

static void test_other_code_size(void **state)
{
	(void)state;
	set_base(TINYVMX_DS, CHIP);
	DO(64, "\x89\x07"); /* mov [rdi], eax */
	RAX = 0x42, RDI = CHIP;
	DO(64, "\x89\x07");
	assert_int_equal(chip_get(0, 4), 0x42);
	RAX = 0x43, RDI = 8;
	DO(32, "\x89\x07"); /* mov [edi], eax; DS has a base */
	assert_int_equal(chip_get(8, 4), 0x43);
	RAX = 0x44, regs.gpr[TINYVMX_RBX] = 0x10;
	DO(16, "\x89\x07"); /* mov [bx], ax */
	assert_int_equal(chip_get(0x10, 4), 0x13120044);
	RAX = 0x45, RDI = CHIP + 0x20;
	DO(64, "\x89\x07");
	assert_int_equal(chip_get(0x20, 4), 0x45);
	regs.rip = CODE;
	assert_int_equal(emulate(64, "\x48\x8b\x07", 3), HV_MMIO_DONE); /* mov rax, [rdi] */
	regs.rip = CODE;
	assert_int_equal(emulate(32, "\x48\x8b\x07", 3), HV_MMIO_DONE); /* dec eax, alone */
	assert_int_equal(regs.rip, CODE + 1);
}

/* RIPs share the places in which instructions are remembered. */
static void test_other_rip(void **state)
{
	static const char first[] =
		"\x8b\x05\xfa\xef\xff\x0f"; /* mov eax, [rip+...]: the chip's first register */

	(void)state;
	for (unsigned int i = 0; i < 2 * HV_MMIO_INSNS; i++)
		test_put(&memory, CODE + 16 * i, first, 6);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 2 * HV_MMIO_INSNS; i++) {
			regs.rip = CODE + 16 * i;
			mmio.code_bits = 64;
			assert_int_equal(hv_mmio_emulate(&mmio), HV_MMIO_DONE);
			/* The same bytes reach another address from there. */
			assert_int_equal(RAX, 0x03020100 + (i * 0x10101010u & 0xf0f0f0f0u));
		}
	}
}

/* Long mode: the code's page at linear 0x400000, through a page table at 0xb000. */
static void long_mode(uint64_t cr3, uint64_t code_page)
{
	test_put64(&memory, cr3, (cr3 + 0x1000) | X86_PTE_P | X86_PTE_W);
	test_put64(&memory, cr3 + 0x1000, (cr3 + 0x2000) | X86_PTE_P | X86_PTE_W);
	test_put64(&memory, cr3 + 0x2010, (cr3 + 0x3000) | X86_PTE_P | X86_PTE_W);
	test_put64(&memory, cr3 + 0x3000, code_page | X86_PTE_P | X86_PTE_W);
	mmio.guest.paging = (struct hv_paging){
		.cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP,
		.cr3 = cr3,
		.cr4 = X86_CR4_PAE,
		.efer = X86_EFER_LME | X86_EFER_LMA,
	};
	mmio.code_bits = 64;
}

static uint64_t run_at(uint64_t rip)
{
	regs.rip = rip;
	RAX = 0;
	assert_int_equal(hv_mmio_emulate(&mmio), HV_MMIO_DONE);
	return RAX;
}

static void test_remapped_code(void **state)
{
	(void)state;
	test_put(&memory, 0x5000, "\x8b\x03", 2);     /* mov eax, [rbx] */
	test_put(&memory, 0x6000, "\x8b\x43\x10", 3); /* mov eax, [rbx+16] */
	test_put(&memory, 0x7000, "\x8b\x43\x20", 3); /* mov eax, [rbx+32] */
	long_mode(0x10000, 0x5000);
	long_mode(0x20000, 0x6000);
	assert_int_equal(run_at(0x400000), 0x13121110);
	/* Other page tables, and back. */
	long_mode(0x10000, 0x5000);
	assert_int_equal(run_at(0x400000), 0x03020100);
	long_mode(0x20000, 0x6000);
	assert_int_equal(run_at(0x400000), 0x13121110);
	/*
	 * Another page in the same page table; another page table in the same directory, and so
	 * on up.
	 */
	test_put64(&memory, 0x23000, 0x7000 | X86_PTE_P);
	assert_int_equal(run_at(0x400000), 0x23222120);
	test_put64(&memory, 0x22010, 0x13000 | X86_PTE_P);
	assert_int_equal(run_at(0x400000), 0x03020100);
	test_put64(&memory, 0x13000, 0x6000 | X86_PTE_P);
	test_put64(&memory, 0x21000, 0x12000 | X86_PTE_P);
	assert_int_equal(run_at(0x400000), 0x13121110);
	test_put64(&memory, 0x20000, 0);
	regs.rip = 0x400000;
	assert_int_equal(hv_mmio_emulate(&mmio), HV_MMIO_UNSUPPORTED);
}

/* Half of it in one page, half in the next, which then goes away, though zeroes would do. */
static void test_code_across_pages(void **state)
{
	(void)state;
	test_put(&memory, 0x5ffe, "\x8b\x83", 2); /* mov eax, [rbx+...] */
	test_put(&memory, 0x9000, "\0\0\0", 4);
	long_mode(0x10000, 0x5000);
	test_put64(&memory, 0x13008, 0x9000 | X86_PTE_P);
	assert_int_equal(run_at(0x400ffe), 0x03020100);
	assert_int_equal(run_at(0x400ffe), 0x03020100);
	test_put(&memory, 0x9000, "\x10", 1);
	assert_int_equal(run_at(0x400ffe), 0x13121110);
	test_put(&memory, 0x9000, "\0", 1);
	assert_int_equal(run_at(0x400ffe), 0x03020100);
	test_put64(&memory, 0x13008, 0);
	regs.rip = 0x400ffe;
	assert_int_equal(hv_mmio_emulate(&mmio), HV_MMIO_UNSUPPORTED);
	/* The last bytes of RAM are code as well. */
	test_put(&memory, 2 * HV_MIB - 2, "\x8b\x03", 2);
	test_put64(&memory, 0x13000, (2 * HV_MIB - 0x1000) | X86_PTE_P);
	assert_int_equal(run_at(0x400ffe), 0x03020100);
	assert_int_equal(run_at(0x400ffe), 0x03020100);
}

#define KNOWN(name) cmocka_unit_test_setup_teardown(name, setup_known, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KNOWN(test_mov_load),
		KNOWN(test_mov_store),
		KNOWN(test_mov_moffs),
		KNOWN(test_extend),
		KNOWN(test_alu),
		KNOWN(test_exchange),
		KNOWN(test_bits),
		KNOWN(test_addressing),
		KNOWN(test_across_the_end_of_the_page),
		KNOWN(test_movs),
		KNOWN(test_stos_lods),
		KNOWN(test_compare_strings),
		KNOWN(test_long_rep_comes_back),
		KNOWN(test_segments_of_strings),
		KNOWN(test_fault_of_the_other_operand),
		KNOWN(test_unsupported),
		KNOWN(test_facts_of_an_exit),
		KNOWN(test_known_for_reading_alone),
		KNOWN(test_known_is_not_decoded_again),
		KNOWN(test_changed_code),
		KNOWN(test_code_behind_it),
		KNOWN(test_other_code_size),
		KNOWN(test_other_rip),
		KNOWN(test_remapped_code),
		KNOWN(test_code_across_pages),
	};

	return cmocka_run_group_tests_name("mmio", tests, NULL, NULL);
}
