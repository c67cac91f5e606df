// SPDX-License-Identifier: GPL-2.0-only
/* The guest's CPUID: what is hidden, what depends on the module, no row twice. */
#include <stdio.h>

#include "firmware/cpu_features.h"
#include "hv_test.h"
#include "lib/util.h"

/* A CPU that has everything. */
static void everything(uint32_t function, uint32_t index, uint32_t out[4])
{
	for (unsigned int i = 0; i < 4; i++)
		out[i] = UINT32_MAX;
	if (function == 0)
		out[0] = 0x20;
	if (function == 0x80000000)
		out[0] = 0x80000021;
	if (function == 0xd && index > 1) {
		out[0] = 64;
		out[1] = 512 + 64 * index;
	}
}

/* An old one: nothing above leaf 2. */
static void old(uint32_t function, uint32_t index, uint32_t out[4])
{
	everything(function, index, out);
	if (function == 0)
		out[0] = 2;
	if (function == 0x80000000)
		out[0] = 0x80000001;
}

static struct tinyvmx_info full_info(void)
{
	return (struct tinyvmx_info){
		.capabilities = UINT64_MAX,
		.gpa_bits = 40,
		.tsc_khz = 2500000,
		.xcr0_mask = 0xe7,
		.cr4_mask = UINT64_MAX,
		.efer_mask = UINT64_MAX,
	};
}

static struct tinyvmx_cpuid table[HV_CPUID_MAX];
static size_t count;

static size_t build(hv_cpuid_fn host, const struct tinyvmx_info *info)
{
	const struct hv_cpuid_config config = { .host = host, .info = info, .cpus = 1 };

	return hv_cpuid_build(table, &config);
}

static const struct tinyvmx_cpuid *row(uint32_t function, uint32_t index)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].function == function && table[i].index == index)
			return &table[i];
	return NULL;
}

static const struct tinyvmx_cpuid *must(uint32_t function, uint32_t index)
{
	const struct tinyvmx_cpuid *found = row(function, index);

	if (!found)
		fail_msg("no row %x.%x", function, index);
	return found;
}

static void test_hidden(void **state)
{
	struct tinyvmx_info info = full_info();
	const struct tinyvmx_cpuid *leaf;

	(void)state;
	count = build(everything, &info);
	leaf = must(1, 0);
	assert_false(leaf->ecx & 1 << 3);                                   /* MONITOR */
	assert_false(leaf->ecx & 1 << 5);                                   /* VMX */
	assert_true(leaf->ecx & 1U << 31);                                  /* hypervisor */
	assert_true(leaf->ecx & 1 << 28);                                   /* AVX */
	assert_int_equal(leaf->edx & (1 << 7 | 1 << 14), 1 << 7 | 1 << 14); /* MCE, MCA */
	assert_false(leaf->ecx & 1 << 27);        /* OSXSAVE is the module's to set */
	assert_false(must(0xd, 1)->eax & 1 << 3); /* XSAVES */
	assert_false(must(7, 0)->ebx & 1 << 11);  /* RTM */
	assert_true(must(7, 0)->ebx & 1 << 16);   /* AVX-512 */
	assert_int_equal(must(7, 0)->edx & 0xac000000,
			 0xac000000); /* IBRS, STIBP, ARCH_CAPABILITIES, SSBD */
	assert_int_equal(must(0x80000008, 0)->eax & 0xff, 40);
	assert_true(hv_cpuid_has_1g_pages(table, count));
	assert_true(hv_cpuid_has_mtrr(table, count));
	assert_int_equal(hv_cpuid_gpa_bits(table, count), 40);
	assert_false(hv_cpuid_has_mtrr(table, 0));
	assert_int_equal(hv_cpuid_gpa_bits(table, 0), 36);
	assert_null(row(0x80000009, 0));
	assert_int_equal(must(0, 0)->eax, 0x16);
}

static void test_limits_of_the_module(void **state)
{
	struct tinyvmx_info info = full_info();

	(void)state;
	info.xcr0_mask = 7;
	info.cr4_mask = ~(1ULL << 20);
	info.capabilities = 0;
	info.efer_mask = 0;
	count = build(everything, &info);
	assert_true(must(1, 0)->ecx & 1 << 28);
	assert_false(must(7, 0)->ebx & 1 << 16);          /* AVX-512: no state */
	assert_false(must(7, 0)->ebx & 1 << 7);           /* SMEP: no CR4 bit */
	assert_true(must(7, 0)->ebx & 1 << 20);           /* SMAP */
	assert_false(must(7, 0)->ebx & 1 << 10);          /* INVPCID */
	assert_false(must(7, 0)->edx & 0xac000000);       /* speculation control */
	assert_false(must(0x80000001, 0)->edx & 1 << 27); /* RDTSCP */
	assert_false(must(0x80000001, 0)->edx & 1 << 29); /* long mode */
	info.xcr0_mask = 0;
	info.cr4_mask = 0;
	count = build(everything, &info);
	assert_null(row(0xd, 0));
	assert_false(must(1, 0)->ecx & (1 << 26 | 1 << 28));
	assert_false(must(1, 0)->edx & (1 << 7 | 1 << 14));
}

