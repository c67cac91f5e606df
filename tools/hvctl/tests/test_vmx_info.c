// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capability MSRs: what they allow, and how that is told in words and in JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/util.h"
#include "source_test.h"
#include "vmx/info.h"

static void set_msr(struct vmx_info *info, uint32_t msr, uint64_t value)
{
	info->cpu.msr[msr - TINYVMX_VMX_MSR_BASE] = value;
	info->cpu.msr_valid |= 1U << (msr - TINYVMX_VMX_MSR_BASE);
}

/* As a Skylake has them */
static struct vmx_info make_info(void)
{
	struct vmx_info info = {
		.source = "a test",
		.cpu = { .phys_bits = 39, .linear_bits = 48 },
		.has_feature_control = true,
		.feature_control = 0x5,
	};

	set_msr(&info, MSR_VMX_BASIC, 0x00da040000000004);
	set_msr(&info, MSR_VMX_PIN, 0x0000007f00000016);
	set_msr(&info, MSR_VMX_PROC, 0xfff9fffe0401e172);
	set_msr(&info, MSR_VMX_TRUE_PIN, 0x0000007f00000016);
	set_msr(&info, MSR_VMX_TRUE_PROC, 0xfff9fffe04006172);
	set_msr(&info, MSR_VMX_PROC2, 0x001ffcff00000000);
	set_msr(&info, MSR_VMX_MISC, 0x000000007004c1e7);
	set_msr(&info, MSR_VMX_CR0_FIXED0, 0x80000021);
	set_msr(&info, MSR_VMX_CR0_FIXED1, 0xffffffff);
	set_msr(&info, MSR_VMX_EPT_VPID, 0x00000f0106734141);
	return info;
}

static void test_limits(void **state)
{
	struct vmx_info info = make_info();
	struct vmx_limits limits;

	(void)state;
	assert_true(vmx_word_limits(&info.cpu, &vmx_words[VMX_WORD_PIN], &limits));
	assert_int_equal(limits.must_be_1, 0x16);
	assert_int_equal(limits.may_be_1, 0x7f);
	assert_string_equal(vmx_setting_name(&limits, 0), "free");
	assert_string_equal(vmx_setting_name(&limits, 1), "fixed 1");
	assert_string_equal(vmx_setting_name(&limits, 7), "fixed 0");
}

/* The true MSR counts if IA32_VMX_BASIC[55] says that there is one. */
static void test_true_msr(void **state)
{
	struct vmx_info info = make_info();
	struct vmx_limits limits;

	(void)state;
	assert_true(vmx_word_limits(&info.cpu, &vmx_words[VMX_WORD_PROC], &limits));
	assert_int_equal(limits.must_be_1, 0x04006172);
	assert_int_equal(limits.default_1, 0x18000);

	set_msr(&info, MSR_VMX_BASIC, 0x005a040000000004);
	assert_true(vmx_word_limits(&info.cpu, &vmx_words[VMX_WORD_PROC], &limits));
	assert_int_equal(limits.must_be_1, 0x0401e172);
	assert_int_equal(limits.default_1, 0);
}

static void test_words_the_cpu_lacks(void **state)
{
	struct vmx_info info = make_info();
	struct vmx_limits limits;

	(void)state;
	assert_false(vmx_word_limits(&info.cpu, &vmx_words[VMX_WORD_PROC3], &limits));
	set_msr(&info, MSR_VMX_PROC3, 0x8000000000000010);
	assert_true(vmx_word_limits(&info.cpu, &vmx_words[VMX_WORD_PROC3], &limits));
	assert_string_equal(vmx_setting_name(&limits, 4), "free");
	assert_string_equal(vmx_setting_name(&limits, 63), "free");
	assert_string_equal(vmx_setting_name(&limits, 3), "fixed 0");
}

static void test_tables_are_sorted(void **state)
{
	(void)state;
	for (size_t i = 0; i < VMX_NR_WORDS; i++)
		for (size_t j = 1; j < vmx_words[i].bits.count; j++)
			assert_true(vmx_words[i].bits.bit[j - 1].bit <
				    vmx_words[i].bits.bit[j].bit);
}

static char *print(const struct vmx_info *info)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	vmx_info_print(info, out);
	fclose(out);
	return text;
}

