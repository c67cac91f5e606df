// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl as its users meet it, without VT-x: bad input gives one line that says what
 * and how to mend it, status 2, and nothing on standard output. HVCTL names the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv_test.h"

static char dir[] = "/tmp/hv-cli-XXXXXX";
static char output[4096];

/* Run hvctl with @args (a shell's words) in the test's directory; both streams to @output. */
static int run(const char *args)
{
	char command[1024];
	size_t len;
	FILE *pipe;
	int status;

	snprintf(command, sizeof(command), "cd %s && %s %s 2>&1 </dev/null", dir, getenv("HVCTL"),
		 args);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	len = fread(output, 1, sizeof(output) - 1, pipe);
	output[len] = 0;
	status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void refused(const char *args, const char *what)
{
	int status = run(args);
	const char *newline = strchr(output, '\n');

	if (status != 2)
		fail_msg("hvctl %s: status %d: %s", args, status, output);
	if (!newline || newline[1])
		fail_msg("hvctl %s: not one line: %s", args, output);
	if (strncmp(output, "hvctl", 5) || !strstr(output, what) || !strchr(output, ';'))
		fail_msg("hvctl %s: %s", args, output);
}

static void make_file(const char *name, const void *data, size_t len)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

static int setup(void **state)
{
	(void)state;
	if (!getenv("HVCTL") || !mkdtemp(dir))
		return -1;
	make_file("ok", "\xf4", 1);
	make_file("empty", "", 0);
	make_file("elf", "\177ELF", 4);
	make_file("two", "\xf4\xf4", 2);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "ok", "empty", "elf", "two" };
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void test_images(void **state)
{
	(void)state;
	refused("run nothing", "nothing: no such file");
	refused("run ok/x", "no such file");
	refused("run empty", "empty: is empty");
	refused("run .", "directory");
	refused("run /dev/null", "not a regular file");
	refused("run elf", "truncated");
	refused("run /bin/sh", "-no-pie");
	refused("run", "no image");
	refused("run ok two", "two: one image too many");
}

static void test_numbers(void **state)
{
	(void)state;
	refused("run --mem 0 ok", "--mem");
	refused("run --mem -1 ok", "--mem -1");
	refused("run --mem 99999999 ok", "more than this host has");
	refused("run --mem 12X ok", "--mem 12X");
	refused("run --mem 1025K ok", "4 KiB");
	refused("run --load here ok", "--load here");
	refused("run --entry '' ok", "--entry");
	refused("run --mode long32 ok", "--mode long32");
}

static void test_places(void **state)
{
	(void)state;
	refused("run --mem 2M --load 2M ok", "do not fit");
	refused("run --mem 2M --load 0x1fffff two", "do not fit");
	refused("run --load 0xffffffffffffffff two", "");
	refused("run --entry 0x100001 ok", "outside the image");
	refused("run --load 0x1000 ok", "GDT");
	refused("run --mode protected --load 0x7ffff ok", "stack");
	refused("run --mode real --load 0x2000 --cmdline x ok", "command line");
	refused("run --load 0x100000 elf", "");
}

static void test_no_device(void **state)
{
	(void)state;
	if (!access("/dev/tinyvmx", F_OK))
		skip();
	refused("run ok", "/dev/tinyvmx: is not there");
	refused("run --mode real ok", "doctor");
}

static void test_bench(void **state)
{
	(void)state;
	refused("bench --case nothing", "nothing: no such case");
	refused("bench --backend xen", "xen: is no back end");
	refused("bench ok", "no argument expected");
	refused("bench --backend none --with nothing", "nothing");
	refused("bench --backend none --with ok", "ok: ");
	refused("bench --backend none --with empty", "empty: ");
	assert_int_equal(run("bench --list"), 0);
	assert_non_null(strstr(output, "wbinvd"));
	assert_int_equal(run("bench --backend none --json --case cpuid"), 0);
	assert_non_null(strstr(output, "\"cases\""));
}

static void test_commands(void **state)
{
	(void)state;
	assert_int_equal(run(""), 2);
	assert_non_null(strstr(output, "usage"));
	refused("jump", "no such command");
	refused("help jump", "no such command");
	assert_int_equal(run("help"), 0);
	assert_int_equal(run("help help"), 0);
	assert_int_equal(run("help run"), 0);
	assert_non_null(strstr(output, "--cmdline"));
	assert_int_equal(run("--help"), 0);
	assert_int_equal(run("--version"), 0);
	assert_int_equal(run("run --nonsense ok"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_images), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_places), cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_bench),  cmocka_unit_test(test_commands),
	};

	return cmocka_run_group_tests_name("cli", tests, setup, teardown);
}
