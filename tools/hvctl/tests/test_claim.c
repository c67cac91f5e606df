// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory of a user's VMs, and who has which name there: what is refused, what the
 * dead leave, and races.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/claim.h"
#include "control/client.h"
#include "control/socket.h"
#include "hv_test.h"

static char top[] = "/tmp/hv-claim-XXXXXX";
static char path[64];
static struct hv_runtime_dir dir;

/* A new directory that is not there yet. */
static int begin(void **state)
{
	static unsigned int nr;

	(void)state;
	snprintf(path, sizeof(path), "%s/%u", top, nr++);
	setenv(HV_RUNTIME_DIR_VARIABLE, path, 1);
	dir.fd = -1;
	return 0;
}

static int end(void **state)
{
	char command[100];

	(void)state;
	hv_runtime_dir_close(&dir);
	snprintf(command, sizeof(command), "rm -rf %s", path);
	return system(command);
}

static void open_dir(void)
{
	struct hv_error err = { .text = "" };

	if (hv_runtime_dir_open(&dir, true, &err))
		fail_msg("%s", err.text);
}

static void refuse_dir(int error, const char *with)
{
	struct hv_error err = { .text = "" };

	assert_int_equal(hv_runtime_dir_open(&dir, true, &err), error);
	if (!strstr(err.text, with) || !strchr(err.text, ';'))
		fail_msg("%s", err.text);
	if (strncmp(err.text, dir.path, strlen(dir.path)))
		fail_msg("%s", err.text);
	assert_null(err.subject);
	hv_runtime_dir_close(&dir);
}

/* --------------------------------------------------------------- directory */

static void test_dir_is_made(void **state)
{
	struct hv_error err;
	struct stat st;

	(void)state;
	umask(0);
	assert_int_equal(hv_runtime_dir_open(&dir, false, &err), -ENOENT);
	open_dir();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_string_equal(dir.path, path);
}

static void test_dir_open_to_others(void **state)
{
	(void)state;
	assert_int_equal(mkdir(path, 0700) || chmod(path, 0750), 0);
	refuse_dir(-EPERM, "mode 750");
	assert_int_equal(chmod(path, 0701), 0);
	refuse_dir(-EPERM, "chmod 700");
}

static void test_dir_of_another(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(mkdir(path, 0700) || chown(path, 12345, 12345), 0);
	refuse_dir(-EPERM, "belongs to user 12345");
}

/* What others may put there where all may write. */
static void test_dir_that_is_none(void **state)
{
	(void)state;
	assert_int_equal(symlink(top, path), 0);
	refuse_dir(-ENOTDIR, "remove it");
	assert_int_equal(unlink(path), 0);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	refuse_dir(-ENOTDIR, "remove it");
	setenv(HV_RUNTIME_DIR_VARIABLE, "relative", 1);
	refuse_dir(-EINVAL, "absolute");
	setenv(HV_RUNTIME_DIR_VARIABLE, "/nonexistent/hvctl", 1);
	refuse_dir(-ENOENT, "cannot be made");
}

