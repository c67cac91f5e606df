// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions with memory, emulated on a chip and executed by this CPU on a buffer:
 * registers, memory and flags must come out alike.
 */
#include <stdio.h>
#include <sys/mman.h>

#include "emul/mmio.h"
#include "hv_test.h"
#include "lib/x86.h"
#include "lib/util.h"

#define CHIP 0x10000000u
#define CODE 0x1000
#define BYTES 64
/* BT with a register reaches out on both sides. */
#define MIDDLE (BYTES / 2)

#define ARITHMETIC (X86_RFLAGS_CF | X86_RFLAGS_PF | X86_RFLAGS_AF | X86_RFLAGS_ZF | \
	X86_RFLAGS_SF | X86_RFLAGS_OF)
#define ALL_FLAGS ARITHMETIC
#define LOGIC_FLAGS (ARITHMETIC & ~X86_RFLAGS_AF)
#define BIT_FLAGS (X86_RFLAGS_CF | X86_RFLAGS_ZF)

struct native {
	uint64_t rax, rcx, rdx, rbx, rflags;
};

/* Load the registers of @state, call @code, store them again. */
void native_call(struct native *state, const void *code);
__asm__(".text\n"
	"native_call:\n"
	"	push %rbx; push %rbp; push %rdi\n"
	"	mov %rdi, %r8; mov %rsi, %rbp\n"
	"	push 32(%r8); popf\n"
	"	mov (%r8), %rax; mov 8(%r8), %rcx; mov 16(%r8), %rdx; mov 24(%r8), %rbx\n"
	"	call *%rbp\n"
	"	pushf; mov 8(%rsp), %r8; pop 32(%r8)\n"
	"	mov %rax, (%r8); mov %rcx, 8(%r8); mov %rdx, 16(%r8)\n"
	"	pop %rdi; pop %rbp; pop %rbx; ret\n");

static struct hv_memory memory;
static struct hv_bus bus;
static struct hv_region region;
static uint8_t chip[BYTES], buffer[BYTES];
static uint8_t *page;			/* of executable memory */
static struct hv_mmio mmio;

static void chip_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	(void)dev;
	if (!write)
		*value = 0;
	memcpy(write ? (void *)(chip + offset) : value, write ? (void *)value : chip + offset,
	       width);
}

static int setup(void **state)
{
	(void)state;
	test_memory(&memory, 2 * HV_MIB);
	bus = (struct hv_bus){ 0 };
	region = (struct hv_region){ "chip", HV_MMIO, CHIP, BYTES, chip_access, NULL };
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	assert_ptr_not_equal(page, MAP_FAILED);
	mmio.guest.memory = &memory;
	mmio.guest.bus = &bus;
	mmio.guest.known = HV_KNOWN_READ | HV_KNOWN_WRITE;
	mmio.guest.known_gla = mmio.guest.known_gpa = CHIP;
	mmio.code_bits = 64;
	return hv_bus_register(&bus, &region);
}

static int teardown(void **state)
{
	(void)state;
	munmap(page, 4096);
	hv_mmio_free(&mmio);
	hv_memory_exit(&memory);
	return 0;
}

struct code {
	uint8_t byte[16];
	size_t len;
};

static void fail_code(const struct code *code, const char *what, uint64_t got, uint64_t want)
{
	char text[64] = "";

	for (size_t i = 0; i < code->len; i++)
		sprintf(text + 3 * i, "%02x ", code->byte[i]);
	fail_msg("%s: %s is %llx, on this CPU %llx", text, what, (unsigned long long)got,
		 (unsigned long long)want);
}

