// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a hostile guest's bytes, registers and flags comes to this CPU: instructions of a
 * list, with one operand in memory, that of ours; and what they raise, leave behind and see.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emul/guest.h"
#include "emul/native.h"
#include "emul/native_make.h"
#include "emul/zydis.h"
#include "hv_test.h"
#include "lib/util.h"
#include "lib/x86.h"

#define TRIES 200000

static uint8_t at[64], operand[4096] __attribute__((aligned(4096)));

static const char *make(struct hv_native_code *made, struct hv_insn *insn, const void *code,
			size_t len, unsigned int bits)
{
	*insn = (struct hv_insn){ 0 };
	return hv_native_make(made, insn, code, len, bits, at, operand);
}

/* ---------------------------------------------------------------- what is refused */

#define CODE(bytes) bytes, sizeof(bytes) - 1

static const struct {
	const char *name;
	const char *code;
	size_t len;
} hostile[] = {
	{ "movsb", CODE("\xa4") },
	{ "rep stosq", CODE("\xf3\x48\xab") },
	{ "outsb", CODE("\x6e") },
	{ "in al, dx", CODE("\xec") },
	{ "push [rbx]", CODE("\xff\x33") },
	{ "pop [rbx]", CODE("\x8f\x03") },
	{ "pushfq", CODE("\x9c") },
	{ "popfq", CODE("\x9d") },
	{ "enter", CODE("\xc8\x10\x00\x01") },
	{ "leave", CODE("\xc9") },
	{ "call [rbx]", CODE("\xff\x13") },
	{ "call far [rbx]", CODE("\xff\x1b") },
	{ "jmp [rbx]", CODE("\xff\x23") },
	{ "jmp far [rbx]", CODE("\xff\x2b") },
	{ "ret", CODE("\xc3") },
	{ "retf", CODE("\xcb") },
	{ "iretq", CODE("\x48\xcf") },
	{ "jz", CODE("\x74\x10") },
	{ "int 80h", CODE("\xcd\x80") },
	{ "int3", CODE("\xcc") },
	{ "int1", CODE("\xf1") },
	{ "syscall", CODE("\x0f\x05") },
	{ "sysenter", CODE("\x0f\x34") },
	{ "sysexit", CODE("\x0f\x35") },
	{ "vmcall", CODE("\x0f\x01\xc1") },
	{ "hlt", CODE("\xf4") },
	{ "cli", CODE("\xfa") },
	{ "xbegin", CODE("\xc7\xf8\x00\x00\x00\x00") },
	{ "xabort", CODE("\xc6\xf8\x00") },
	{ "xsetbv", CODE("\x0f\x01\xd1") },
	{ "wrpkru", CODE("\x0f\x01\xef") },
	{ "wrfsbase rax", CODE("\xf3\x48\x0f\xae\xd0") },
	{ "wrgsbase rax", CODE("\xf3\x48\x0f\xae\xd8") },
	{ "rdgsbase rax", CODE("\xf3\x48\x0f\xae\xc8") },
	{ "mov gs, [rbx]", CODE("\x8e\x2b") },
	{ "mov [rbx], fs", CODE("\x8c\x23") },
	{ "lgs eax, [rbx]", CODE("\x0f\xb5\x03") },
	{ "mov cr0, rax", CODE("\x0f\x22\xc0") },
	{ "mov dr7, rax", CODE("\x0f\x23\xf8") },
	{ "lgdt [rbx]", CODE("\x0f\x01\x13") },
	{ "sidt [rbx]", CODE("\x0f\x01\x0b") },
	{ "invlpg [rbx]", CODE("\x0f\x01\x3b") },
	{ "lldt [rbx]", CODE("\x0f\x00\x13") },
	{ "verr [rbx]", CODE("\x0f\x00\x23") },
	{ "lar eax, [rbx]", CODE("\x0f\x02\x03") },
	{ "vmptrld [rbx]", CODE("\x0f\xc7\x33") },
	{ "invpcid rax, [rbx]", CODE("\x66\x0f\x38\x82\x03") },
	{ "rstorssp [rbx]", CODE("\xf3\x0f\x01\x2b") },
	{ "wrssd [rbx], eax", CODE("\x0f\x38\xf6\x03") },
	{ "bndmov bnd0, [rbx]", CODE("\x66\x0f\x1a\x03") },
	{ "xlat", CODE("\xd7") },
	{ "mov al, [moffs]", CODE("\xa0\0\0\0\0\0\0\0\0") },
	{ "lea rax, [rbx]", CODE("\x48\x8d\x03") },
	{ "bts [rbx], rax", CODE("\x48\x0f\xab\x03") },
	{ "bt [rbx], rax", CODE("\x48\x0f\xa3\x03") },
	{ "maskmovq", CODE("\x0f\xf7\xc1") },
	{ "maskmovdqu", CODE("\x66\x0f\xf7\xc1") },
	{ "vaddps zmm0{k1}, zmm1, [rbx]", CODE("\x62\xf1\x74\x49\x58\x03") },
	{ "vpmovdb [rbx]{k1}, zmm0", CODE("\x62\xf2\x7e\x49\x31\x03") },
	{ "vpexpandd zmm0{k1}, [rbx]", CODE("\x62\xf2\x7d\x49\x89\x03") },
	{ "vpgatherdd ymm0, [rbx+ymm1], ymm2", CODE("\xc4\xe2\x6d\x90\x04\x0b") },
	{ "vpgatherdd zmm0{k1}, [rbx+zmm1]", CODE("\x62\xf2\x7d\x49\x90\x04\x0b") },
	{ "vpscatterdd [rbx+zmm1]{k1}, zmm0", CODE("\x62\xf2\x7d\x49\xa0\x04\x0b") },
	{ "vpcompressd [rbx]{k1}, zmm0", CODE("\x62\xf2\x7d\x49\x8b\x03") },
	{ "fxsave [rbx]", CODE("\x0f\xae\x03") },
	{ "fxrstor64 [rbx]", CODE("\x48\x0f\xae\x0b") },
	{ "xsave [rbx]", CODE("\x0f\xae\x23") },
	{ "xrstor [rbx]", CODE("\x0f\xae\x2b") },
	{ "xsavec [rbx]", CODE("\x0f\xc7\x23") },
	{ "fnsave [rbx]", CODE("\xdd\x33") },
	{ "fldenv [rbx]", CODE("\xd9\x23") },
	{ "clflush [rbx]", CODE("\x0f\xae\x3b") },
	{ "ud1 eax, [rbx]", CODE("\x0f\xb9\x03") },
	{ "ptwrite [rbx]", CODE("\xf3\x0f\xae\x23") },
	{ "movdir64b rax, [rbx]", CODE("\x66\x0f\x38\xf8\x03") },
	{ "movdiri [rbx], eax", CODE("\x0f\x38\xf9\x03") },
	{ "enqcmd rax, [rbx]", CODE("\xf2\x0f\x38\xf8\x03") },
	{ "ldtilecfg [rbx]", CODE("\xc4\xe2\x78\x49\x03") },
	{ "tileloadd tmm0, [rbx+rax]", CODE("\xc4\xe2\x7b\x4b\x04\x03") },
	{ "add rsp, [rbx]", CODE("\x48\x03\x23") },
	{ "mov [rbx], sp", CODE("\x66\x89\x23") },
	{ "cmovz esp, [rbx]", CODE("\x0f\x44\x23") },
	{ "imul rsp, [rbx], 3", CODE("\x48\x6b\x23\x03") },
	{ "mov [rbx], spl", CODE("\x40\x88\x23") },
	{ "monitor", CODE("\x0f\x01\xc8") },
	{ "clzero", CODE("\x0f\x01\xfc") },
	{ "pfadd mm0, [rbx]", CODE("\x0f\x0f\x03\x9e") },
	{ "vfmaddps (FMA4)", CODE("\xc4\xe3\xf9\x68\x03\x10") },
	{ "add eax, ecx", CODE("\x01\xc8") },
};

