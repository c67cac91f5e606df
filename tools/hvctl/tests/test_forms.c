// SPDX-License-Identifier: GPL-2.0-only
/*
 * All forms with a memory operand that Zydis knows: how many are carried out, why the others are
 * not, and, of 64-bit code, whether they do on a chip what this CPU makes of them on memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "emul/native.h"
#include "emul/zydis.h"
#include "insn_test.h"

#define BYTES 192
#define MIDDLE 64

#define ARITHMETIC (X86_RFLAGS_CF | X86_RFLAGS_PF | X86_RFLAGS_AF | X86_RFLAGS_ZF | \
	X86_RFLAGS_SF | X86_RFLAGS_OF)

/* ------------------------------------------------------------------------ forms */

struct form {
	uint8_t code[16];
	uint8_t length;
	uint16_t mnemonic;
	uint32_t undefined;		/* flags */
};

/* These may grow; who makes one fall has lost forms. */
#define CARRIED_16 2764
#define CARRIED_32 2764
#define CARRIED_64 3690
#define COMPARED 500

#define MAX_FORMS 16384

static struct form forms[MAX_FORMS];
static unsigned int nr_forms;
static uint64_t seen[MAX_FORMS];

/* Two encodings are one form if this is the same: mnemonic, widths, kinds of operands. */
static uint64_t identity(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	uint64_t h = z->mnemonic * 31 + z->encoding;

	h = h * 1000003 + z->operand_width + (z->avx.broadcast.mode ? 7 : 0);
	for (unsigned int i = 0; i < z->operand_count; i++) {
		h = h * 1000003 + operands[i].type + operands[i].size * 8;
		if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER)
			h = h * 31 + ZydisRegisterGetClass(operands[i].reg.value);
	}
	return h | 1;
}

static bool has_memory(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	for (unsigned int i = 0; i < z->operand_count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    operands[i].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
			return true;
	return false;
}

static bool is_new(uint64_t h)
{
	unsigned int at = h % MAX_FORMS;

	while (seen[at] && seen[at] != h)
		at = (at + 1) % MAX_FORMS;
	if (seen[at])
		return false;
	seen[at] = h;
	return true;
}

/* @modrm_at: where in @code that is: else it is another instruction than what was built. */
static void take(const ZydisDecoder *decoder, const uint8_t *code, unsigned int modrm_at)
{
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	struct form *form = &forms[nr_forms];

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, code, 15, &z, operands)) ||
	    (z.attributes & ZYDIS_ATTRIB_HAS_MODRM && z.raw.modrm.offset != modrm_at) ||
	    !has_memory(&z, operands) || !is_new(identity(&z, operands)))
		return;
	assert_true(nr_forms < MAX_FORMS / 2);
	memcpy(form->code, code, 15);
	form->length = z.length;
	form->mnemonic = z.mnemonic;
	form->undefined = z.cpu_flags ? z.cpu_flags->undefined : 0;
	nr_forms++;
}

/* ModRM: the operand is [rbx], or [bx] in 16-bit code; the other register, or opcode, @reg. */
static uint8_t modrm(unsigned int code_bits, unsigned int reg)
{
	return reg << 3 | (code_bits == 16 ? 7 : 3);
}

static void take_legacy(const ZydisDecoder *decoder, unsigned int bits)
{
	static const uint8_t maps[][2] = { { 0 }, { 0x0f }, { 0x0f, 0x38 }, { 0x0f, 0x3a } };
	static const uint8_t prefixes[] = { 0, 0x66, 0xf2, 0xf3 };

	for (unsigned int i = 0; i < 4 * 4 * 2 * 256 * 8; i++) {
		unsigned int map = i >> 13 & 3, prefix = i >> 15 & 3, rex = i >> 12 & 1;
		uint8_t code[16] = { 0 }, *at = code;

		if (rex && bits != 64)
			continue;
		if (prefixes[prefix])
			*at++ = prefixes[prefix];
		if (rex)
			*at++ = 0x48;
		for (unsigned int n = 0; n < 2 && maps[map][n]; n++)
			*at++ = maps[map][n];
		*at++ = i >> 3 & 0xff;
		/* Not RBX: what changes the base changes what is compared. */
		*at++ = modrm(bits, i & 7);
		memset(at, 0x12, 4);
		take(decoder, code, at - code - 1);
	}
}