static void compare(const struct code *code, const struct native *start, uint64_t flags)
{
	struct native native = *start;
	struct tinyvmx_regs regs = { .rip = CODE, .rflags = start->rflags };

	for (unsigned int i = 0; i < BYTES; i++)
		chip[i] = buffer[i] = start->rdx >> (8 * (i % 8));
	memcpy(page, code->byte, code->len);
	page[code->len] = 0xc3; /* ret */
	native.rbx = (uint64_t)(uintptr_t)(buffer + MIDDLE);
	native_call(&native, page);

	regs.gpr[TINYVMX_RAX] = start->rax;
	regs.gpr[TINYVMX_RCX] = start->rcx;
	regs.gpr[TINYVMX_RBX] = CHIP + MIDDLE;
	mmio.regs = &regs;
	test_put(&memory, CODE, code->byte, code->len);
	if (hv_mmio_emulate(&mmio) != HV_MMIO_DONE)
		fail_code(code, mmio.why ? mmio.why : "fault", 0, 0);
	if (regs.gpr[TINYVMX_RAX] != native.rax)
		fail_code(code, "RAX", regs.gpr[TINYVMX_RAX], native.rax);
	if (regs.gpr[TINYVMX_RCX] != native.rcx)
		fail_code(code, "RCX", regs.gpr[TINYVMX_RCX], native.rcx);
	if ((regs.rflags ^ native.rflags) & flags)
		fail_code(code, "RFLAGS", regs.rflags & flags, native.rflags & flags);
	if (memcmp(chip, buffer, BYTES))
		fail_code(code, "memory", chip[MIDDLE], buffer[MIDDLE]);
	assert_int_equal(regs.rip, CODE + code->len);
}

/* RDX fills the memory. */
static const struct native starts[] = {
	{ .rax = 0x1122334455667788, .rcx = 0x8877665544332211,
	  .rdx = 0x0102030405060708, .rflags = 0x2 },
	{ .rax = 0xffffffffffffffff, .rcx = 0x0000000000000001,
	  .rdx = 0xffffffffffffffff, .rflags = 0x2 },
	{ .rax = 0x8080808080808080, .rcx = 0x7fffffff7fff7f7f,
	  .rdx = 0x8080808080808080, .rflags = 0x2 | ARITHMETIC },
	{ .rax = 0, .rcx = 0, .rdx = 0, .rflags = 0x2 | X86_RFLAGS_CF },
	{ .rax = 0x5a5a5a5a5a5a5a5a, .rcx = 0xffffffffffffff9d,
	  .rdx = 0x5a5a5a5a5a5a5a5a, .rflags = 0x2 },
};

/*
 * [@prefix] [0F] @opcode with [rbx] and register (or opcode extension) @reg, an immediate of
 * @imm bytes.
 */
static void try_code(uint8_t prefix, bool escape, uint8_t opcode, unsigned int reg,
		     unsigned int imm, uint64_t flags)
{
	static const uint8_t immediate[] = { 0x85, 0x93, 0x7f, 0x9e };
	struct code code = { .len = 0 };

	if (prefix)
		code.byte[code.len++] = prefix;
	if (escape)
		code.byte[code.len++] = 0x0f;
	code.byte[code.len++] = opcode;
	code.byte[code.len++] = reg << 3 | 3;
	memcpy(code.byte + code.len, immediate, imm);
	code.len += imm;
	for (unsigned int i = 0; i < ARRAY_SIZE(starts); i++)
		compare(&code, &starts[i], flags);
}

enum { BYTE_TOO = 1, ESCAPE = 2, IMM8 = 4, IMM_FULL = 8 };

/* At each operand size; BYTE_TOO: opcode - 1 is the same for bytes. */
static void try_all(uint8_t opcode, unsigned int reg, unsigned int how, uint64_t flags)
{
	static const uint8_t prefixes[] = { 0, 0x66, 0x48 };
	unsigned int imm8 = how & IMM8 ? 1 : 0;

	for (unsigned int i = 0; i < 3; i++) {
		unsigned int full = prefixes[i] == 0x66 ? 2 : 4;

		try_code(prefixes[i], how & ESCAPE, opcode, reg, how & IMM_FULL ? full : imm8,
			 flags);
	}
	if (how & BYTE_TOO)
		try_code(0, how & ESCAPE, opcode - 1, reg, how & (IMM8 | IMM_FULL) ? 1 : 0, flags);
}

