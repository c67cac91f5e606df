// SPDX-License-Identifier: GPL-2.0-only
/* hvctl info, doctor and explain as their users meet them where there is no /dev/tinyvmx. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli_test.h"
#include "hv_test.h"
#include "lib/util.h"
#include "vmcs_logs.h"

/* A shell's command, "$HVCTL" in it */
static void expect(const char *command, int status, const char *text)
{
	int got = shell("%s", command);

	if (got != status || !strstr(said, text))
		fail_msg("%s: status %d: %s", command, got, said);
}

#define EXPLAIN	" | timeout 10 $HVCTL explain - 2>&1"

static void test_lab(void **state)
{
	(void)state;
	expect("HOME=/nowhere $HVCTL lab", 0, "the way back");
	expect("$HVCTL lab 21 2>&1", 2, "21: there are exercises 1 to 20");
	expect("$HVCTL lab 1x 2>&1", 2, "1x: there are exercises 1 to 20");
	expect("$HVCTL lab 1 2 2>&1", 2, "2: ");
	expect("$HVCTL lab --solution 2>&1", 2,
	       "--solution of which exercise? 'hvctl lab' lists them");
	expect("$HVCTL lab 1 --solution", 0, "set guest RFLAGS 0x2\ntry\n");
	expect("$HVCTL lab 1 </dev/null 2>&1", 12, "'hvctl doctor' says more");
	expect("d=$(mktemp -d); mkdir $d/hvctl; echo 3 > $d/hvctl/lab; "
	       "XDG_STATE_HOME=$d $HVCTL lab; rm -r $d",
	       0, " 3  solved    compatibility mode");
}

static void test_statuses(void **state)
{
	(void)state;
	expect("echo 6820 0" EXPLAIN, 8, "rule guest.rflags.one");
	assert_non_null(strstr(said, "rules on fields that are not in the dump"));
	expect("echo 6820 2" EXPLAIN, 1, "no violated rule found, but not all were checked\n");
	assert_non_null(strstr(said, "rules on fields that are not in the dump"));
	assert_null(strstr(said, "not visible"));
}

/* Give explain, with @options, a log; the CPU that refused it is not ours. */
static void expect_of_log(const char *log, const char *options, int status, const char *text)
{
	char path[] = "/tmp/test_cli_explain.XXXXXX", command[200];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, log, strlen(log)), strlen(log));
	close(fd);
	snprintf(command, sizeof(command), "$HVCTL explain %s %s 2>&1", options, path);
	expect(command, status, text);
	unlink(path);
}

static void test_logs(void **state)
{
	(void)state;
	expect_of_log(log_kvm, "", 8, "a VMCS in a log of KVM\nexit reason 0x80000021: ");
	assert_non_null(strstr(said, "  guest CS access rights = 0xa09a: "));
	expect_of_log(log_xen, "", 8, "a VMCS in a log of Xen\n");
	assert_non_null(strstr(said, "; rule guest.blocking.sti)"));
	expect_of_log(log_virtualbox, "--cpu unknown", 8, "VM-instruction error 7: ");
	expect_of_log("*** Guest State ***\nRFLAGS=0x0\n*** Host State ***\n"
		      "*** Guest State ***\nRFLAGS=0x2\n",
		      "", 1, "the last of 2 VMCSs in a log of KVM\n");
}

static void test_json(void **state)
{
	json_t *report, *finding;

	(void)state;
	expect_of_log(log_kvm, "--json", 8, "{");
	report = json_loads(said, 0, NULL);
	assert_non_null(report);
	assert_string_equal(json_string_value(json_object_get(report, "log_of")), "KVM");
	assert_non_null(
		strstr(json_string_value(json_object_get(report, "verdict")), "0x80000021"));
	finding = json_array_get(json_object_get(report, "findings"), 0);
	assert_string_equal(json_string_value(json_object_get(finding, "id")), "guest.cs.type");
	assert_string_equal(json_string_value(json_object_get(finding, "value")), "0xa09a");
	assert_string_equal(json_string_value(json_object_get(finding, "segment")), "CS");
	assert_true(json_is_true(json_object_get(finding, "blamed")));
	assert_true(json_integer_value(json_object_get(json_object_get(report, "not_checked"),
						       "missing")) > 0);
	json_decref(report);
	expect("$HVCTL explain --rules 2>&1", 0, "guest.seg.ti\t2\tguest ES selector\tChecks on ");
	assert_int_equal(shell("$HVCTL explain --rules --json 2>&1"), 0);
	report = json_loads(said, 0, NULL);
	assert_true(json_array_size(report) > 150);
	json_decref(report);
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
		{ "echo '*** Guest State ***'" EXPLAIN,
		  "a log of KVM without a field of a VMCS; give one" },
		{ "$HVCTL explain --rules f 2>&1", "--rules takes no file; leave f out" },
		{ "$HVCTL explain --cpu other f 2>&1", "--cpu other: no such CPU; use this or" },
		{ "$HVCTL info x 2>&1", "x: no argument expected; see" },
		{ "$HVCTL doctor x 2>&1", "x: no argument expected; see" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		expect(rows[i].command, 2, rows[i].text);
		/* one line */
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
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
		cmocka_unit_test(test_statuses), cmocka_unit_test(test_logs),
		cmocka_unit_test(test_json),     cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_lab),      cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_help),
	};

	if (!find_hvctl())
		return 0;
	return cmocka_run_group_tests_name("cli_explain", tests, NULL, NULL);
}
