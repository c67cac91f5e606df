// SPDX-License-Identifier: GPL-2.0-only
/* Trees of values: from TOML with their lines, as TOML, from JSON and as JSON; what is refused. */
#include <stdlib.h>

#include "hv_test.h"
#include "lib/error.h"
#include "lib/util.h"
#include "lib/value.h"

static struct hv_value *from_toml(const char *text)
{
	struct hv_error err = { .text = "" };
	struct hv_value *root = hv_value_from_toml(text, strlen(text), &err);

	if (!root)
		fail_msg("%s: line %u: %s", text, err.line, err.text);
	return root;
}

static void test_kinds_and_lines(void **state)
{
	struct hv_value *root = from_toml("b = true\n"
					  "i = 0x10\n"
					  "\n"
					  "s = \"\\u00e9\\n\" # words\n"
					  "a = [1,\n"
					  "     'x']\n"
					  "f = 1.5\n"
					  "d = 2026-11-29\n"
					  "[t]\n"
					  "dotted.key = 1\n");
	const struct hv_value *a = hv_value_find(root, "a"), *t = hv_value_find(root, "t");
	const struct hv_value *dotted = hv_value_find(t, "dotted");

	(void)state;
	assert_int_equal(hv_value_find(root, "b")->kind, HV_VALUE_BOOL);
	assert_true(hv_value_find(root, "b")->boolean);
	assert_int_equal(hv_value_find(root, "i")->integer, 16);
	assert_int_equal(hv_value_find(root, "i")->line, 2);
	assert_string_equal(hv_value_string(hv_value_find(root, "s")), "\xc3\xa9\n");
	assert_int_equal(hv_value_find(root, "s")->line, 4);
	assert_int_equal(a->first->integer, 1);
	assert_int_equal(a->first->line, 5);
	assert_string_equal(a->last->string, "x");
	assert_int_equal(a->last->line, 6);
	assert_int_equal(hv_value_find(root, "f")->kind, HV_VALUE_OTHER);
	assert_int_equal(hv_value_find(root, "d")->kind, HV_VALUE_OTHER);
	assert_int_equal(t->line, 9);
	assert_int_equal(hv_value_find(dotted, "key")->line, 10);
	assert_null(hv_value_find(root, "x"));
	assert_null(hv_value_string(hv_value_find(root, "x")));
	assert_null(hv_value_string(a));
	hv_value_free(root);
}

/* toml++ has them by name. */
static void test_in_the_order_of_the_file(void **state)
{
	struct hv_value *root = from_toml("z = 1\nb = 2\n[y]\nx = 1\na = 2\n[c]\n");
	const struct hv_value *z = root->first, *y = z->next->next;

	(void)state;
	assert_string_equal(z->key, "z");
	assert_string_equal(z->next->key, "b");
	assert_string_equal(y->key, "y");
	assert_string_equal(y->first->key, "x");
	assert_string_equal(y->next->key, "c");
	assert_ptr_equal(y->next, root->last);
	hv_value_free(root);
}

static void test_toml_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *with;
	} cases[] = {
		{ "a = 1\nb =\n", 2, "is no TOML: " },
		{ "a = 1\n\na = 2\n", 3, "'a'" },
		{ "[t]\n[t]\n", 2, "'t'" },
		{ "\n\n\"\\ud800\" = 1\n", 3, "is no TOML" },
		{ "a = \"\xff\"\n", 1, "is no TOML" },
		{ "a = 99999999999999999999\n", 1, "is no TOML" },
		{ "\na = \"x\\u0000y\"\n", 2, "a string has a NUL" },
		{ "\n\na = ['x\\u0000y', \"x\\u0000y\"]\n", 3, "a string has a NUL" },
		{ "\n\"a\\u0000\" = 1\n", 2, "a key has a NUL" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hv_error err = { .text = "" };

		if (hv_value_from_toml(cases[i].text, strlen(cases[i].text), &err))
			fail_msg("taken: %s", cases[i].text);
		if (!strstr(err.text, cases[i].with) || !strchr(err.text, ';') ||
		    err.line != cases[i].line)
			fail_msg("%s: line %u: %s", cases[i].text, err.line, err.text);
	}
}

/* A parser that goes down for each of them would be out of stack. */
static void test_deep_nesting(void **state)
{
	static char text[1 << 20];
	struct hv_error err = { .text = "" };

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	memcpy(text, "a = ", 4);
	assert_null(hv_value_from_toml(text, sizeof(text) - 1, &err));
	assert_int_equal(err.line, 1);
	for (size_t i = 0; i + 5 < sizeof(text); i += 5)
		memcpy(text + i, "{a = ", 5);
	memcpy(text, "a  = ", 5);
	assert_null(hv_value_from_toml(text, sizeof(text) - 5, &err));
}