static void without_umip(uint32_t function, uint32_t index, uint32_t out[4])
{
	everything(function, index, out);
	if (function == 7)
		out[2] &= ~(1U << 2);
}

/* The module can do it for a CPU that has it not: its word counts. */
static void test_umip(void **state)
{
	struct tinyvmx_info info = full_info();

	(void)state;
	count = build(without_umip, &info);
	assert_true(must(7, 0)->ecx & 1 << 2);
	info.cr4_mask = ~(1ULL << 11);
	count = build(without_umip, &info);
	assert_false(must(7, 0)->ecx & 1 << 2);
	count = build(everything, &info);
	assert_false(must(7, 0)->ecx & 1 << 2);
}

static void test_xsave(void **state)
{
	struct tinyvmx_info info = full_info();

	(void)state;
	count = build(everything, &info);
	assert_int_equal(must(0xd, 0)->eax, 0xe7);
	assert_int_equal(must(0xd, 0)->edx, 0);
	assert_int_equal(must(0xd, 0)->ecx, 512 + 64 * 7 + 64);
	assert_non_null(row(0xd, 2));
	assert_null(row(0xd, 3));
	assert_non_null(row(0xd, 7));
	assert_null(row(0xd, 9));
	info.xcr0_mask = UINT64_MAX >> 1;
	count = build(everything, &info);
	assert_in_range(count, 1, HV_CPUID_MAX);
}

static void test_frequency(void **state)
{
	struct tinyvmx_info info = full_info();

	(void)state;
	count = build(old, &info);
	assert_int_equal(must(0, 0)->eax, 0x16);
	assert_int_equal(must(0x15, 0)->ecx, 2500000000u);
	assert_int_equal(must(0x16, 0)->eax, 2500);
	assert_null(row(7, 0));
	info.tsc_khz = 0;
	count = build(old, &info);
	assert_int_equal(must(0, 0)->eax, 2);
	assert_null(row(0x15, 0));
}

static void test_no_row_twice(void **state)
{
	struct tinyvmx_info info = full_info();

	(void)state;
	count = build(hv_cpuid_host, &info);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (table[i].function == table[j].function)
				assert_true(table[i].flags & TINYVMX_CPUID_INDEXED &&
					    table[i].index != table[j].index);
	assert_memory_equal(&must(0x40000000, 0)->ebx, "tinyvmx", 8);
	assert_int_equal(must(0x40000000, 0)->eax, 0x40000010);
	assert_int_equal(must(0x40000010, 0)->eax, 2500000);
	assert_int_equal(must(0x40000010, 0)->ebx, 2500000);
	info.tsc_khz = 0;
	count = build(hv_cpuid_host, &info);
	assert_int_equal(must(0x40000000, 0)->eax, 0x40000000);
	assert_null(row(0x40000010, 0));
}

/* A CPU that has nothing beyond leaf 1's signature. */
static void nothing(uint32_t function, uint32_t index, uint32_t out[4])
{
	(void)index;
	memset(out, 0, 4 * sizeof(*out));
	if (function == 0)
		out[0] = 1;
	if (function == 0x80000000)
		out[0] = 0x80000001;
}

static void build_pc(void)
{
	struct tinyvmx_info info = full_info();
	const struct hv_cpuid_config config = {
		.host = nothing, .info = &info, .cpus = 1, .lapic = true
	};

	count = hv_cpuid_build(table, &config);
}

static void build_full(void)
{
	struct tinyvmx_info info = full_info();
	const struct hv_cpuid_config config = {
		.host = everything, .info = &info, .cpus = 1, .lapic = true
	};

	count = hv_cpuid_build(table, &config);
}

/* The local APIC is the module's: it is there on any host. */
static void test_pc(void **state)
{
	(void)state;
	build_pc();
	assert_int_equal(must(1, 0)->ecx, 1U << 31 | 1 << 24 | 1 << 21);
	assert_int_equal(must(1, 0)->edx, 1 << 9 | 1 << 12); /* and the MTRRs */
	assert_int_equal(must(6, 0)->eax, 4);
	assert_int_equal(must(0, 0)->eax, 0x1f);
	assert_int_equal(must(0xb, 0)->ecx, 0x100);
	assert_memory_equal(&must(0x40000100, 0)->ebx, "KVMKVMKVM\0\0", 12);
	assert_int_equal(must(0x40000100, 0)->eax, 0x40000101);
	assert_int_equal(must(0x40000101, 0)->eax, 2);
}