static void test_text(void **state)
{
	static const char *const lines[] = {
		"VMX capabilities as read from a test\n",
		"  revision identifier: 0x4\n",
		"  size of a VMCS region: 1024 bytes\n",
		"  memory type: write-back (WB)\n",
		"  bit  0  free     external-interrupt exiting\n",
		"  bit 15  free     CR3-load exiting (default 1)\n",
		"  bit  7  fixed 0  process posted interrupts\n",
		"  reserved, fixed 1: bits 1 2 4\n",
		"  bit  7  free     unrestricted guest\n",
		"  bit 31  fixed 1  PG\n",
		"  VMX-preemption timer counts down once in: 128 TSC ticks\n",
		"  CR3-target values: 4\n",
		"  bit  8  yes  activity state wait-for-SIPI\n",
		"  bit 17  yes  EPT 1-GByte pages\n",
		"  bit  2  yes  VMX outside SMX\n",
	};
	struct vmx_info info = make_info();
	char *text = print(&info);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (!strstr(text, lines[i]))
			fail_msg("not printed: %s", lines[i]);
	assert_null(strstr(text, "tertiary processor-based"));
	assert_null(strstr(text, "the module"));
	free(text);
}

static void test_module_text(void **state)
{
	struct vmx_info info = make_info();
	char *text;

	(void)state;
	info.has_module = true;
	info.module.max_vcpus = 64;
	info.module.capabilities = TINYVMX_CAP_EPT_1G;
	text = print(&info);
	assert_non_null(strstr(text, "  virtual CPUs a VM: 64\n"));
	assert_non_null(strstr(text, "  bit  2  yes  EPT 1-GByte pages\n"));
	assert_non_null(strstr(text, "  bit  0  no   VPID\n"));
	free(text);
}

/* Whoever gives the ABI a capability bit names it here, too. */
static void test_every_capability_has_a_name(void **state)
{
	FILE *header = test_open_source("uapi/tinyvmx.h");
	uint64_t defined = 0, named = 0;
	char line[256], id[64];
	unsigned int bit;

	(void)state;
	while (fgets(line, sizeof(line), header))
		if (sscanf(line, "#define TINYVMX_CAP_%63[A-Z0-9_] (1ULL << %u)", id, &bit) == 2)
			defined |= 1ULL << bit;
	fclose(header);
	for (size_t i = 0; i < tinyvmx_cap_bits.count; i++)
		named |= 1ULL << tinyvmx_cap_bits.bit[i].bit;
	assert_true(defined & TINYVMX_CAP_VPID);
	assert_int_equal(named, defined);
}

static const char *string_at(json_t *tree, const char *group, const char *key)
{
	return json_string_value(json_object_get(json_object_get(tree, group), key));
}

static void test_json(void **state)
{
	struct vmx_info info = make_info();
	json_t *tree = vmx_info_json(&info);
	json_t *bits, *pin, *back;
	json_error_t error;
	char *text;

	(void)state;
	assert_string_equal(string_at(tree, "basic", "revision"), "0x4");
	assert_string_equal(string_at(tree, "msrs", "IA32_VMX_BASIC"), "0xda040000000004");
	pin = json_object_get(tree, "pin");
	bits = json_object_get(pin, "bits");
	assert_string_equal(json_string_value(json_object_get(json_array_get(bits, 0), "setting")),
			    "free");
	assert_int_equal(json_array_size(json_object_get(pin, "reserved_fixed_1")), 3);
	assert_true(json_is_true(
		json_object_get(json_object_get(tree, "ept_vpid"), "EPT 1-GByte pages")));
	text = json_dumps(tree, 0);
	back = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	assert_non_null(back);
	assert_true(json_equal(tree, back));
	free(text);
	json_decref(back);
	json_decref(tree);
}

/* --- what CPUID tells --- */

struct leaf {
	uint32_t leaf, subleaf;
	uint32_t regs[4];
};

static const struct leaf *leaves; /* up to one of zeros */

static void fake_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	memset(regs, 0, 4 * sizeof(regs[0]));
	for (const struct leaf *l = leaves; l->leaf; l++)
		if (l->leaf == leaf && l->subleaf == subleaf)
			memcpy(regs, l->regs, sizeof(l->regs));
}

static struct vmx_cpu cpu_of(const struct leaf *of)
{
	struct vmx_cpu cpu = { 0 };

	leaves = of;
	vmx_cpu_from_cpuid(&cpu, fake_cpuid);
	return cpu;
}

