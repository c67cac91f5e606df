// SPDX-License-Identifier: GPL-2.0-only
/* hvctl info, doctor and explain as their users meet them where there is no /dev/tinyvmx. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv_test.h"
#include "lib/util.h"

static char output[16384];

/* Run a shell's command, "$HVCTL" in it; both streams to @output. Returns its status. */
static int run(const char *command)
{
	FILE *pipe = popen(command, "r");
	int status;

	assert_non_null(pipe);
	output[fread(output, 1, sizeof(output) - 1, pipe)] = 0;
	status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(const char *command, int status, const char *text)
{
	int got = run(command);

	if (got != status || !strstr(output, text))
		fail_msg("%s: status %d: %s", command, got, output);
}

static int setup(void **state)
{
	(void)state;
	return getenv("HVCTL") ? 0 : -1;
}

#define EXPLAIN	" | timeout 10 $HVCTL explain - 2>&1"

static void test_statuses(void **state)
{
	(void)state;
	expect("echo 6820 0" EXPLAIN, 8, "rule guest.rflags.one");
	assert_non_null(strstr(output, "rules on fields that are not in the dump"));
	expect("echo 6820 2" EXPLAIN, 1, "no violated rule found, but not all were checked\n");
	assert_non_null(strstr(output, "rules on fields that are not in the dump"));
	assert_null(strstr(output, "not visible"));
}

static void test_bad_input(void **state)
{
	static const struct {
		const char *command;
		const char *text;
	} rows[] = {
		{ "$HVCTL explain 2>&1", "no file given; name one" },
		{ "$HVCTL explain a b 2>&1", "b: one file only; see" },
		{ "$HVCTL explain /nonexistent/file 2>&1",
		  "/nonexistent/file: No such file or directory; name a VMCS dump" },
		{ "$HVCTL explain / 2>&1", "/: Is a directory; give a VMCS dump as text" },
		{ "$HVCTL explain /dev/null 2>&1", "/dev/null: no VMCS field in it; give lines" },
		{ "timeout 10 $HVCTL explain /dev/zero 2>&1",
		  "line 1 is no VMCS field; give lines" },
		{ "$HVCTL explain $HVCTL 2>&1", "line 1 is no VMCS field; give lines" },
		{ "printf '6820 2\\n68'" EXPLAIN, "standard input: line 2 is no VMCS field; give" },
		{ "printf '6820 2\\n6820 2\\n'" EXPLAIN,
		  "field 0x6820 is there twice; give one dump" },
		{ "$HVCTL info x 2>&1", "x: no argument expected; see" },
		{ "$HVCTL doctor x 2>&1", "x: no argument expected; see" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		expect(rows[i].command, 2, rows[i].text);
		/* one line */
		assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
	}
}

static void test_full_disk(void **state)
{
	(void)state;
	expect("echo 6820 2 | $HVCTL explain - 2>&1 >/dev/full", 12, "hvctl explain: writing: ");
	expect("$HVCTL doctor 2>&1 >/dev/full", 12, "hvctl doctor: writing: ");
}

static void test_help(void **state)
{
	(void)state;
	expect("$HVCTL help explain", 0,
	       "  1  no violated rule found, but not all could be checked");
	expect("$HVCTL help doctor", 0, "  13  features    VMX has all that tinyvmx needs");
	expect("$HVCTL help info", 0, "--json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests_name("cli_explain", tests, setup, NULL);
}