static void test_bare_has_no_lapic(void **state)
{
	struct tinyvmx_info info = full_info();

	(void)state;
	count = build(everything, &info);
	assert_false(must(1, 0)->ecx & (1 << 21 | 1 << 24));
	assert_false(must(1, 0)->edx & 1 << 9);
	assert_null(row(6, 0));
	assert_null(row(0xb, 0));
	assert_null(row(0x1f, 0));
	assert_int_equal(must(1, 0)->ebx >> 16 & 0xff, 1);
	assert_null(row(0x40000100, 0));
}

static int parse(struct hv_cpu_features *features, const char *text)
{
	struct hv_error err = { .text = "" };
	int error = hv_cpu_features_parse(features, text, &err);

	if (error)
		assert_non_null(strchr(err.text, ';'));
	return error;
}

static void test_features(void **state)
{
	struct hv_cpu_features features = { 0 };
	struct hv_error err;

	(void)state;
	build_pc();
	assert_int_equal(parse(&features, "-x2apic,+tsc-deadline"), 0);
	assert_int_equal(hv_cpu_features_apply(&features, table, count, &err), 0);
	assert_int_equal(must(1, 0)->ecx, 1U << 31 | 1 << 24);
	assert_int_equal(parse(&features, "-hypervisor"), 0);
	assert_int_equal(hv_cpu_features_apply(&features, table, count, &err), 0);
	assert_int_equal(must(1, 0)->ecx, 1 << 24);
	assert_int_equal(parse(&features, "+avx"), 0);
	assert_true(hv_cpu_features_apply(&features, table, count, &err) < 0);
	assert_non_null(strstr(err.text, "avx"));
}

/* The rows where those of @bits are that are still there. */
static uint32_t left_of(uint32_t function, uint32_t index, unsigned int reg, uint32_t bits)
{
	const struct tinyvmx_cpuid *leaf = must(function, index);
	const uint32_t regs[] = { leaf->eax, leaf->ebx, leaf->ecx, leaf->edx };

	return regs[reg] & bits;
}

static void apply(const char *text)
{
	struct hv_cpu_features features = { 0 };
	struct hv_error err;

	build_full();
	assert_int_equal(parse(&features, text), 0);
	assert_int_equal(hv_cpu_features_apply(&features, table, count, &err), 0);
}

/* Without AVX nothing is left that comes in its registers, nor room for those. */
static void test_without_avx(void **state)
{
	(void)state;
	apply("-avx");
	assert_int_equal(left_of(1, 0, 2, 1 << 12 | 1 << 28 | 1 << 29), 0);
	assert_int_equal(left_of(7, 0, 1, 0xdc230020), 0);
	assert_int_equal(left_of(7, 0, 2, 0x00005e42), 0);
	assert_int_equal(left_of(7, 0, 3, 0x0000010c), 0);
	assert_int_equal(left_of(7, 1, 0, 0x00000030), 0);
	assert_int_equal(left_of(1, 0, 2, 1 << 25 | 1 << 26), 1 << 25 | 1 << 26); /* AES, XSAVE */
	assert_int_equal(left_of(7, 0, 2, 1 << 8), 1 << 8);                       /* GFNI */
	assert_int_equal(left_of(7, 0, 1, 1 << 29), 1 << 29);                     /* SHA */
	assert_int_equal(must(0xd, 0)->eax, 3);
	assert_int_equal(must(0xd, 0)->ecx, 576);
	assert_int_equal(must(0xd, 2)->eax, 0);
	assert_int_equal(must(0xd, 7)->eax, 0);
}

static void test_what_goes_with_a_feature(void **state)
{
	(void)state;
	apply("-avx512f");
	assert_int_equal(left_of(7, 0, 1, 1 << 5), 1 << 5);
	assert_int_equal(left_of(7, 0, 1, 0xdc230000), 0);
	assert_int_equal(must(0xd, 0)->eax, 7);
	assert_int_equal(must(0xd, 0)->ecx, 512 + 64 * 2 + 64);
	apply("-avx512bw");
	assert_int_equal(left_of(7, 0, 2, 1 << 1 | 1 << 6 | 1 << 12 | 1 << 14), 1 << 14);
	apply("-aes");
	assert_int_equal(left_of(7, 0, 2, 1 << 9 | 1 << 10), 1 << 10);
	apply("-xsave");
	assert_int_equal(left_of(0xd, 1, 0, 7), 0);
	assert_int_equal(must(0xd, 0)->eax, 0);
	assert_int_equal(must(0xd, 0)->ebx, 0);
	assert_int_equal(left_of(7, 0, 1, 1 << 5 | 1 << 16), 0);
	apply("-sse2");
	assert_int_equal(left_of(1, 0, 2, 1 << 0 | 1 << 9 | 1 << 19 | 1 << 20 | 1 << 25), 0);
	assert_int_equal(left_of(1, 0, 2, 1 << 26), 1 << 26);
	assert_int_equal(left_of(7, 0, 1, 1 << 5 | 1 << 29), 0);
	apply("-apic");
	assert_int_equal(left_of(1, 0, 2, 1 << 21 | 1 << 24), 0);
	apply("-lm");
	assert_int_equal(left_of(0x80000001, 0, 3, 1 << 26 | 1 << 20), 1 << 20);
	apply("-fma,-x2apic");
	assert_int_equal(left_of(7, 0, 1, 1 << 5 | 1 << 16), 1 << 5 | 1 << 16);
}

