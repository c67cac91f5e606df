// SPDX-License-Identifier: GPL-2.0-only
/* Arithmetic flags, held against the CPU that the test runs on. */
#include "emul/alu.h"
#include "hv_test.h"
#include "lib/x86.h"
#include "lib/util.h"

#define FLAGS (X86_RFLAGS_CF | X86_RFLAGS_PF | X86_RFLAGS_AF | X86_RFLAGS_ZF | \
	X86_RFLAGS_SF | X86_RFLAGS_OF)

#define ON_CPU(name, text) \
	static uint64_t name(uint64_t a, uint64_t b, unsigned int bits, uint64_t *flags) \
	{ \
		uint64_t f = *flags; \
		\
		switch (bits) { \
		case 8: \
			asm("push %1; popf; " text "b %b2, %b0; pushf; pop %1" \
			    : "+q"(a), "+r"(f) \
			    : "q"(b) \
			    : "cc"); \
			break; \
		case 16: \
			asm("push %1; popf; " text "w %w2, %w0; pushf; pop %1" \
			    : "+r"(a), "+r"(f) \
			    : "r"(b) \
			    : "cc"); \
			break; \
		case 32: \
			asm("push %1; popf; " text "l %k2, %k0; pushf; pop %1" \
			    : "+r"(a), "+r"(f) \
			    : "r"(b) \
			    : "cc"); \
			break; \
		default: \
			asm("push %1; popf; " text "q %q2, %q0; pushf; pop %1" \
			    : "+r"(a), "+r"(f) \
			    : "r"(b) \
			    : "cc"); \
		} \
		*flags = f; \
		return hv_low_bits(a, bits); \
	}

#define ON_CPU1(name, text) \
	static uint64_t name(uint64_t a, uint64_t b, unsigned int bits, uint64_t *flags) \
	{ \
		uint64_t f = *flags; \
		\
		(void)b; \
		switch (bits) { \
		case 8: \
			asm("push %1; popf; " text "b %b0; pushf; pop %1" \
			    : "+q"(a), "+r"(f) \
			    : \
			    : "cc"); \
			break; \
		case 16: \
			asm("push %1; popf; " text "w %w0; pushf; pop %1" \
			    : "+r"(a), "+r"(f) \
			    : \
			    : "cc"); \
			break; \
		case 32: \
			asm("push %1; popf; " text "l %k0; pushf; pop %1" \
			    : "+r"(a), "+r"(f) \
			    : \
			    : "cc"); \
			break; \
		default: \
			asm("push %1; popf; " text "q %q0; pushf; pop %1" \
			    : "+r"(a), "+r"(f) \
			    : \
			    : "cc"); \
		} \
		*flags = f; \
		return hv_low_bits(a, bits); \
	}

ON_CPU(cpu_add, "add")
ON_CPU(cpu_adc, "adc")
ON_CPU(cpu_sub, "sub")
ON_CPU(cpu_sbb, "sbb")
ON_CPU(cpu_and, "and")
ON_CPU(cpu_or, "or")
ON_CPU(cpu_xor, "xor")
ON_CPU1(cpu_inc, "inc")
ON_CPU1(cpu_dec, "dec")

static uint64_t (*const on_cpu[])(uint64_t a, uint64_t b, unsigned int bits, uint64_t *flags) = {
	[HV_ALU_ADD] = cpu_add, [HV_ALU_ADC] = cpu_adc,
	[HV_ALU_SUB] = cpu_sub, [HV_ALU_SBB] = cpu_sbb,
	[HV_ALU_AND] = cpu_and, [HV_ALU_OR] = cpu_or, [HV_ALU_XOR] = cpu_xor,
	[HV_ALU_INC] = cpu_inc, [HV_ALU_DEC] = cpu_dec,
};

static const uint64_t values[] = {
	0, 1, 2, 0xf, 0x10, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
	0xffffffff, 0x123456789abcdef0, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
};

#define NR_VALUES (ARRAY_SIZE(values))

static void compare(enum hv_alu_op op, uint64_t a, uint64_t b, unsigned int bits, uint64_t carry)
{
	uint64_t flags = X86_RFLAGS_FIXED | X86_RFLAGS_IF | carry, cpu_flags = flags;
	/* AF is undefined after a logical operation. */
	bool logical = op == HV_ALU_AND || op == HV_ALU_OR || op == HV_ALU_XOR;
	uint64_t mask = FLAGS & ~(logical ? X86_RFLAGS_AF : 0);
	uint64_t got = hv_alu(op, a, b, bits, &flags), want = on_cpu[op](a, b, bits, &cpu_flags);

	if (got != want || (flags & mask) != (cpu_flags & mask))
		fail_msg(
			"op %d, %u bits, %llx %llx, carry %llx: %llx flags %llx, not %llx flags %llx",
			op, bits, (unsigned long long)a, (unsigned long long)b,
			(unsigned long long)carry, (unsigned long long)got,
			(unsigned long long)(flags & mask), (unsigned long long)want,
			(unsigned long long)(cpu_flags & mask));
	assert_int_equal(flags & ~FLAGS, X86_RFLAGS_FIXED | X86_RFLAGS_IF);
}

static void test_like_the_cpu(void **state)
{
	(void)state;
	for (enum hv_alu_op op = HV_ALU_ADD; op <= HV_ALU_DEC; op++)
		for (size_t i = 0; i < NR_VALUES; i++)
			for (size_t j = 0; j < NR_VALUES; j++)
				for (unsigned int bits = 8; bits <= 64; bits *= 2) {
					compare(op, values[i], values[j], bits, 0);
					compare(op, values[i], values[j], bits, X86_RFLAGS_CF);
				}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_the_cpu),
	};

	return cmocka_run_group_tests_name("alu", tests, NULL, NULL);
}
