// SPDX-License-Identifier: GPL-2.0-only
/* A panic on the console: found in pieces, forgotten when life goes on. */
#include "hv_test.h"
#include "vmm/panic.h"

static void say(struct hv_panic *panic, const char *text)
{
	hv_panic_watch(panic, (const uint8_t *)text, strlen(text));
}

static void test_found(void **state)
{
	struct hv_panic panic = { .len = 0 };

	(void)state;
	say(&panic, "[    1.0] all is well\r\n[    2.0] Kernel pa");
	assert_null(hv_panic_text(&panic));
	say(&panic, "nic - not syncing: Attempted to kill init!\r\n");
	assert_string_equal(hv_panic_text(&panic),
			    "Kernel panic - not syncing: Attempted to kill init!");
	say(&panic, "Call Trace:\n---[ end Kernel panic - not syncing: x ]---\n");
	assert_string_equal(hv_panic_text(&panic),
			    "Kernel panic - not syncing: Attempted to kill init!");
}

static void test_life_goes_on(void **state)
{
	struct hv_panic panic = { .len = 0 };

	(void)state;
	say(&panic, "Kernel panic - not syncing\n");
	for (unsigned int i = 0; i < 99; i++)
		say(&panic, "line\n");
	assert_non_null(hv_panic_text(&panic));
	say(&panic, "line\n");
	assert_null(hv_panic_text(&panic));
}

static void test_long_lines(void **state)
{
	struct hv_panic panic = { .len = 0 };

	(void)state;
	for (unsigned int i = 0; i < 10000; i++)
		say(&panic, "x");
	say(&panic, "Kernel panic - not syncing\n");
	assert_null(hv_panic_text(&panic));
	say(&panic, "Kernel panic - not syncing: ");
	for (unsigned int i = 0; i < 10000; i++)
		say(&panic, "y");
	say(&panic, "\n");
	assert_non_null(hv_panic_text(&panic));
}

/* A kernel with times in front of its lines, and a program that talks of a panic. */
static void test_not_the_kernels(void **state)
{
	struct hv_panic panic = { .len = 0 };

	(void)state;
	say(&panic, "[    1.0] all is well\r\n");
	say(&panic, "linux# echo Kernel panic - not syncing: x\r\n");
	say(&panic, "Kernel panic - not syncing: x\r\n[it] Kernel panic - not syncing: x\r\n");
	assert_null(hv_panic_text(&panic));
	say(&panic, "linux# [    2.0][    T1] Kernel panic - not syncing: y\r\n");
	assert_string_equal(hv_panic_text(&panic), "Kernel panic - not syncing: y");
}

static void test_only_text_is_kept(void **state)
{
	struct hv_panic panic = { .len = 0 };

	(void)state;
	/* In octal, an escape ends after three digits. */
	say(&panic, "Kernel panic - not syncing: \xff\23331m\033[0m\xc2\x9b ok \xc3\xa9\n");
	assert_string_equal(hv_panic_text(&panic),
			    "Kernel panic - not syncing: ??31m[0m? ok \xc3\xa9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_life_goes_on),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_not_the_kernels),
		cmocka_unit_test(test_only_text_is_kept),
	};

	return cmocka_run_group_tests_name("panic", tests, NULL, NULL);
}