static void test_refused(void **state)
{
	struct hv_native_code made;
	struct hv_insn insn;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(hostile); i++)
		if (!make(&made, &insn, hostile[i].code, hostile[i].len, 64))
			fail_msg("%s would be executed", hostile[i].name);
	/* VEX.W means nothing in 32-bit code, but here it does: ANDN of 32 bits, not of 64. */
	assert_null(make(&made, &insn, CODE("\xc4\xe2\x70\xf2\x03"), 32));
	assert_non_null(make(&made, &insn, CODE("\xc4\xe2\xf0\xf2\x03"), 32));
}

/* A masked load has a store beside it, under the same mask and as wide; others have none. */
static void test_twin(void **state)
{
	struct hv_native_code made;
	struct hv_insn insn;

	(void)state;
	assert_null(
		make(&made, &insn, CODE("\x62\xf1\x7c\xc9\x10\x03"), 64)); /* vmovups zmm0{k1}{z} */
	assert_true(insn.masked && insn.reads && !insn.writes);
	assert_null(hv_native_make_twin(&made, &insn, (const uint8_t *)"\x62\xf1\x7c\xc9\x10\x03",
					6, 64, at, operand));
	assert_memory_equal(made.code, "\x62\xf1\x7c\x49\x11\x05", 6);
	insn.bits = 256;
	assert_non_null(hv_native_make_twin(
		&made, &insn, (const uint8_t *)"\x62\xf1\x7c\xc9\x10\x03", 6, 64, at, operand));
	/* A store, no move, no mask. */
	assert_non_null(hv_native_make_twin(
		&made, &insn, (const uint8_t *)"\x62\xf1\x7c\x49\x11\x03", 6, 64, at, operand));
	assert_non_null(
		hv_native_make_twin(&made, &insn, (const uint8_t *)"\xd1\x23", 2, 64, at, operand));
	assert_non_null(hv_native_make_twin(
		&made, &insn, (const uint8_t *)"\x62\xf1\x7c\x48\x10\x03", 6, 64, at, operand));
}