static void take_vex(const ZydisDecoder *decoder, unsigned int bits)
{
	for (unsigned int i = 0; i < 3 * 16 * 256 * 8; i++) {
		/* W, L and pp; the second source is register 1. */
		unsigned int low = i >> 11 & 15;
		uint8_t code[16] = {
			0xc4,          0xe0 | (1 + (i >> 15)), (low & 8) << 4 | 0x70 | (low & 7),
			i >> 3 & 0xff, modrm(bits, i & 7),     0x12
		};

		take(decoder, code, 4);
	}
}

static void take_evex(const ZydisDecoder *decoder, unsigned int bits)
{
	static const uint8_t maps[] = { 1, 2, 3, 5, 6 };

	for (unsigned int i = 0; i < 5 * 8 * 8 * 256; i++) {
		unsigned int low = i >> 8 & 7, high = i >> 11 & 7;
		/* W and pp; broadcast, L; register 1, no mask. */
		uint8_t code[16] = { 0x62,
				     0xf0 | maps[i >> 14],
				     (low & 4) << 5 | 0x74 | (low & 3),
				     (high & 4) << 2 | (high & 3) << 5 | 8,
				     i & 0xff,
				     modrm(bits, 1),
				     0x12 };

		take(decoder, code, 5);
	}
}

static void find_forms(unsigned int bits)
{
	ZydisDecoder decoder;

	memset(seen, 0, sizeof(seen));
	memset(forms, 0, sizeof(forms));
	nr_forms = 0;
	hv_zydis_init(&decoder, bits);
	take_legacy(&decoder, bits);
	take_vex(&decoder, bits);
	take_evex(&decoder, bits);
}

/* ------------------------------------------------------------------------ guest */

static uint8_t buffer[BYTES] __attribute__((aligned(64)));
static struct test_xsave theirs;

/* What the CPU has of XCR0, if it has XSAVE. */
static uint64_t host_xcr0(void)
{
	uint32_t low, high;

	if (!__builtin_cpu_supports("avx"))
		return 3;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low & 0xe7;
}

static int setup_vectors(void **state)
{
	int error = setup(state);

	mmio.guest.paging = (struct hv_paging){ .cr4 = X86_CR4_OSXMMEXCPT };
	mmio.xcr0_mask = host_xcr0();
	return error;
}

static void fill(uint64_t start)
{
	uint8_t pattern[8];

	memcpy(pattern, &start, 8);
	for (unsigned int i = 0; i < BYTES; i++)
		chip[i] = buffer[i] = pattern[i % 8];
	regs = (struct tinyvmx_regs){ .rip = CODE, .rflags = X86_RFLAGS_FIXED | X86_RFLAGS_CF };
	for (unsigned int i = 0; i < TINYVMX_NR_GPR; i++)
		regs.gpr[i] = 0x0102030405060708 * (i + 1) ^ start << i;
	/* For divisions: a small dividend. */
	regs.gpr[TINYVMX_RAX] = 7;
	regs.gpr[TINYVMX_RDX] = 0;
	memset(&xsave, 0, sizeof(xsave));
	xsave.xcr0 = host_xcr0();
	for (unsigned int i = 0; i < 256; i++)
		xsave.image[160 + i] = i * 7 + start;
	xsave.image[0] = 0x7f, xsave.image[1] = 3;      /* FCW */
	xsave.image[24] = 0x80, xsave.image[25] = 0x1f; /* MXCSR */
	xsave.image[512] = 3;                           /* XSTATE_BV: x87, SSE */
}

/* The instruction itself, on memory; it has been carried out without an exception before. */
static void execute(const struct form *form, uint8_t *page, bool vector,
		    struct hv_native_frame *frame)
{
	memcpy(page, form->code, form->length);
	page[form->length] = 0xc3;
	frame->code = page;
	frame->gpr[TINYVMX_RBX] = (uint64_t)(uintptr_t)(buffer + MIDDLE);
	frame->image = vector ? theirs.image : NULL;
	frame->xsave_mask = __builtin_cpu_supports("avx") ? theirs.xcr0 : 0;
	hv_native_enter(frame);
}

static void differ(const struct form *form, const char *what)
{
	char text[64] = "";

	for (unsigned int i = 0; i < form->length; i++)
		sprintf(text + 3 * i, "%02x ", form->code[i]);
	fail_msg("%s%s: another %s than on memory", text, ZydisMnemonicGetString(form->mnemonic),
		 what);
}

