// SPDX-License-Identifier: GPL-2.0-only
/* "FIRST[,key=value][,flag]...": what is taken, commas, and each way to get it wrong. */
#include <errno.h>

#include "hv_test.h"
#include "lib/options.h"

enum { RO, CACHE, SERIAL, QUEUES, SIZE, FORWARD };

static const struct hv_option keys[] = {
	[RO] = HV_FLAG("ro"),
	[CACHE] = HV_WORD("cache", "writeback|write|none"),
	[SERIAL] = HV_TEXT("serial", "TEXT"),
	[QUEUES] = HV_NUMBER("queues", 1, 8),
	[SIZE] = HV_SIZE("size", 1, UINT64_MAX),
	[FORWARD] = HV_TEXTS("fwd", "FROM-TO"),
	HV_OPTIONS_END,
};

static struct hv_options options;
static struct hv_error err;

static int setup(void **state)
{
	(void)state;
	options = (struct hv_options){ 0 };
	err = (struct hv_error){ 0 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hv_options_end(&options);
	return 0;
}

static void begin(const char *text)
{
	hv_options_end(&options);
	assert_int_equal(hv_options_begin(&options, text, "FILE", keys, &err), 0);
}

static void expect(unsigned int key, const char *text, uint64_t number)
{
	assert_int_equal(hv_options_next(&options, &err), 1);
	assert_int_equal(options.key, key);
	assert_string_equal(options.text, text);
	if (keys[key].type != HV_OPTION_TEXT)
		assert_int_equal(options.number, number);
}

static void expect_end(void)
{
	assert_int_equal(hv_options_next(&options, &err), 0);
	assert_int_equal(hv_options_next(&options, &err), 0);
}

static void test_all(void **state)
{
	(void)state;
	begin("a.img,ro,cache=none,serial=a=b,queues=8,size=2M,fwd=1-2,fwd=3-4");
	assert_string_equal(options.first, "a.img");
	expect(RO, "", 1);
	expect(CACHE, "none", 2);
	expect(SERIAL, "a=b", 0);
	expect(QUEUES, "8", 8);
	expect(SIZE, "2M", 2 << 20);
	expect(FORWARD, "1-2", 0);
	expect(FORWARD, "3-4", 0);
	assert_string_equal(options.first, "a.img");
	expect_end();
}

static void test_nothing_but_the_first(void **state)
{
	(void)state;
	begin("a=b.img");
	assert_string_equal(options.first, "a=b.img");
	expect_end();
}

static void test_flags_and_words(void **state)
{
	(void)state;
	begin("x,ro=on");
	expect(RO, "on", 1);
	begin("x,ro=off");
	expect(RO, "off", 0);
	begin("x,cache=writeback");
	expect(CACHE, "writeback", 0);
	begin("x,cache=write");
	expect(CACHE, "write", 1);
}

static void test_doubled_commas(void **state)
{
	(void)state;
	begin(",,a,,,,b,,,serial=,,c,,");
	assert_string_equal(options.first, ",a,,b,");
	expect(SERIAL, ",c,", 0);
	expect_end();
	begin("a,,ro");
	assert_string_equal(options.first, "a,ro");
	expect_end();
}

static void test_keys_come_first(void **state)
{
	(void)state;
	assert_int_equal(hv_options_begin(&options, "ro,queues=1", NULL, keys, &err), 0);
	assert_null(options.first);
	expect(RO, "", 1);
	expect(QUEUES, "1", 1);
	expect_end();
	hv_options_end(&options);
	assert_int_equal(hv_options_begin(&options, "", NULL, keys, &err), 0);
	expect_end();
	hv_options_end(&options);
	assert_int_equal(hv_options_begin(&options, NULL, NULL, keys, &err), 0);
	expect_end();
}

static void test_the_first_is_missing(void **state)
{
	static const char *const texts[] = { "", ",ro", NULL };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(hv_options_begin(&options, texts[i], "FILE", keys, &err), -EINVAL);
		assert_string_equal(err.text, "FILE is missing; it comes before the first comma");
		hv_options_end(&options);
	}
}

static void refused(const char *text, const char *why)
{
	begin(text);
	assert_int_equal(hv_options_next(&options, &err), -EINVAL);
	assert_string_equal(err.text, why);
}

#define ALL "ro, cache=writeback|write|none, serial=TEXT, queues=N, size=SIZE, fwd=FROM-TO"

static void test_wrong_keys(void **state)
{
	(void)state;
	refused("x,r", "no option \"r\"; there is: " ALL);
	refused("x,roo=1", "no option \"roo\"; there is: " ALL);
	refused("x,RO", "no option \"RO\"; there is: " ALL);
	refused("x,", "an option is missing behind a comma; there is: " ALL);
	refused("x,=1", "an option is missing behind a comma; there is: " ALL);
	begin("x,ro,ro");
	expect(RO, "", 1);
	assert_int_equal(hv_options_next(&options, &err), -EINVAL);
	assert_string_equal(err.text, "ro is there twice; once is enough");
}

static void test_wrong_values(void **state)
{
	(void)state;
	refused("x,ro=yes", "ro=yes: say ro, ro=on or ro=off");
	refused("x,cache", "cache=: there is cache=writeback|write|none");
	refused("x,cache=wri", "cache=wri: there is cache=writeback|write|none");
	refused("x,cache=write|none", "cache=write|none: there is cache=writeback|write|none");
	refused("x,serial", "serial wants a value: serial=TEXT");
	refused("x,serial=", "serial wants a value: serial=TEXT");
	refused("x,queues=0", "queues=0: it must be a number from 1 to 8");
	refused("x,queues=9", "queues=9: it must be a number from 1 to 8");
	refused("x,queues=-1", "queues=-1: it must be a number from 1 to 8");
	refused("x,queues=1K", "queues=1K: it must be a number from 1 to 8");
	refused("x,queues", "queues=: it must be a number from 1 to 8");
	refused("x,size=0", "size=0: it must be a number from 1 to 18446744073709551615 bytes");
	refused("x,size=1x", "size=1x: it must be a number from 1 to 18446744073709551615 bytes");
}

/* A table that is too long for a line is cut, not written past its end. */
static void test_many_keys(void **state)
{
#define LONG "a-very-long-form-of-a-value-that-goes-on-and-on-and-on-and-on-and-on"
	static const struct hv_option many[] = {
		HV_TEXT("one", LONG),  HV_TEXT("two", LONG),  HV_TEXT("three", LONG),
		HV_TEXT("four", LONG), HV_TEXT("five", LONG), HV_OPTIONS_END,
	};

	(void)state;
	assert_int_equal(hv_options_begin(&options, "six", NULL, many, &err), 0);
	assert_int_equal(hv_options_next(&options, &err), -EINVAL);
	assert_in_range(strlen(err.text), 300, sizeof(err.text) - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all),
		TEST(test_nothing_but_the_first),
		TEST(test_flags_and_words),
		TEST(test_doubled_commas),
		TEST(test_keys_come_first),
		TEST(test_the_first_is_missing),
		TEST(test_wrong_keys),
		TEST(test_wrong_values),
		TEST(test_many_keys),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