/* ------------------------------------------------------------ what is made of bytes */

/* By what a set of instructions is called: has it no vector registers, nor MXCSR? */
static bool is_plain(const char *isa)
{
	static const char *const vectors[] = { "SSE",  "AVX", "MMX", "X87",  "FMA",
					       "F16C", "AES", "SHA", "GFNI", "PCLMUL" };

	for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++)
		if (strstr(isa, vectors[i]))
			return false;
	return true;
}

/* All of these by their beginnings; others are random. */
static void guess(uint8_t *code, unsigned int i)
{
	static const uint8_t starts[][3] = { { 0 },          { 0x0f },       { 0x66, 0x0f },
					     { 0xf2, 0x0f }, { 0xf3, 0x0f }, { 0x48, 0x0f },
					     { 0xc5 },       { 0xc4, 0xe2 }, { 0xc4, 0x62 },
					     { 0x62, 0xf1 }, { 0x62, 0x72 }, { 0x64, 0x67, 0x48 },
					     { 0xf0 },       { 0x2e, 0x66 }, { 0x48, 0x65 } };
	const uint8_t *start = starts[i % ARRAY_SIZE(starts)];

	for (unsigned int n = 0; n < HV_INSN_MAX; n++)
		code[n] = n < 3 && start[n] ? start[n] : rand() >> 7;
}

/* What native_make.c promises, looked at by another way: the bytes alone. */
static void look(const struct hv_native_code *made, const struct hv_insn *insn)
{
	ZydisDecoder decoder;
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	unsigned int in_memory = 0;

	hv_zydis_init(&decoder, 64);
	assert_true(ZYAN_SUCCESS(
		ZydisDecoderDecodeFull(&decoder, made->code, made->len, &z, operands)));
	assert_int_equal(z.length, made->len);
	for (unsigned int i = 0; i < z.raw.prefix_count; i++)
		assert_true(z.raw.prefixes[i].value == 0x66 || z.raw.prefixes[i].value == 0xf2 ||
			    z.raw.prefixes[i].value == 0xf3 ||
			    (z.raw.prefixes[i].value & 0xf0) == 0x40);
	assert_int_equal(z.raw.modrm.mod, 0);
	assert_int_equal(z.raw.modrm.rm, 5);
	assert_int_equal((uintptr_t)at + made->len + z.raw.disp.value, (uintptr_t)operand);
	for (unsigned int i = 0; i < z.operand_count; i++) {
		in_memory += operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY;
		assert_true(operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY ||
			    operands[i].size == insn->bits);
	}
	assert_int_equal(in_memory, 1);
	assert_in_range(insn->bits, 8, 8 * HV_GUEST_MAX_BYTES);
	/* What does not get the guest's vector registers cannot name ours. */
	if (!insn->vector && z.mnemonic != ZYDIS_MNEMONIC_CRC32 &&
	    z.mnemonic != ZYDIS_MNEMONIC_MOVNTI && !is_plain(ZydisISASetGetString(z.meta.isa_set)))
		fail_msg("%s of %s with our vector registers", ZydisMnemonicGetString(z.mnemonic),
			 ZydisISASetGetString(z.meta.isa_set));
}

