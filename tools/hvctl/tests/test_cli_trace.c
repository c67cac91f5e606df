// SPDX-License-Identifier: GPL-2.0-only
/* hvctl trace as its users meet it: of a VM that runs, of a file, and what is refused. */
#include <jansson.h>

#include "cli_test.h"
#include "control_test.h"
#include "lib/status.h"

static int start_marking_and_obeying(void **state)
{
	guest = marks;
	return start_obedient(state);
}

#define SEES(port) "I/O instruction: IN port " port ", "

static void test_live(void **state)
{
	(void)state;
	says("trace -n 40 web", 0, "vCPU             us     exit     inside    outside  RIP");
	assert_int_equal(count("I/O instruction: "), 40);
	assert_true(count(SEES("0x600")) && count(SEES("0x3fd")) && count(SEES("0x61")));
	assert_non_null(strstr(said, "exits, 40 of them told, 0 missed\n"));
}

static void test_filters(void **state)
{
	(void)state;
	says("trace -n 7 --port 0x600 web", 0, "2 bytes, DX; handled by hvctl\n");
	assert_int_equal(count(SEES("0x600")), 7);
	assert_int_equal(count("I/O instruction: "), 7);
	says("trace -n 7 --port 0x60-0x6f --reason io --vcpu 0 web", 0, SEES("0x61"));
	assert_int_equal(count("I/O instruction: "), count(SEES("0x61")));
}

/* What does not come; the end is ours. */
static void test_interrupted(void **state)
{
	char arguments[200];

	(void)state;
	snprintf(arguments, sizeof(arguments),
		 "trace --reason cpuid web & sleep 1; kill -INT $!; wait $! && echo ended well");
	says(arguments, 0, " 0 of them told, ");
	assert_int_equal(count("I/O instruction"), 0);
}

static void test_saved(void **state)
{
	char path[] = "/tmp/hv-trace-XXXXXX", arguments[300];
	json_t *root, *events;
	unsigned int ports;

	(void)state;
	close(mkstemp(path));
	snprintf(arguments, sizeof(arguments), "trace -n 60 --save %s web", path);
	says(arguments, 0, "60 of them told");
	assert_int_equal(count("I/O instruction"), 0);
	snprintf(arguments, sizeof(arguments), "trace --read %s", path);
	says(arguments, 0, "60 exits, 60 of them told, 0 missed\n");
	assert_int_equal(count("I/O instruction: "), 60);
	ports = count(SEES("0x61"));
	assert_true(ports);
	snprintf(arguments, sizeof(arguments), "trace --read %s --port 0x61", path);
	says(arguments, 0, "60 exits, ");
	assert_int_equal(count("I/O instruction: "), ports);
	snprintf(arguments, sizeof(arguments), "trace --read %s -n 5 --save - | %s trace --read -",
		 path, hvctl);
	says(arguments, 0, "5 exits, 5 of them told");
	snprintf(arguments, sizeof(arguments), "trace --read %s --export - 2>/dev/null", path);
	says(arguments, 0, "traceEvents");
	root = json_loads(said, JSON_REJECT_DUPLICATES, NULL);
	events = json_object_get(root, "traceEvents");
	assert_int_equal(json_array_size(events), 2 + 2 * 60);
	json_decref(root);
	/* It is not lost before there is something to take its place. */
	snprintf(arguments, sizeof(arguments), "trace --read %s --save %s", path, path);
	refuses(arguments, 2, "is what is read; name another file");
	snprintf(arguments, sizeof(arguments), "trace nobody --save %s", path);
	refuses(arguments, 2, "nobody: no such VM");
	snprintf(arguments, sizeof(arguments), "trace --read %s", path);
	says(arguments, 0, "60 exits, 60 of them told, 0 missed\n");
	unlink(path);
}

/* The VM's end is one of a trace, too; what came last is there. */
static void test_to_its_end(void **state)
{
	char arguments[200];

	(void)state;
	snprintf(arguments, sizeof(arguments),
		 "trace web & sleep 1; %s stop web >/dev/null; wait $!", hvctl);
	says(arguments, 0, "I/O instruction: OUT port 0x604, 2 bytes");
	assert_non_null(strstr(said, " missed\n"));
	assert_int_equal(ended(), 0);
}

static void test_refusals(void **state)
{
	(void)state;
	refuses("trace", 2,
		"no VM named; 'hvctl ps' lists those that run, '-- run IMAGE' starts one");
	refuses("trace nobody", 2, "nobody: no such VM");
	refuses("trace web other", 2, "other: ");
	refuses("trace --read x web", 2, "leave one of them out");
	refuses("trace -- ls", 2, "ls: behind -- comes run");
	refuses("trace web -- run x", 2, "web: behind -- comes run");
	refuses("trace --save a --export b web", 2, "--save or --export");
	refuses("trace --reason nonsense web", 2,
		"--reason nonsense: \"nonsense\" begins the name of no");
	refuses("trace --port 0x10000 web", 2, "--port 0x10000: no number and no range");
	refuses("trace --msr x web", 2, "--msr x: no number and no range");
	refuses("trace --gpa 5-4 web", 2, "--gpa 5-4: no number and no range");
	refuses("trace --count 0 web", 2, "--count 0: no number of exits");
	refuses("trace --count 1-2 web", 2, "--count 1-2: no number of exits");
	refuses("trace --read /nonexistent", 2,
		"/nonexistent: No such file or directory; name one");
	refuses("trace --read /dev/null", 2, "is none that 'hvctl trace --save' has written");
	refuses("trace --save /nonexistent/x web", 2,
		"/nonexistent/x: No such file or directory; name");
	refuses("trace -n 5 --save /dev/full web", 12, "/dev/full: No space left on device");
}

/* Without a VM that runs: what hvctl run says, and its status. */
static void test_run_that_fails(void **state)
{
	(void)state;
	says("trace -- run /nonexistent", 2, "hvctl run: /nonexistent: no such file");
	says("trace --port 1 -- run --cpus 0 x", 2, "hvctl run: --cpus 0: not a number of CPUs");
}

#define T(name, begin) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_live, start_marking),
		T(test_filters, start_marking),
		T(test_interrupted, start_marking),
		T(test_saved, start_marking),
		T(test_to_its_end, start_marking_and_obeying),
		T(test_refusals, start_marking),
		T(test_run_that_fails, NULL),
	};
	int failed;

	if (!find_hvctl())
		return 0;
	signal(SIGPIPE, SIG_IGN);
	if (!make_top())
		return 1;
	failed = cmocka_run_group_tests_name("cli_trace", tests, NULL, NULL);
	remove_top();
	return failed;
}
