// SPDX-License-Identifier: GPL-2.0-only
/* Names of VMs: which are, and which are made. */
#include "control/name.h"
#include "hv_test.h"

#define TEN "0123456789"

static void test_rules(void **state)
{
	static const char *const good[] = { "a",     "7",     "web",
					    "web-1", "a_b.c", TEN TEN TEN TEN TEN TEN "0123" };
	static const char *const bad[] = { "",
					   "-a",
					   ".",
					   "..",
					   ".a",
					   "_a",
					   "a/b",
					   "a b",
					   "caf\xc3\xa9",
					   "a\n",
					   TEN TEN TEN TEN TEN TEN "01234" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(hv_name_is_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(hv_name_is_valid(bad[i]));
}

static void test_made(void **state)
{
	static const struct {
		const char *image, *name;
	} cases[] = {
		{ "minios.bin", "minios-123" },
		{ "/guests/minios.bin", "minios-123" },
		{ "/boot/vmlinuz-6.1.0-18-amd64", "vmlinuz-6.1.0-18-amd64-123" },
		{ "/boot/vmlinuz-6.12", "vmlinuz-6.12-123" },
		{ "a.tar.gz", "a.tar-123" },
		{ "a.config", "a.config-123" },
		{ "a.", "a.-123" },
		{ "-", "vm-123" },
		{ ".img", "vm-123" },
		{ "", "vm-123" },
		{ "dir/", "vm-123" },
		{ "my image\xff.iso", "my-image--123" },
		{ TEN TEN TEN TEN TEN TEN TEN, TEN TEN TEN TEN TEN TEN "-123" },
	};
	char name[HV_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		hv_name_make(name, cases[i].image, 123);
		assert_string_equal(name, cases[i].name);
		assert_true(hv_name_is_valid(name));
	}
	hv_name_make(name, TEN TEN TEN TEN TEN TEN TEN, 4194304);
	assert_true(hv_name_is_valid(name));
	assert_string_equal(name + 56, "-4194304");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_made),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