static void test_written(void **state)
{
	struct hv_value *root = hv_value_new(), *vm, *table, *array;
	char *text;

	(void)state;
	vm = hv_value_add(root, HV_VALUE_TABLE, "vm");
	table = hv_value_add(vm, HV_VALUE_TABLE, "a b");
	hv_value_add_integer(table, "number", -7);
	hv_value_add_integer(table, "size", 128 * HV_MIB)->form = HV_VALUE_SIZE;
	hv_value_add_integer(table, "odd", 1025)->form = HV_VALUE_SIZE;
	hv_value_add_integer(table, "none", 0)->form = HV_VALUE_SIZE;
	hv_value_add_integer(table, "address", 0x8000)->form = HV_VALUE_ADDRESS;
	array = hv_value_add(table, HV_VALUE_ARRAY, "array");
	hv_value_add_bool(array, NULL, true);
	hv_value_add_string(hv_value_add(array, HV_VALUE_TABLE, NULL), "", "\x01\x7f\"\\");
	hv_value_add(hv_value_add(table, HV_VALUE_TABLE, "below"), HV_VALUE_TABLE, "empty");
	hv_value_add_bool(root, "first", false);
	text = hv_value_to_toml(root);
	assert_string_equal(text, "first = false\n"
				  "\n"
				  "[vm.\"a b\"]\n"
				  "number = -7\n"
				  "size = \"128M\"\n"
				  "odd = 1025\n"
				  "none = 0\n"
				  "address = 0x8000\n"
				  "array = [true, { \"\" = \"\\u0001\\u007f\\\"\\\\\" }]\n"
				  "\n"
				  "[vm.\"a b\".below.empty]\n");
	hv_value_free(from_toml(text));
	free(text);
	hv_value_free(root);
}

static void test_not_written(void **state)
{
	struct hv_value *root = hv_value_new();

	(void)state;
	hv_value_add_string(root, "a", "\xff");
	assert_null(hv_value_to_toml(root));
	assert_null(hv_value_to_json(root));
	hv_value_free(root);
	root = hv_value_new();
	hv_value_add(root, HV_VALUE_ARRAY, "\xff");
	assert_null(hv_value_to_toml(root));
	assert_null(hv_value_to_json(root));
	hv_value_free(root);
	root = hv_value_new();
	hv_value_add(root, HV_VALUE_OTHER, "a");
	assert_null(hv_value_to_toml(root));
	hv_value_free(root);
}

/* What could not be added is remembered, and nothing goes on below it. */
static void test_no_memory(void **state)
{
	struct hv_value *root = hv_value_new();

	(void)state;
	assert_null(hv_value_add_string(NULL, "a", "b"));
	assert_null(hv_value_add_integer(hv_value_add(NULL, HV_VALUE_TABLE, "a"), "b", 1));
	hv_value_take_string(NULL, strdup("a"));
	hv_value_take_string(hv_value_add_string(root, "a", "b"), NULL);
	assert_true(root->is_incomplete);
	assert_null(hv_value_to_toml(root));
	assert_null(hv_value_to_json(root));
	hv_value_free(root);
}

static void test_json(void **state)
{
	static const char in[] = "{\"b\":[true,false,null,1.5,-3,\"x\"],\"a\":{\"c\":{}}}";
	struct hv_error err = { .text = "" };
	struct hv_value *root = hv_value_from_json(in, &err);
	const struct hv_value *b = root->first;
	char *text;

	(void)state;
	assert_string_equal(b->key, "b");
	assert_int_equal(b->line, 0);
	assert_int_equal(b->first->next->next->kind, HV_VALUE_OTHER);
	assert_int_equal(b->first->next->next->next->kind, HV_VALUE_OTHER);
	assert_string_equal(b->last->string, "x");
	text = hv_value_to_json(root);
	assert_string_equal(text, "{\"a\":{\"c\":{}},\"b\":[true,false,null,null,-3,\"x\"]}");
	free(text);
	hv_value_free(root);
	assert_null(hv_value_from_json("{\n\n\"a\":1,\"a\":2}", &err));
	assert_int_equal(err.line, 3);
	assert_null(hv_value_from_json("{\"a\":\"\\u0000\"}", &err));
	assert_null(hv_value_from_json("[]", &err));
}

static void test_has_only(void **state)
{
	static const char *const keys[] = { "name", "file", NULL };
	struct hv_value *root = hv_value_new();

	(void)state;
	assert_true(hv_value_has_only(root, keys));
	hv_value_add_string(root, "file", "f");
	hv_value_add_string(root, "name", "n");
	assert_true(hv_value_has_only(root, keys));
	hv_value_add_string(root, "names", "n");
	assert_false(hv_value_has_only(root, keys));
	hv_value_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_and_lines),
		cmocka_unit_test(test_in_the_order_of_the_file),
		cmocka_unit_test(test_toml_refused),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_not_written),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_has_only),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
