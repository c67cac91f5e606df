// SPDX-License-Identifier: GPL-2.0-only
/* Instructions on a device that this CPU executes: results, flags, vectors, exceptions. */
#include <cpuid.h>

#include "insn_test.h"

static uint32_t crc32_of_3(void)
{
	uint32_t crc = 0;

	__asm__("crc32w %1, %0" : "+r"(crc) : "r"((uint16_t)3));
	return crc;
}

static void test_native(void **state)
{
	(void)state;
	chip_put(0, 0x80000001, 4);
	DO(32, "\xd1\x03"); /* rol dword [ebx], 1 */
	assert_int_equal(chip_get(0, 4), 3);
	assert_true(regs.rflags & X86_RFLAGS_CF);
	regs.rflags |= X86_RFLAGS_ZF | X86_RFLAGS_DF | X86_RFLAGS_IF;
	DO(64, "\x0f\x94\x43\x04"); /* sete [rbx+4] */
	assert_int_equal(chip_get(4, 1), 1);
	/* All flags but the arithmetic ones are none of its business. */
	assert_true(regs.rflags & X86_RFLAGS_DF && regs.rflags & X86_RFLAGS_IF);
	RCX = 0xffff0005;
	DO(16, "\x67\x0f\xaf\x0b"); /* imul cx, [ebx]: 16 bits in 16-bit code */
	assert_int_equal(RCX, 0xffff000f);
	DO(16, "\x66\x67\x0f\xaf\x0b"); /* imul ecx, [ebx] */
	assert_int_equal(RCX, (uint32_t)(0xffff000fu * 3));
	DO(32, "\x66\x0f\xbc\x0b"); /* bsf cx, [ebx] */
	assert_int_equal(RCX & 0xffff, 0);
	RCX = UINT64_MAX;
	DO(32, "\x66\xf3\x0f\xb8\x0b"); /* popcnt cx, [ebx]: both prefixes count */
	assert_int_equal(RCX, 0xffffffffffff0002);
	RCX = 0;
	DO(64, "\x66\xf2\x0f\x38\xf1\x0b"); /* crc32 ecx, word [rbx] */
	assert_int_equal(RCX, crc32_of_3());
	chip_put(8, 0x1122334455667788, 8);
	RAX = 0x55667788, RDX = 0x11223344, RCX = 1;
	DO(32, "\xf0\x0f\xc7\x4b\x08"); /* lock cmpxchg8b [ebx+8] */
	assert_true(regs.rflags & X86_RFLAGS_ZF);
	assert_int_equal(chip_get(8, 8), (uint64_t)CHIP | 1ULL << 32);
}

/* Prefixes that count for nothing, or for the address alone, do not reach this CPU. */
static void test_prefixes(void **state)
{
	(void)state;
	sregs.seg[TINYVMX_FS].base = 4;
	chip_put(4, 1, 4);
	DO(64, "\x48\x64\xd1\x23"); /* rex.w fs shl dword [rbx], 1: REX is not in its place */
	assert_int_equal(chip_get(4, 8), 2);
	DO(64, "\x48\x67\x64\xd1\x23"); /* ... [ebx] */
	assert_int_equal(chip_get(4, 8), 4);
	DO(64, "\x64\x67\x48\xd1\x23"); /* fs shl qword [ebx], 1 */
	assert_int_equal(chip_get(4, 8), 8);
	regs.gpr[TINYVMX_R11] = CHIP, regs.gpr[TINYVMX_R14] = 0xf000000000000000;
	DO(64, "\x64\x4d\x0f\xa4\x33\x04"); /* fs shld [r11], r14, 4 */
	assert_int_equal(chip_get(4, 8), 0x8f);
}

/* Some of AMD's keep it for exceptions alone. */
static bool cpu_keeps_fip(void)
{
	_Alignas(16) uint64_t image[64];

	__asm__ volatile("fninit; fld1; fxsave64 %0; fninit" : "=m"(image));
	return image[1];
}

static void test_vectors(void **state)
{
	(void)state;
	chip_put(0, 0x1122334455667788, 8);
	chip_put(8, 0x99aabbccddeeff00, 8);
	xsave.image[0] = 0x7f, xsave.image[1] = 3; /* FCW */
	xsave.image[24] = 0x80, xsave.image[25] = 0x1f;
	xsave.image[512] = 3;
	xsave.image[25] = 0x1e;
	DO(64, "\x0f\xae\x5b\x50"); /* stmxcsr [rbx+80] */
	assert_int_equal(chip_get(80, 4), 0x1e80);
	DO(64, "\xd9\x7b\x58"); /* fnstcw [rbx+88] */
	assert_int_equal(chip_get(88, 2), 0x37f);
	DO(64, "\xf3\x0f\x6f\x0b"); /* movdqu xmm1, [rbx] */
	assert_int_equal(reads, 2);
	assert_memory_equal(xsave.image + 160 + 16, chip, 16);
	DO(64, "\xf3\x0f\x7f\x4b\x20"); /* movdqu [rbx+32], xmm1 */
	assert_memory_equal(chip + 32, chip, 16);
	chip_put(0, 0x3ff8000000000000, 8);
	DO(64, "\xdd\x03");     /* fld qword [rbx]: 1.5 */
	DO(64, "\xdb\x7b\x40"); /* fstp tbyte [rbx+64] */
	assert_int_equal(chip_get(64, 8), 0xc000000000000000);
	assert_int_equal(chip_get(72, 2), 0x3fff);
	/* FIP and FDP are the guest's, not ours, or nobody's. */
	assert_memory_equal(xsave.image + 8, (const uint64_t[]){ cpu_keeps_fip() ? CODE : 0 }, 8);
	/* ES and the FPU itself stay as they were where nothing can be had. */
	broken = TINYVMX_STATE_XSAVE;
	assert_int_equal(emulate(64, "\xdd\x03", 2), HV_MMIO_UNSUPPORTED);
}