static void test_counters(void **state)
{
	static const struct leaf version_2[] = { { 0xa, 0, { 0x07300402, 0, 0x10, 3 } }, { 0 } };
	static const struct leaf version_5[] = { { 0xa, 0, { 0x07300805, 0, 0x10, 3 } }, { 0 } };
	static const struct leaf none[] = { { 0 } };

	(void)state;
	assert_true(cpu_of(version_2).perf_global == 0x70000000f);
	assert_true(cpu_of(version_5).perf_global == 0x17000000ff);
	assert_true(cpu_of(none).perf_global == 0);
}

/* Cores of more than one kind have each its counters. */
static void test_hybrid(void **state)
{
	static const struct leaf hybrid[] = { { 7, 0, { 0, 0, 0, 1 << 15 } }, { 0 } };
	static const struct leaf none[] = { { 0 } };

	(void)state;
	assert_true(cpu_of(hybrid).hybrid);
	assert_false(cpu_of(none).hybrid);
}

static void test_branch_records(void **state)
{
	static const struct leaf all[] = { { 7, 0, { 0, 0, 0, 1 << 19 } },
					   { 0x1c, 0, { 0, 7, 0, 0 } },
					   { 0 } };
	static const struct leaf bare[] = { { 7, 0, { 0, 0, 0, 1 << 19 } }, { 0 } };
	static const struct leaf none[] = { { 0x1c, 0, { 0, 7, 0, 0 } }, { 0 } };

	(void)state;
	assert_true(cpu_of(all).lbr_ctl == 0x7f000f);
	assert_true(cpu_of(bare).lbr_ctl == 1);
	assert_true(cpu_of(none).lbr_ctl == 0);
}

static void test_processor_trace(void **state)
{
	static const struct leaf all[] = { { 7, 0, { 0, 1 << 25, 0, 0 } },
					   { 0x14, 0, { 1, 0x1ff, 0x80000009, 0 } },
					   { 0x14, 1, { 4, 0, 0, 0 } },
					   { 0 } };
	static const struct leaf two_ranges[] = { { 7, 0, { 0, 1 << 25, 0, 0 } },
						  { 0x14, 0, { 1, 1 << 2, 0, 0 } },
						  { 0x14, 1, { 2, 0, 0, 0 } },
						  { 0 } };
	static const struct leaf no_filter[] = { { 7, 0, { 0, 1 << 25, 0, 0 } },
						 { 0x14, 1, { 2, 0, 0, 0 } },
						 { 0 } };
	static const struct leaf none[] = { { 0x14, 0, { 1, 0x1ff, 0x80000009, 0 } }, { 0 } };

	(void)state;
	/* All but bits 18, 23, 30:28, 54:48 and 63:57 */
	assert_true(cpu_of(all).rtit_ctl == 0x0180ffff8f7bffff);
	assert_true(cpu_of(two_ranges).rtit_ctl == 0xff00002c0d);
	assert_true(cpu_of(no_filter).rtit_ctl == 0x2c0d);
	assert_true(cpu_of(none).rtit_ctl == 0);
}

static void test_from_msr_file(void **state)
{
	char path[] = "/tmp/hvctl-msr-XXXXXX";
	int fd = mkstemp(path);
	uint64_t basic = 0x00da040000000004, control = 5;
	struct vmx_info info = { 0 };

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &control, 8, MSR_FEATURE_CONTROL), 8);
	assert_int_equal(pwrite(fd, &basic, 8, MSR_VMX_BASIC), 8);
	assert_int_equal(vmx_info_from_msrs(&info, path), 0);
	assert_int_equal(info.cpu.msr[0], basic);
	assert_int_equal(info.feature_control, 5);
	assert_string_equal(info.source, path);
	/* what lies behind the file's end does not exist */
	assert_int_equal(info.cpu.msr_valid, 1);
	close(fd);
	unlink(path);
	assert_int_equal(vmx_info_from_msrs(&info, path), -2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_true_msr),
		cmocka_unit_test(test_words_the_cpu_lacks),
		cmocka_unit_test(test_tables_are_sorted),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_module_text),
		cmocka_unit_test(test_every_capability_has_a_name),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_hybrid),
		cmocka_unit_test(test_branch_records),
		cmocka_unit_test(test_processor_trace),
		cmocka_unit_test(test_from_msr_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