static void test_made(void **state)
{
	static const unsigned int bits[] = { 16, 32, 64 };
	unsigned int count = 0;

	(void)state;
	srand(1);
	for (unsigned int i = 0; i < TRIES; i++) {
		struct hv_native_code made;
		struct hv_insn insn;
		uint8_t code[HV_INSN_MAX];

		guess(code, i);
		if (make(&made, &insn, code, sizeof(code), bits[i % 3]))
			continue;
		look(&made, &insn);
		count++;
	}
	print_message("# %u of %u guesses made over\n", count, TRIES);
	assert_true(count > TRIES / 20);
}

/* ------------------------------------------------------------------------ running */

static struct hv_native native;
static struct {
	union {
		uint64_t xcr0;
		uint8_t head[sizeof(struct tinyvmx_xsave)];
	};
	uint8_t image[2816];
} __attribute__((aligned(64))) xsave;

static int setup(void **state)
{
	(void)state;
	native = (struct hv_native){ 0 };
	memset(&xsave, 0, sizeof(xsave));
	xsave.xcr0 = 3;
	xsave.image[0] = 0x7f, xsave.image[1] = 3;      /* FCW */
	xsave.image[24] = 0x80, xsave.image[25] = 0x1f; /* MXCSR */
	xsave.image[512] = 3;                           /* XSTATE_BV */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	native.xsave = NULL;
	hv_native_free(&native);
	return 0;
}

/* Execute @code with @value as its operand; returns the vector it raises. */
static uint64_t run(const char *code, size_t len, uint64_t *value, uint64_t rflags,
		    struct hv_native_frame *frame)
{
	struct hv_insn insn = { 0 };

	assert_null(hv_native_build(&native, 0, &insn, (const uint8_t *)code, len, 64));
	native.xsave = (struct tinyvmx_xsave *)&xsave;
	native.states = 3;
	memcpy(hv_native_operand(&native), value, 8);
	frame->rflags = rflags;
	hv_native_run(&native, 0, &insn, frame);
	native.xsave = NULL;
	memcpy(value, hv_native_operand(&native), 8);
	return frame->vector;
}

#define RUN(code, value, rflags, frame) run(CODE(code), value, rflags, frame)

static uint64_t own_flags(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; pop %0" : "=r"(flags));
	return flags;
}

/* TF would end us, AC make our own accesses fault, DF break the C library. */
static void test_flags(void **state)
{
	struct hv_native_frame frame = { 0 };
	uint64_t all = 0x3fffd7 & ~X86_RFLAGS_CF, value = 0x80000001, own = own_flags();
	const uint64_t ours = 0x3ff700;

	(void)state;
	assert_int_equal(RUN("\xd1\x03", &value, all, &frame), HV_NATIVE_NONE); /* rol [rbx], 1 */
	assert_int_equal(value, 3);
	assert_true(frame.rflags & X86_RFLAGS_CF);
	/* The guest's others are as they were; ours, too. */
	assert_int_equal(frame.rflags & ~0x8d5ULL, all & ~0x8d5ULL);
	assert_int_equal(own_flags() & ours, own & ours);
}

static void fpu_words(uint32_t *mxcsr, uint16_t *control, uint16_t *tags)
{
	uint32_t environment[7];

	__asm__ volatile("stmxcsr %0; fnstenv %1; fldenv %1" : "=m"(*mxcsr), "=m"(environment));
	*control = environment[0];
	*tags = environment[2];
}

/* Whatever the guest has unmasked and left pending is raised at its instruction, not at ours. */
static void test_exceptions(void **state)
{
	struct hv_native_frame frame = { 0 };
	uint64_t value = 0;
	uint32_t mxcsr[2];
	uint16_t control[2], tags[2];

	(void)state;
	fpu_words(&mxcsr[0], &control[0], &tags[0]);
	assert_int_equal(RUN("\xf7\x33", &value, 2, &frame), X86_VECTOR_DE); /* div [rbx] */
	xsave.image[25] = 0x00; /* MXCSR: nothing masked */
	xsave.image[160 + 7] = 0x40;
	assert_int_equal(RUN("\xf2\x0f\x5e\x03", &value, 2, &frame), X86_VECTOR_XM); /* divsd */
	xsave.image[25] = 0x1f;
	value = UINT64_MAX;
	assert_int_equal(RUN("\x0f\xae\x13", &value, 2, &frame), X86_VECTOR_GP); /* ldmxcsr */
	xsave.image[0] = 0x7b;                                                   /* FCW: ZM clear */
	xsave.image[2] = 0x84, xsave.image[3] = 0x80; /* FSW: ES, ZE, B */
	xsave.image[512] |= 1; /* which is not the initial state, as some CPUs have left it */
	assert_int_equal(RUN("\xdd\x03", &value, 2, &frame), X86_VECTOR_MF);     /* fld [rbx] */
	assert_int_equal(RUN("\x0f\x6f\x03", &value, 2, &frame), X86_VECTOR_MF); /* movq mm0 */
	/* These do not look at what is pending, and it stays so. */
	assert_int_equal(RUN("\xdd\x3b", &value, 2, &frame), HV_NATIVE_NONE); /* fnstsw [rbx] */
	assert_int_equal(value & 0xffff, 0x8084);
	assert_int_equal(RUN("\xf3\x0f\x6f\x03", &value, 2, &frame), HV_NATIVE_NONE);
	assert_int_equal(xsave.image[2], 0x84);
	fpu_words(&mxcsr[1], &control[1], &tags[1]);
	assert_int_equal(mxcsr[0] & 0xffc0, mxcsr[1] & 0xffc0);
	assert_int_equal(control[0], control[1]);
	assert_int_equal(tags[1], 0xffff);
}

