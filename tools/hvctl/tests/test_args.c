// SPDX-License-Identifier: GPL-2.0-only
/* Sizes and addresses as people write them. */
#include "hv_test.h"
#include "lib/args.h"
#include "lib/util.h"

static void good(const char *text, uint64_t unit, uint64_t want)
{
	uint64_t value = 0;

	if (!hv_parse_size(text, unit, &value))
		fail_msg("%s is refused", text);
	if (value != want)
		fail_msg("%s: %llx, not %llx", text, (unsigned long long)value,
			 (unsigned long long)want);
}

static void bad(const char *text)
{
	uint64_t value = 7;

	if (hv_parse_size(text, 1, &value))
		fail_msg("\"%s\" is taken as %llx", text, (unsigned long long)value);
	assert_int_equal(value, 7);
}

static void test_good(void **state)
{
	(void)state;
	good("128", HV_MIB, 128 * HV_MIB);
	good("128", 1, 128);
	good("0x100000", 1, 0x100000);
	good("64M", 1, 64 * HV_MIB);
	good("64m", HV_MIB, 64 * HV_MIB);
	good("2GiB", 1, 2 * HV_GIB);
	good("4KB", 1, 4096);
	good("1T", 1, 1024 * HV_GIB);
	good("0", HV_MIB, 0);
	good("0xffffffffffffffff", 1, UINT64_MAX);
}

static void test_bad(void **state)
{
	static const char *const texts[] = {
		"",
		" 1",
		"-1",
		"+1",
		"x",
		"0x",
		"12q",
		"12MM",
		"12Mi",
		"1e3",
		"1 M",
		"12K ",
		"18446744073709551616",
		"16777216T",
		"0x1ffffffffffffffffM",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		bad(texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
