// SPDX-License-Identifier: GPL-2.0-only
/* Progress: on a terminal, after a second, and erased. */
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "hv_test.h"
#include "lib/memory.h"
#include "lib/progress.h"
#include "load/file.h"

static int master, slave, saved;
static char seen[4096];

static int begin(void **state)
{
	(void)state;
	saved = dup(STDERR_FILENO);
	if (saved < 0 || openpty(&master, &slave, NULL, NULL, NULL))
		return -1;
	return dup2(slave, STDERR_FILENO) < 0;
}

static int end(void **state)
{
	(void)state;
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(master);
	close(slave);
	return 0;
}

/* All that has come, behind a last X. */
static const char *look(void)
{
	size_t len = 0;

	assert_int_equal(write(slave, "X", 1), 1);
	do {
		ssize_t n = read(master, seen + len, sizeof(seen) - 1 - len);

		assert_true(n > 0);
		len += n;
	} while (seen[len - 1] != 'X');
	seen[len - 1] = 0;
	return seen;
}

static void test_nothing_at_first(void **state)
{
	struct hv_progress progress = hv_progress_begin("reading");

	(void)state;
	hv_progress_tell(&progress, HV_MIB, 2 * HV_MIB);
	hv_progress_end(&progress);
	assert_string_equal(look(), "");
}

static void test_words(void **state)
{
	struct hv_progress progress = hv_progress_begin("reading");

	(void)state;
	progress.due_ns = 1;
	hv_progress_tell(&progress, 3 * HV_MIB, 20 * HV_MIB);
	assert_string_equal(look(), "\rhvctl: reading: 3 MiB of 20");
	/* Not so soon */
	hv_progress_tell(&progress, 4 * HV_MIB, 20 * HV_MIB);
	assert_string_equal(look(), "");
	progress.due_ns = 1;
	hv_progress_tell(&progress, 12 * HV_MIB, 0);
	assert_string_equal(look(), "\rhvctl: reading: 12 MiB");
	hv_progress_end(&progress);
	assert_string_equal(look(), "\r                      \r");
	hv_progress_end(&progress);
	assert_string_equal(look(), "");
}

static void test_no_terminal(void **state)
{
	struct hv_progress progress;
	int out[2];
	char c;

	(void)state;
	assert_int_equal(pipe(out), 0);
	dup2(out[1], STDERR_FILENO);
	progress = hv_progress_begin("reading");
	assert_int_equal(progress.due_ns, 0);
	hv_progress_tell(&progress, 1, 2);
	hv_progress_end(&progress);
	dup2(slave, STDERR_FILENO);
	close(out[1]);
	assert_int_equal(read(out[0], &c, 1), 0);
	close(out[0]);
}

static void feed_slowly(const char *fifo)
{
	int fd = open(fifo, O_WRONLY);

	for (int i = 0; i < 2 && write(fd, "x", 1) == 1; i++)
		usleep(1100000);
	_exit(0);
}

static void test_slow_pipe(void **state)
{
	char dir[] = "/tmp/hvctl-progress-XXXXXX", fifo[64];
	struct hv_file file;
	struct hv_error err;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		feed_slowly(fifo);
	assert_int_equal(hv_file_read(&file, fifo, 100, &err), 0);
	hv_file_free(&file);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_non_null(strstr(look(), "\rhvctl: reading: 0 MiB\r  "));
	unlink(fifo);
	rmdir(dir);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nothing_at_first),
		T(test_words),
		T(test_no_terminal),
		T(test_slow_pipe),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