/* Registers beyond what the guest's image has are zero, not ours. */
static void test_leaks_nothing(void **state)
{
	struct hv_native_frame frame = { 0 };
	uint64_t value = 0, secret = 0x5ec2e75ec2e75ec2;

	(void)state;
	if (!__builtin_cpu_supports("avx2"))
		skip();
	__asm__ volatile("vpbroadcastq %0, %%ymm15; vextracti128 $1, %%ymm15, %%xmm14"
			 :
			 : "m"(secret)
			 : "xmm14", "xmm15");
	/* vextractf128 [rbx], ymm15, 1 */
	value = 1;
	assert_int_equal(RUN("\xc4\x63\x7d\x19\x3b\x01", &value, 2, &frame), HV_NATIVE_NONE);
	assert_int_equal(value, 0);
	__asm__ volatile("vpbroadcastq %0, %%ymm15" : : "m"(secret) : "xmm15");
	xsave.image[512] = 0;
	value = 1;
	assert_int_equal(RUN("\xf3\x44\x0f\x7f\x3b", &value, 2, &frame), HV_NATIVE_NONE);
	assert_int_equal(value, 0);
}

/* ------------------------------------------------------------------- pages, signals */

/* Protections of the mapping at @address. */
static void protection_of(const void *address, char text[5])
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long from, to;
	char line[512];

	assert_non_null(maps);
	text[0] = '\0';
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &from, &to, text) == 3 &&
		    (uintptr_t)address >= from && (uintptr_t)address < to)
			break;
	fclose(maps);
}

static void test_pages(void **state)
{
	struct hv_native_frame frame = { 0 };
	uint64_t value = 1;
	char text[5];

	(void)state;
	assert_int_equal(RUN("\xd1\x23", &value, 2, &frame), HV_NATIVE_NONE);
	protection_of(native.page, text);
	assert_string_equal(text, "r-xp");
	protection_of(hv_native_operand(&native), text);
	assert_string_equal(text, "rw-p");
}

/* Outcome of a child: its status as waitpid() has it. */
static int in_child(void (*fn)(void))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* As a host with a policy against new code does. */
static void deny_code(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 13),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };
	struct hv_insn insn = { 0 };
	const char *why;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(77);
	why = hv_native_build(&native, 0, &insn, (const uint8_t *)"\xd1\x23", 2, 64);
	_exit(why && strstr(why, "let hvctl execute") ? 0 : 1);
}

static void test_denied(void **state)
{
	int status = in_child(deny_code);

	(void)state;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void quiet_default(int sig)
{
	signal(sig, SIG_DFL);
}

static void prepare_child(void)
{
	struct hv_native_frame frame = { 0 };
	uint64_t value = 1;

	quiet_default(SIGSEGV);
	quiet_default(SIGILL);
	quiet_default(SIGFPE);
	RUN("\xd1\x23", &value, 2, &frame);
	hv_native_free(&native);
	RUN("\xd1\x23", &value, 2, &frame);
}

static void crash(void)
{
	prepare_child();
	*(volatile int *)(uintptr_t)8 = 1;
}

static void be_sent_one(void)
{
	prepare_child();
	kill(getpid(), SIGFPE);
}

/* Our own bugs end us as before; nobody takes them for the guest's. */
static void test_own_crash(void **state)
{
	int status = in_child(crash);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	status = in_child(be_sent_one);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGFPE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_refused), T(test_twin),       T(test_made),
		T(test_flags),   T(test_exceptions), T(test_leaks_nothing),
		T(test_pages),   T(test_denied),     T(test_own_crash),
	};

	return cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
