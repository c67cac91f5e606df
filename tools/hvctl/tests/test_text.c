// SPDX-License-Identifier: GPL-2.0-only
/* Text of others: what stays, what becomes a question mark, what is cut off. */
#include "hv_test.h"
#include "lib/text.h"

static void cleaned(const char *in, size_t len, const char *wanted)
{
	char out[64];

	assert_int_equal(hv_text_clean(out, sizeof(out), in, len), strlen(wanted));
	assert_string_equal(out, wanted);
}

#define CLEANED(in, wanted) cleaned(in, sizeof(in) - 1, wanted)

static void test_what_stays(void **state)
{
	(void)state;
	CLEANED("", "");
	CLEANED("plain ~", "plain ~");
	CLEANED("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7");
	CLEANED("\xc2\xa0", "\xc2\xa0");
	CLEANED("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf");
}

static void test_control_characters(void **state)
{
	(void)state;
	CLEANED("a\0b\n\t\033[1m\x7f", "a?b???[1m?");
	/* CSI as one character of C1: in UTF-8, and as a byte. */
	CLEANED("\xc2\2331m\2331m", "?1m?1m");
}

static void test_no_utf8(void **state)
{
	(void)state;
	CLEANED("\x80\xbf\xc0\xaf\xc1\x81", "??????");
	CLEANED("\xe0\x80\xaf", "???");      /* longer than need be */
	CLEANED("\xed\xa0\x80", "???");      /* half of a pair */
	CLEANED("\xf4\x90\x80\x80", "????"); /* beyond the last */
	CLEANED("\xf5\xff\xfe", "???");
	CLEANED("\xe2\x82", "??"); /* cut off */
	CLEANED("\xe2\x82x", "??x");
}

static void test_room(void **state)
{
	char out[4];

	(void)state;
	assert_int_equal(hv_text_clean(out, sizeof(out), "abcdef", 6), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(hv_text_clean(out, sizeof(out), "ab\xc3\xa9", 4), 2);
	assert_string_equal(out, "ab");
	assert_int_equal(hv_text_clean(out, 1, "a", 1), 0);
	assert_string_equal(out, "");
	strcpy(out, "\n\xff");
	assert_int_equal(hv_text_clean(out, sizeof(out), out, 2), 2);
	assert_string_equal(out, "??");
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(hv_text_distance("memory", "memory"), 0);
	assert_int_equal(hv_text_distance("Memory", "memory"), 0);
	assert_int_equal(hv_text_distance("memry", "memory"), 1);
	assert_int_equal(hv_text_distance("memoryy", "memory"), 1);
	assert_int_equal(hv_text_distance("nemory", "memory"), 1);
	assert_int_equal(hv_text_distance("meomry", "memory"), 1);
	assert_int_equal(hv_text_distance("mem", "memory"), 1);
	assert_int_equal(hv_text_distance("m", "memory"), 5);
	assert_int_equal(hv_text_distance("", "memory"), 6);
	assert_int_equal(hv_text_distance("memory", ""), 6);
	assert_int_equal(hv_text_distance("kitten", "sitting"), 3);
	/* Only so much of them counts. */
	assert_int_equal(hv_text_distance("0123456789012345678901234567890123456789",
					  "012345678901234567890123456789012345"),
			 0);
}

static void test_likeness(void **state)
{
	(void)state;
	assert_true(hv_text_is_like("memorie", "memory"));
	assert_true(hv_text_is_like("inird", "initrd"));
	assert_false(hv_text_is_like("xyzzy", "entry"));
	assert_false(hv_text_is_like("", "cpu"));
	assert_false(hv_text_is_like("dog", "cpu"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_stays), cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_no_utf8),    cmocka_unit_test(test_room),
		cmocka_unit_test(test_distance),   cmocka_unit_test(test_likeness),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