static void compare(const struct form *form, const struct hv_native_frame *frame)
{
	if (memcmp(chip, buffer, BYTES))
		differ(form, "operand");
	for (unsigned int i = 0; i < TINYVMX_NR_GPR; i++)
		if (i != TINYVMX_RSP && i != TINYVMX_RBX && regs.gpr[i] != frame->gpr[i])
			differ(form, "register");
	if ((regs.rflags ^ frame->rflags) & ARITHMETIC & ~form->undefined)
		differ(form, "flag");
	/* But where the FPU's last instruction and operand were. */
	if (memcmp(xsave.image, theirs.image, 8) ||
	    memcmp(xsave.image + 24, theirs.image + 24, sizeof(xsave.image) - 24))
		differ(form, "vector");
}

/* Does it compute, on this CPU, without an exception? @vector: with vector registers? */
static bool can_execute(struct hv_native *native, const struct form *form, bool *vector)
{
	struct hv_native_frame frame = { .rflags = regs.rflags };
	struct hv_insn insn = { 0 };

	if (hv_native_build(native, 0, &insn, form->code, form->length, 64))
		return false;
	*vector = insn.vector;
	native->xsave = (struct tinyvmx_xsave *)&theirs;
	native->states = mmio.xcr0_mask;
	theirs = xsave;
	memcpy(frame.gpr, regs.gpr, sizeof(frame.gpr));
	memcpy(hv_native_operand(native), buffer + MIDDLE, HV_GUEST_MAX_BYTES);
	hv_native_run(native, 0, &insn, &frame);
	native->xsave = NULL;
	return frame.vector == HV_NATIVE_NONE;
}

static const uint64_t starts[] = { 0x4008102030405060, UINT64_MAX, 0x8080808080808080 };

static bool try_form(struct hv_native *native, uint8_t *page, const struct form *form)
{
	bool compared = false;

	for (unsigned int i = 0; i < ARRAY_SIZE(starts); i++) {
		struct hv_native_frame frame = { 0 };
		bool vector;

		fill(starts[i]);
		if (!can_execute(native, form, &vector))
			continue;
		theirs = xsave;
		frame.rflags = regs.rflags;
		memcpy(frame.gpr, regs.gpr, sizeof(frame.gpr));
		regs.gpr[TINYVMX_RBX] = CHIP + MIDDLE;
		test_put(&memory, CODE, form->code, 16);
		mmio.code_bits = 64;
		mmio.sregs_read = false;
		if (hv_mmio_emulate(&mmio) != HV_MMIO_DONE)
			differ(form, mmio.why ? mmio.why : "outcome");
		execute(form, page, vector, &frame);
		compare(form, &frame);
		compared = true;
	}
	return compared;
}

static void test_against_this_cpu(void **state)
{
	uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct hv_native native = { 0 };
	unsigned int compared = 0;

	(void)state;
	assert_ptr_not_equal(page, MAP_FAILED);
	find_forms(64);
	for (unsigned int i = 0; i < nr_forms; i++)
		compared += try_form(&native, page, &forms[i]);
	print_message("# %u of %u forms compared with this CPU\n", compared, nr_forms);
	/* What each x86-64 CPU has. */
	assert_true(compared >= COMPARED);
	hv_native_free(&native);
	munmap(page, 4096);
}

static const struct {
	unsigned int code_bits;
	unsigned int carried_out;	/* at least */
} modes[] = { { 16, CARRIED_16 }, { 32, CARRIED_32 }, { 64, CARRIED_64 } };

/* Each that is not carried out says why, and names itself. */
static void test_carried_out(void **state)
{
	(void)state;
	for (unsigned int m = 0; m < ARRAY_SIZE(modes); m++) {
		unsigned int done = 0;

		find_forms(modes[m].code_bits);
		mmio.code_bits = modes[m].code_bits;
		for (unsigned int i = 0; i < nr_forms; i++) {
			const char *why =
				hv_mmio_why_not(&mmio, forms[i].code, sizeof(forms[i].code));

			done += !why;
			if (why && getenv("HV_FORMS"))
				print_message("# %u-bit: %s\n", modes[m].code_bits, why);
			if (why && !strstr(why, "hvctl does not do that"))
				differ(&forms[i], why);
		}
		print_message("# %u-bit code: %u of %u forms\n", modes[m].code_bits, done,
			      nr_forms);
		assert_true(done >= modes[m].carried_out);
	}
}

#define FORMS(name) cmocka_unit_test_setup_teardown(name, setup_vectors, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FORMS(test_carried_out),
		FORMS(test_against_this_cpu),
	};

	return cmocka_run_group_tests_name("forms", tests, NULL, NULL);
}
