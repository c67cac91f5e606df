// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing VMCS dumps as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/util.h"
#include "vmx/vmcs_dump.h"

static struct tinyvmx_vmcs_field *fields;
static size_t n;
static struct vmcs_source source;
static struct hv_error err;

static int read_text(const char *text)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	int ret = vmcs_dump_read(in, &fields, &n, &source, &err);

	fclose(in);
	return ret;
}

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(read_text("# a dump\n\n0x6820 0x2 # RFLAGS\n  681e\tfff0\r\n"
				   "2800 ffffffffffffffff"),
			 0);
	assert_int_equal(n, 3);
	assert_int_equal(fields[0].encoding, 0x6820);
	assert_int_equal(fields[0].value, 2);
	assert_int_equal(fields[1].encoding, 0x681e);
	assert_int_equal(fields[1].value, 0xfff0);
	assert_true(fields[2].value == UINT64_MAX);
	free(fields);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"\n",
		"# nothing\n",
		"6820",
		"6820 2 3",
		"6820 -2",
		"x 2",
		"16820 2",
		"6820 10000000000000000",
		"{\"a\": 1}",
		"ffffffffffffffff 1",
		"6820 2\n681e 0\n6820 2\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err.text[0] = 0;
		assert_int_equal(read_text(bad[i]), -EINVAL);
		assert_null(fields);
		assert_true(strlen(err.text) > 10);
	}
	assert_int_equal(read_text("6820 2\n681e zero\n"), -EINVAL);
	assert_non_null(strstr(err.text, "line 2"));
}

static void test_twice(void **state)
{
	(void)state;
	assert_int_equal(read_text("6820 2\n\n6820 3\n"), -EINVAL);
	assert_non_null(strstr(err.text, "line 3: field 0x6820 is there twice"));
}

/* Comments have any length; the rest of one is no field. */
static void test_long_lines(void **state)
{
	char text[2048];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "6820 2 #", 8);
	memcpy(text + 500, " 681e 1 681e 1 ", 15);
	memcpy(text + 2040, "\n681c 8", 8);
	assert_int_equal(read_text(text), 0);
	assert_int_equal(n, 2);
	assert_int_equal(fields[1].encoding, 0x681c);
	free(fields);
	memset(text, ' ', 1000);
	memcpy(text + 1000, "6820 2", 7);
	assert_int_equal(read_text(text), -EINVAL);
}

/* A reader of lines never comes to an end of /dev/zero. */
static void test_binary(void **state)
{
	FILE *in = fopen("/dev/zero", "r");

	(void)state;
	assert_non_null(in);
	assert_int_equal(vmcs_dump_read(in, &fields, &n, &source, &err), -EINVAL);
	assert_non_null(strstr(err.text, "line 1 is no VMCS field"));
	fclose(in);
	in = fopen("/", "r");
	assert_non_null(in);
	assert_int_equal(vmcs_dump_read(in, &fields, &n, &source, &err), -EISDIR);
	fclose(in);
}

static void test_too_many(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (unsigned int i = 0; i < 5000; i++)
		fprintf(out, "%x 2\n", (i & 0xfff) | (i & 0x1000) << 1);
	fclose(out);
	assert_int_equal(read_text(text), -EINVAL);
	assert_non_null(strstr(err.text, "more fields"));
	free(text);
}

static void test_round_trip(void **state)
{
	static const struct tinyvmx_vmcs_field some[] = {
		{ .encoding = 0x0802, .value = 0x10 },
		{ .encoding = 0x2800, .value = UINT64_MAX },
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	vmcs_dump_write(some, 2, out);
	fclose(out);
	assert_non_null(strstr(text, "0x0802 0x0000000000000010  # guest CS selector\n"));
	assert_int_equal(read_text(text), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(fields, some, sizeof(some));
	free(fields);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),       cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_many),   cmocka_unit_test(test_twice),
		cmocka_unit_test(test_long_lines), cmocka_unit_test(test_binary),
		cmocka_unit_test(test_round_trip),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