/* As a user who has logged in; as one who has another's environment. */
static void as_user(const char *xdg, const char *wanted)
{
	struct hv_error err;

	unsetenv(HV_RUNTIME_DIR_VARIABLE);
	setenv("XDG_RUNTIME_DIR", xdg, 1);
	if (!geteuid() && (setgid(12345) || setuid(12345)))
		_exit(2);
	(void)hv_runtime_dir_open(&dir, false, &err);
	_exit(strcmp(dir.path, wanted) ? 1 : 0);
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_dir_of_a_session(void **state)
{
	char ours[80];
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(mkdir(path, 0700) || chown(path, 12345, 12345) || chmod(top, 0755), 0);
	snprintf(ours, sizeof(ours), "%s/hvctl", path);
	pid = fork();
	if (!pid)
		as_user(path, ours);
	assert_int_equal(status_of(pid), 0);
	pid = fork();
	if (!pid)
		as_user("/root", "/tmp/hvctl-12345");
	assert_int_equal(status_of(pid), 0);
}

/* With a user's last session goes what is in /run/user, unless that user lingers. */
static void test_dir_that_goes(void **state)
{
	struct hv_runtime_dir of_session = { .path = "/run/user/1000/hvctl" };
	struct hv_runtime_dir other = { .path = "/tmp/hvctl-1000" };

	(void)state;
	assert_false(hv_runtime_dir_is_of_session(&other));
	if (access("/var/lib/systemd/linger/root", F_OK))
		assert_true(hv_runtime_dir_is_of_session(&of_session));
}

/* ------------------------------------------------------------------- names */

static bool is_there(const char *file)
{
	return !faccessat(dir.fd, file, F_OK, 0);
}

static void take(struct hv_claim *claim, const char *name)
{
	struct hv_error err = { .text = "" };

	if (hv_claim_take(claim, &dir, name, &err))
		fail_msg("%s", err.text);
}

static void test_name_is_had(void **state)
{
	struct hv_claim claim, other;
	struct hv_error err;
	char pid[16];

	(void)state;
	open_dir();
	take(&claim, "web");
	assert_int_equal(hv_claim_pid(&dir, "web"), getpid());
	assert_true(hv_claim_is_alive(&dir, "web"));
	assert_int_equal(hv_claim_take(&other, &dir, "web", &err), -EBUSY);
	assert_null(err.subject);
	assert_ptr_equal(strstr(err.text, "web: "), err.text);
	snprintf(pid, sizeof(pid), " %d;", getpid());
	assert_non_null(strstr(err.text, pid));
	hv_claim_release(&other);
	assert_true(is_there("web.lock"));
	hv_claim_release(&claim);
	assert_false(is_there("web.lock"));
	assert_int_equal(hv_claim_pid(&dir, "web"), 0);
	hv_claim_release(&claim);
}

static void test_lock_that_is_a_link(void **state)
{
	struct hv_claim claim;
	struct hv_error err;

	(void)state;
	open_dir();
	assert_int_equal(symlinkat("elsewhere", dir.fd, "web.lock"), 0);
	assert_int_equal(hv_claim_take(&claim, &dir, "web", &err), -ELOOP);
	assert_false(is_there("elsewhere"));
}

/* A process that has @name, and its socket, until it is killed. */
static pid_t hold(const char *name)
{
	int fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		struct hv_claim claim;

		take(&claim, name);
		if (hv_socket_listen(&dir, name) >= 0)
			(void)!write(fds[1], "", 1);
		pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return pid;
}

static void put_down(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_what_the_dead_leave(void **state)
{
	struct hv_name *names;
	struct hv_claim claim;
	struct hv_error err;
	struct stat st;
	pid_t pid;

	(void)state;
	open_dir();
	pid = hold("web");
	assert_int_equal(fstatat(dir.fd, "web.sock", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	assert_int_equal(hv_claim_pid(&dir, "web"), pid);
	put_down(pid);
	assert_true(is_there("web.sock"));
	/* Whoever looks removes it, ... */
	assert_int_equal(hv_claim_list(&dir, &names, &err), 0);
	assert_false(is_there("web.sock") || is_there("web.lock"));
	/* ... whoever takes the name, too. */
	put_down(hold("web"));
	take(&claim, "web");
	assert_false(is_there("web.sock"));
	assert_int_equal(hv_claim_pid(&dir, "web"), getpid());
	hv_claim_release(&claim);
}

/* A directory that is not hvctl's alone: what others have locks for stays. */
static void test_locks_of_others(void **state)
{
	static const char words[] = "[[package]]\nname = \"others\"\n";
	struct hv_error err = { .text = "" };
	struct hv_claim claim;
	struct hv_name *names;
	char text[64] = "";
	int fd;

	(void)state;
	open_dir();
	fd = openat(dir.fd, "Cargo.lock", O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, words, strlen(words)), strlen(words));
	assert_int_equal(hv_claim_list(&dir, &names, &err), 0);
	assert_false(hv_claim_is_alive(&dir, "Cargo"));
	assert_int_equal(hv_claim_take(&claim, &dir, "Cargo", &err), -EEXIST);
	assert_non_null(strstr(err.text, "Cargo.lock is no file of hvctl's; choose another name"));
	assert_int_equal(faccessat(dir.fd, "Cargo.lock", F_OK, 0), 0);
	assert_int_equal(pread(fd, text, sizeof(text) - 1, 0), strlen(words));
	assert_string_equal(text, words);
	close(fd);
}

static void test_list(void **state)
{
	static const char *const junk[] = {
		"web.sock", ".lock", "..lock", "a b.lock", "x", "-.lock"
	};
	struct hv_name *names;
	struct hv_claim b, a;
	struct hv_error err;

	(void)state;
	open_dir();
	take(&b, "b");
	take(&a, "a.lock");
	for (size_t i = 0; i < sizeof(junk) / sizeof(*junk); i++)
		close(openat(dir.fd, junk[i], O_CREAT | O_WRONLY, 0600));
	assert_int_equal(hv_claim_list(&dir, &names, &err), 2);
	assert_string_equal(names[0].text, "a.lock");
	assert_string_equal(names[1].text, "b");
	free(names);
	hv_claim_release(&a);
	hv_claim_release(&b);
	assert_true(is_there("x"));
}

/* With @left descriptors for it: what it says of why it cannot list. */
static int list_with(unsigned int left, struct hv_error *err)
{
	struct rlimit limit, less;
	struct hv_name *names;
	int count, next = open("/dev/null", O_RDONLY);

	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	less = limit;
	less.rlim_cur = next + left;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	count = hv_claim_list(&dir, &names, err);
	/* Not known to be dead. */
	assert_true(left || hv_claim_is_alive(&dir, "web"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	free(names);
	return count;
}

/* Nobody is dead because we cannot look. */
static void test_cannot_look(void **state)
{
	struct hv_error err = { .text = "" };
	struct hv_claim claim;

	(void)state;
	open_dir();
	take(&claim, "web");
	assert_int_equal(list_with(0, &err), -EMFILE);
	assert_int_equal(list_with(1, &err), -EMFILE);
	assert_non_null(strstr(err.text, "ulimit -n"));
	assert_int_equal(list_with(2, &err), 1);
	assert_int_equal(symlinkat("elsewhere", dir.fd, "other.lock"), 0);
	assert_int_equal(list_with(2, &err), -ELOOP);
	assert_non_null(strstr(err.text, "/other.lock: "));
	hv_claim_release(&claim);
}

/* ------------------------------------------------------------------- races */

#define RACERS 6
#define ROUNDS 200

/* Takes the name again and again, and looks whether it is alone. */
static void race(int inside_fd)
{
	unsigned int had = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct hv_claim claim;
		struct hv_error err;
		struct hv_name *names;

		if (i % 4 == 3) {
			hv_claim_list(&dir, &names, &err);
			free(names);
		}
		if (hv_claim_take(&claim, &dir, "web", &err))
			continue;
		had++;
		/* The file is there for who is alone. */
		if (openat(inside_fd, "alone", O_CREAT | O_EXCL | O_WRONLY, 0600) < 0)
			_exit(3);
		if (hv_claim_pid(&dir, "web") != getpid())
			_exit(4);
		unlinkat(inside_fd, "alone", 0);
		hv_claim_release(&claim);
	}
	_exit(had ? 0 : 5);
}

static void test_race(void **state)
{
	pid_t pid[RACERS];
	int inside;

	(void)state;
	open_dir();
	inside = open(top, O_RDONLY | O_DIRECTORY);
	for (unsigned int i = 0; i < RACERS; i++) {
		pid[i] = fork();
		if (!pid[i])
			race(inside);
	}
	for (unsigned int i = 0; i < RACERS; i++)
		assert_int_equal(status_of(pid[i]), 0);
	close(inside);
	assert_false(is_there("web.lock"));
}

/* -------------------------------------------------------------------- find */

static void test_find(void **state)
{
	static const struct {
		const char *word, *name, *with;
	} cases[] = {
		{ "web", "web", NULL },       { "web-", "web-1", NULL },
		{ "d", "db", NULL },          { "77", "77", NULL },
		{ "we", NULL, "web, web-1" }, { "x", NULL, "no such VM; there are 77, db, web" },
		{ "", NULL, "no such VM" },   { "webs", NULL, "no such VM" },
		{ "0", NULL, "no such VM" },
	};
	static const char *const held[] = { "web", "web-1", "db", "77" };
	char name[HV_NAME_MAX + 1], word[16];
	pid_t pid[4];

	(void)state;
	open_dir();
	for (unsigned int i = 0; i < 4; i++)
		pid[i] = hold(held[i]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct hv_error err = { .text = "" };
		int error = hv_client_find(&dir, cases[i].word, name, &err);

		if (!cases[i].name != !!error || (error && !strstr(err.text, cases[i].with)))
			fail_msg("%s: %d %s", cases[i].word, error, err.text);
		if (!error)
			assert_string_equal(name, cases[i].name);
	}
	for (unsigned int i = 0; i < 4; i++) {
		struct hv_error err;

		snprintf(word, sizeof(word), "%d", pid[i]);
		assert_int_equal(hv_client_find(&dir, word, name, &err), 0);
		assert_string_equal(name, held[i]);
		put_down(pid[i]);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_dir_is_made),
		T(test_dir_open_to_others),
		T(test_dir_of_another),
		T(test_dir_that_is_none),
		T(test_dir_of_a_session),
		T(test_dir_that_goes),
		T(test_name_is_had),
		T(test_lock_that_is_a_link),
		T(test_what_the_dead_leave),
		T(test_locks_of_others),
		T(test_list),
		T(test_cannot_look),
		T(test_race),
		T(test_find),
	};
	int failed;

	if (!mkdtemp(top))
		return 1;
	failed = cmocka_run_group_tests_name("claim", tests, NULL, NULL);
	rmdir(top);
	return failed;
}