/* What this CPU raises, the guest takes. */
static void test_exceptions(void **state)
{
	(void)state;
	RAX = 1;
	FAULTS(64, "\xf7\x33", X86_VECTOR_DE, 0); /* div dword [rbx]: by 0 */
	RDX = 5;
	chip_put(0, 5, 4);
	FAULTS(64, "\xf7\x33", X86_VECTOR_DE, 0); /* too large */
	RDX = 4;
	DO(64, "\xf7\x33");
	/* An SSE exception that is not masked: #UD without CR4.OSXMMEXCPT. */
	xsave.image[25] = 0x1d; /* MXCSR, ZM clear */
	xsave.image[24] = 0x80;
	xsave.image[512] = 2;
	xsave.image[160 + 7] = 0x40; /* XMM0 = 2.0 */
	chip_put(0, 0, 8);
	FAULTS(64, "\xf2\x0f\x5e\x03", X86_VECTOR_UD, 0); /* divsd xmm0, [rbx] */
	mmio.guest.paging.cr4 = X86_CR4_OSXMMEXCPT;
	FAULTS(64, "\xf2\x0f\x5e\x03", X86_VECTOR_XM, 0);
	assert_int_equal(xsave.image[24] & 4, 4);
}

/* Not masked: FISTP of what does not fit leaves memory, and the stack, as they were. */
static void test_x87_exceptions(void **state)
{
	(void)state;
	xsave.image[0] = 0x7e, xsave.image[1] = 3; /* FCW, IM clear */
	xsave.image[512] = 1;
	chip_put(0, 0x43e0000000000000, 8);
	DO(64, "\xdd\x03");     /* fld qword [rbx]: 2^63 */
	DO(64, "\xdb\x5b\x08"); /* fistp dword [rbx+8] */
	assert_int_equal(writes, 0);
	assert_int_equal(xsave.image[2] & 0x81, 0x81);
	FAULTS(64, "\xdd\x03", X86_VECTOR_MF, 0);
	DO(64, "\xdd\x7b\x08"); /* fnstsw [rbx+8] */
	assert_int_equal(chip_get(8, 2) & 0x81, 0x81);
}

/* What another vCPU takes the page of between look and store has popped nothing. */
static void test_broken_store(void **state)
{
	(void)state;
	xsave.image[0] = 0x7f, xsave.image[1] = 3;
	xsave.image[512] = 1;
	DO(64, "\xdd\x03"); /* fld qword [rbx] */
	broken = TINYVMX_STATE_XSAVE;
	assert_int_equal(emulate(64, "\xdd\x1b", 2), HV_MMIO_UNSUPPORTED); /* fstp [rbx] */
	assert_int_equal(writes, 0);
}

/* CVTTSD2SI names no vector register, but counts in MXCSR, and raises by it. */
static void test_mxcsr(void **state)
{
	(void)state;
	xsave.image[24] = 0x80, xsave.image[25] = 0x1f;
	xsave.image[512] = 2;
	chip_put(0, 0x3ff8000000000000, 8);
	DO(64, "\xf2\x0f\x2c\x0b"); /* cvttsd2si ecx, [rbx]: 1.5 */
	assert_int_equal(RCX, 1);
	assert_int_equal(xsave.image[24], 0xa0);
	xsave.image[25] = 0x5f;     /* round up */
	DO(64, "\xf2\x0f\x2d\x0b"); /* cvtsd2si ecx, [rbx] */
	assert_int_equal(RCX, 2);
	xsave.image[25] = 0x0f; /* PM clear */
	mmio.guest.paging.cr4 = X86_CR4_OSXMMEXCPT;
	FAULTS(64, "\xf2\x0f\x2d\x0b", X86_VECTOR_XM, 0);
}

/* Code that has been changed since the CPU looked: no way to what the guest has not. */
static void test_not_available(void **state)
{
	(void)state;
	FAULTS(64, "\xc5\xfc\x11\x03", X86_VECTOR_UD, 0); /* vmovups [rbx], ymm0 */
	mmio.guest.paging.cr0 |= X86_CR0_TS;
	FAULTS(64, "\x0f\x11\x03", X86_VECTOR_NM, 0); /* movups [rbx], xmm0 */
	mmio.guest.paging.cr0 |= X86_CR0_EM;
	FAULTS(64, "\x0f\x11\x03", X86_VECTOR_UD, 0);
	DO(64, "\x0f\xaf\x03"); /* imul eax, [rbx] */
	assert_int_equal(writes, 0);
}