static void test_arithmetic(void **state)
{
	(void)state;
	for (unsigned int op = 0; op < 8; op++) {
		/* OR, AND, XOR leave AF undefined. */
		uint64_t flags = op == 1 || op == 4 || op == 6 ? LOGIC_FLAGS : ALL_FLAGS;

		try_all(8 * op + 1, TINYVMX_RCX, BYTE_TOO, flags); /* op [rbx], rcx */
		try_all(8 * op + 3, TINYVMX_RCX, BYTE_TOO, flags); /* op rcx, [rbx] */
		try_code(0, false, 8 * op, 5, 0, flags);           /* op [rbx], ch */
		try_code(0, false, 8 * op + 2, 4, 0, flags);       /* op ah, [rbx] */
		try_all(0x81, op, IMM_FULL | BYTE_TOO, flags);
		try_all(0x83, op, IMM8, flags);
	}
	try_all(0x85, TINYVMX_RCX, BYTE_TOO, LOGIC_FLAGS); /* test */
	try_all(0xf7, 0, IMM_FULL | BYTE_TOO, LOGIC_FLAGS);
	try_all(0xf7, 2, BYTE_TOO, ALL_FLAGS); /* not */
	try_all(0xf7, 3, BYTE_TOO, ALL_FLAGS); /* neg */
	try_all(0xff, 0, BYTE_TOO, ALL_FLAGS); /* inc */
	try_all(0xff, 1, BYTE_TOO, ALL_FLAGS); /* dec */
}

static void test_moves(void **state)
{
	(void)state;
	try_all(0x89, TINYVMX_RCX, BYTE_TOO, ALL_FLAGS);
	try_all(0x8b, TINYVMX_RCX, BYTE_TOO, ALL_FLAGS);
	try_code(0, false, 0x88, 5, 0, ALL_FLAGS); /* mov [rbx], ch */
	try_code(0, false, 0x8a, 4, 0, ALL_FLAGS); /* mov ah, [rbx] */
	try_all(0xc7, 0, IMM_FULL | BYTE_TOO, ALL_FLAGS);
	try_all(0xb6, TINYVMX_RCX, ESCAPE, ALL_FLAGS); /* movzx */
	try_all(0xb7, TINYVMX_RCX, ESCAPE, ALL_FLAGS);
	try_all(0xbe, TINYVMX_RCX, ESCAPE, ALL_FLAGS); /* movsx */
	try_all(0xbf, TINYVMX_RCX, ESCAPE, ALL_FLAGS);
	try_code(0x48, false, 0x63, TINYVMX_RCX, 0, ALL_FLAGS); /* movsxd */
	try_code(0, true, 0xc3, TINYVMX_RCX, 0, ALL_FLAGS);     /* movnti */
	try_code(0x48, true, 0xc3, TINYVMX_RCX, 0, ALL_FLAGS);
}

static void test_exchanges(void **state)
{
	(void)state;
	try_all(0x87, TINYVMX_RCX, BYTE_TOO, ALL_FLAGS);          /* xchg */
	try_all(0xc1, TINYVMX_RCX, ESCAPE | BYTE_TOO, ALL_FLAGS); /* xadd */
	try_all(0xb1, TINYVMX_RCX, ESCAPE | BYTE_TOO,
		ALL_FLAGS); /* cmpxchg, with and without a match */
	try_all(0xb1, TINYVMX_RAX, ESCAPE | BYTE_TOO, ALL_FLAGS);
	/* A high half that must, or must not, stay. */
	try_code(0, false, 0x86, 5, 0, ALL_FLAGS); /* xchg [rbx], ch */
}

/* Bit numbers by register: those that stay in the buffer. */
static void test_bits(void **state)
{
	static const int64_t numbers[] = { 0, 1, 15, 31, 63, 64, 100, -1, -17, -64, -200 };
	static const uint8_t opcodes[] = { 0xa3, 0xab, 0xb3, 0xbb };
	static const uint8_t prefixes[] = { 0, 0x66, 0x48 };

	(void)state;
	for (unsigned int op = 4; op < 8; op++)
		try_all(0xba, op, ESCAPE | IMM8, BIT_FLAGS);
	for (unsigned int i = 0; i < 4 * 3 * 11; i++) {
		struct native start = starts[0];
		struct code code = { .len = 0 };

		if (prefixes[i / 11 % 3])
			code.byte[code.len++] = prefixes[i / 11 % 3];
		code.byte[code.len++] = 0x0f;
		code.byte[code.len++] = opcodes[i / 33];
		code.byte[code.len++] = TINYVMX_RCX << 3 | 3;
		start.rcx = numbers[i % 11];
		compare(&code, &start, BIT_FLAGS);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_arithmetic),
		T(test_moves),
		T(test_exchanges),
		T(test_bits),
	};

	return cmocka_run_group_tests_name("mmio-native", tests, NULL, NULL);
}