/* A word for a feature and one against what it needs: which of the two is told. */
static void test_needs_refused(void **state)
{
	static const char *const bad[][3] = {
		{ "+avx2,-avx", "avx2", "avx" },   { "-fpu,+fxsr", "fxsr", "fpu" },
		{ "-xsave,+avx", "avx", "xsave" }, { "-sse4_2,+avx", "avx", "sse4_2" },
		{ "-aes,+vaes", "vaes", "aes" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct hv_cpu_features features = { 0 };
		struct hv_error err;
		char want[100];

		build_full();
		snprintf(want, sizeof(want), "%s needs %s;", bad[i][1], bad[i][2]);
		assert_int_equal(parse(&features, bad[i][0]), 0);
		assert_true(hv_cpu_features_apply(&features, table, count, &err) < 0);
		assert_non_null(strstr(err.text, want));
	}
}

/* Each name that a feature needs is a name, and each bit that is shown has one. */
static void test_every_bit_has_a_name(void **state)
{
	static const struct {
		uint32_t function, index;
		unsigned int reg;
	} words[] = {
		{ 1, 0, 2 }, { 1, 0, 3 },   { 7, 0, 1 },          { 7, 0, 2 },          { 7, 0, 3 },
		{ 7, 1, 0 }, { 0xd, 1, 0 }, { 0x80000001, 0, 2 }, { 0x80000001, 0, 3 },
	};
	static const char *const none[] = {
		"-fpu,-vme,-de,-pse,-tsc,-msr,-pae,-mce,-cx8,-apic,-mtrr",
		"-sep,-pge,-mca,-cmov,-pat,-clflush,-ss,-movbe,-popcnt,-rdrand,-hypervisor",
		"-bmi1,-smep,-bmi2,-erms,-rdseed,-adx,-smap,-clflushopt,-clwb,-umip,-rdpid",
		"-prefetchwt1,-movdiri,-movdir64b,-fsrm,-md_clear,-serialize,-ibrs,-stibp",
		"-arch_capabilities,-ssbd,-fzrm,-fsrs,-fsrc,-abm,-3dnowprefetch,-syscall,-rdtscp,-invtsc"
	};
	struct hv_cpu_features features = { 0 };
	struct hv_error err;

	(void)state;
	build_full();
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(parse(&features, none[i]), 0);
	assert_int_equal(hv_cpu_features_apply(&features, table, count, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		uint32_t left =
			left_of(words[i].function, words[i].index, words[i].reg, UINT32_MAX);

		/* Not features: TSC_ADJUST, and two that say what a CPU does not do. */
		if (words[i].function == 7 && words[i].reg == 1)
			left &= ~(1U << 1 | 1U << 6 | 1U << 13);
		assert_int_equal(left, 0);
	}
}

static void test_last_word_counts(void **state)
{
	struct hv_cpu_features features = { 0 };
	struct hv_error err;

	(void)state;
	build_pc();
	assert_int_equal(parse(&features, "-x2apic"), 0);
	assert_int_equal(parse(&features, "x2apic"), 0);
	assert_int_equal(hv_cpu_features_apply(&features, table, count, &err), 0);
	assert_true(must(1, 0)->ecx & 1 << 21);
}

static void test_features_refused(void **state)
{
	static const char *const bad[] = { "",        ",",        "-",        "+",    "x2",
					   "x2apicc", "-x2apic,", "avx,,avx", "--avx" };
	struct hv_cpu_features features = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(parse(&features, bad[i]) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_limits_of_the_module),
		cmocka_unit_test(test_umip),
		cmocka_unit_test(test_xsave),
		cmocka_unit_test(test_frequency),
		cmocka_unit_test(test_no_row_twice),
		cmocka_unit_test(test_pc),
		cmocka_unit_test(test_bare_has_no_lapic),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_without_avx),
		cmocka_unit_test(test_what_goes_with_a_feature),
		cmocka_unit_test(test_needs_refused),
		cmocka_unit_test(test_every_bit_has_a_name),
		cmocka_unit_test(test_last_word_counts),
		cmocka_unit_test(test_features_refused),
	};

	return cmocka_run_group_tests_name("cpuid", tests, NULL, NULL);
}