/* Elements of XMM1, by their signs, and those of XMM0. */
static void set_mask(unsigned int mask)
{
	uint32_t words[8] = { 0x10203040, 0x50607080, 0x90a0b0c0, 0xd0e0f001 };

	if (!__builtin_cpu_supports("avx2"))
		skip();
	for (unsigned int i = 0; i < 4; i++)
		words[4 + i] = mask >> i & 1 ? 0x80000000 : 0x7fffffff;
	memcpy(xsave.image + 160, words, sizeof(words));
	xsave.image[24] = 0x80, xsave.image[25] = 0x1f;
	xsave.image[512] = 2;
	xsave.xcr0 = mmio.xcr0_mask = 7;
}

/* What a mask leaves out is not touched, on a chip or elsewhere. */
static void test_masked(void **state)
{
	static const uint32_t loaded[] = { 0x10203040, 0, 0x90a0b0c0, 0 };

	(void)state;
	set_mask(5);
	memset(chip, 0x11, 16);
	DO(64, "\xc4\xe2\x71\x2e\x03"); /* vmaskmovps [rbx], xmm1, xmm0 */
	assert_int_equal(writes, 2);
	assert_int_equal(chip_get(0, 8), 0x1111111110203040);
	assert_int_equal(chip_get(8, 8), 0x1111111190a0b0c0);
	assert_int_equal(reads, 0);
	DO(64, "\xc4\xe2\x71\x8c\x13"); /* vpmaskmovd xmm2, xmm1, [rbx] */
	assert_int_equal(reads, 2);
	assert_memory_equal(xsave.image + 160 + 32, loaded, 16);
	set_mask(3);
	DO(64, "\xc4\xe2\x71\x8e\x43\x20"); /* vpmaskmovd [rbx+32], xmm1, xmm0 */
	assert_int_equal(chip_get(32, 8), 0x5060708010203040);
	assert_int_equal(writes, 3);
	set_mask(0);
	DO(64, "\xc4\xe2\x71\x2c\x13"); /* vmaskmovps xmm2, xmm1, [rbx] */
	assert_int_equal(reads, 2);
}

/* The same by a mask register, where the CPU has them: that is elsewhere on each make. */
static void test_mask_register(void **state)
{
	unsigned int eax, offset, ecx, edx;

	(void)state;
	if (!__builtin_cpu_supports("avx512f"))
		skip();
	set_mask(0);
	__cpuid_count(0xd, 5, eax, offset, ecx, edx);
	xsave.xcr0 = mmio.xcr0_mask = 0xe7;
	xsave.image[512] = 0x22;
	xsave.image[offset + 8] = 6; /* K1 */
	memset(chip, 0x11, 64);
	DO(64, "\x62\xf1\x7c\x49\x11\x03"); /* vmovups [rbx]{k1}, zmm0 */
	assert_int_equal(writes, 1);
	assert_int_equal(chip_get(0, 8), 0x5060708011111111);
	assert_int_equal(chip_get(8, 8), 0x1111111190a0b0c0);
	DO(64, "\x62\xf1\x7e\xc9\x6f\x13"); /* vmovdqu32 zmm2{k1}{z}, [rbx] */
	assert_int_equal(reads, 1);
	assert_memory_equal(xsave.image + 160 + 36, chip + 4, 8);
	assert_int_equal(xsave.image[160 + 32], 0);
	xsave.xcr0 = 7;
	FAULTS(64, "\x62\xf1\x7c\x49\x11\x03", X86_VECTOR_UD, 0);
}

static void test_masked_faults(void **state)
{
	(void)state;
	sregs.seg[TINYVMX_DS].limit = CHIP + 7;
	set_mask(3);
	DO(32, "\xc4\xe2\x71\x2e\x03"); /* vmaskmovps [ebx], xmm1, xmm0 */
	assert_int_equal(writes, 1);
	set_mask(5);
	FAULTS(32, "\xc4\xe2\x71\x2e\x03", X86_VECTOR_GP, 0);
	FAULTS(32, "\xc4\xe2\x71\x2c\x13", X86_VECTOR_GP, 0);
	assert_int_equal(writes, 1);
	assert_int_equal(reads, 0);
	broken = TINYVMX_STATE_XSAVE;
	assert_int_equal(emulate(32, "\xc4\xe2\x71\x2c\x13", 5), HV_MMIO_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_native),        T(test_prefixes),       T(test_vectors),
		T(test_exceptions),    T(test_x87_exceptions), T(test_mxcsr),
		T(test_broken_store),  T(test_not_available),  T(test_masked),
		T(test_mask_register), T(test_masked_faults),
	};

	return cmocka_run_group_tests_name("insn native", tests, NULL, NULL);
}
