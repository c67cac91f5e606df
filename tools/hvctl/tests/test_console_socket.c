// SPDX-License-Identifier: GPL-2.0-only
/* --console unix:PATH: the console's bytes, for one at a time. */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "control/socket.h"
#include "control_test.h"
#include "vmm/control.h"

static char path[sizeof(top) + 10];
static char long_path[200];

static pid_t start_at(const char *where)
{
	struct hv_session_options options = { 0 };
	struct hv_config config;
	pid_t pid = fork_quietly();

	if (pid)
		return pid;
	config = test_config(HV_MACHINE_PC);
	/* unlink() is ours here, and asks who has the path. */
	config.sandbox = false;
	config.name = "web";
	config.console = (struct hv_serial_choice){ HV_SERIAL_UNIX, where };
	fake_reset(echoes);
	_exit(hv_session_run(&config, &options));
}

/* ... got who wanted @path when a VM was about to remove it; shared with that VM. */
static int *meanwhile;

/* The VM's, too. */
int unlink(const char *name)
{
	static bool inside;

	if (meanwhile && !inside && !strcmp(name, path)) {
		inside = true;
		*meanwhile = hv_socket_listen_at(path);
		inside = false;
	}
	return unlinkat(AT_FDCWD, name, 0);
}

static int begin(void **state)
{
	(void)state;
	vm = start_at(path);
	connect_to(&client, "web");
	return 0;
}

static int come(void)
{
	const struct timeval patience = { .tv_sec = 10 };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* The next bytes are these. */
static void says(int fd, const char *text)
{
	char got[100] = "";
	size_t len = strlen(text);

	assert_int_equal(recv(fd, got, len, MSG_WAITALL), len);
	assert_string_equal(got, text);
}

static void type(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void test_bytes(void **state)
{
	struct stat file;
	int fd;

	(void)state;
	assert_int_equal(stat(path, &file), 0);
	assert_true(S_ISSOCK(file.st_mode));
	assert_int_equal(file.st_mode & 0777, 0600);
	fd = come();
	says(fd, "hello\n");
	/* No character is an escape here. */
	type(fd, "a\001x\n");
	says(fd, "A\001X\n");
	close(fd);
}

/* A screenful of what was said before comes first. */
static void test_come_again(void **state)
{
	int fd = come();

	(void)state;
	says(fd, "hello\n");
	type(fd, "ab\n");
	says(fd, "AB\n");
	close(fd);
	for (unsigned int i = 0; i < 20; i++) {
		fd = come();
		says(fd, "hello\nAB\n");
		for (unsigned int before = 0; before < i; before++)
			says(fd, "C\n");
		type(fd, "c\n");
		says(fd, "C\n");
		close(fd);
	}
}

/* Who has been refused is told by whom; when that one has gone he may come. */
static void test_one_at_a_time(void **state)
{
	char line[100];
	int first, second;

	(void)state;
	first = come();
	says(first, "hello\n");
	second = come();
	snprintf(line, sizeof(line), "hvctl: process %d has this console; end that first\r\n",
		 getpid());
	says(second, line);
	assert_int_equal(recv(second, line, 1, 0), 0);
	close(second);
	type(first, "x");
	says(first, "X");
	close(first);
	second = come();
	says(second, "hello\nX");
	type(second, "y");
	says(second, "Y");
	close(second);
}

/* There is no room, though nobody types. */
static void test_too_many(void **state)
{
	static const char line[] = "hvctl: this VM has 32 clients; close one\r\n";
	struct hv_client others[HV_CONTROL_CLIENTS - 1];
	char byte;
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		connect_to(&others[i], "web");
	fd = come();
	says(fd, line);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		hv_client_close(&others[i]);
}

/* The other way to it counts, too, and requests go on beside it. */
static void test_beside_requests(void **state)
{
	struct hv_error err = { .text = "" };
	struct hv_client other;
	int fd = come();
	json_t *reply;

	(void)state;
	says(fd, "hello\n");
	connect_to(&other, "web");
	assert_int_equal(
		hv_client_call(&other, json_pack("{s:s}", "request", "console"), &reply, &err), 0);
	assert_false(json_boolean_value(json_object_get(reply, "types")));
	assert_int_equal(json_integer_value(json_object_get(reply, "typist")), getpid());
	json_decref(reply);
	hv_client_close(&other);
	type(fd, "z");
	says(fd, "Z");
	close(fd);
}

static void test_end(void **state)
{
	int fd = come();
	char byte;

	(void)state;
	says(fd, "hello\n");
	kill(vm, SIGTERM);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	assert_int_equal(ended(), 128 + SIGTERM);
	assert_int_equal(access(path, F_OK), -1);
	close(fd);
	/* Another VM's socket would have gone with it. */
	assert_int_equal(*meanwhile, -EADDRINUSE);
}

/* What a killed one has left is replaced; what somebody has is not. */
static void test_path_is_there(void **state)
{
	int fd;

	(void)state;
	kill(vm, SIGKILL);
	assert_int_equal(ended(), 128 + SIGKILL);
	hv_client_close(&client);
	assert_int_equal(access(path, F_OK), 0);
	begin(NULL);
	fd = come();
	says(fd, "hello\n");
	assert_int_equal(hv_socket_listen_at(path), -EADDRINUSE);
	type(fd, "x");
	says(fd, "X");
	close(fd);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(status_of(start_at("/nonexistent/socket")), 2);
	memset(long_path, 'x', sizeof(long_path) - 1);
	assert_int_equal(hv_socket_listen_at(long_path), -ENAMETOOLONG);
	assert_int_equal(status_of(start_at(long_path)), 2);
	/* A file is no socket, and stays. */
	assert_int_equal(hv_socket_listen_at(test_image()), -EADDRINUSE);
	assert_int_equal(status_of(start_at(test_image())), 2);
	assert_int_equal(access(test_image(), F_OK), 0);
	/* The name has been given back. */
	assert_int_equal(faccessat(dir.fd, "web.sock", F_OK, 0), -1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_bytes),           T(test_come_again),
		T(test_one_at_a_time),   T(test_too_many),
		T(test_beside_requests), T(test_end),
		T(test_path_is_there),   cmocka_unit_test(test_refused),
	};
	int failed;

	meanwhile = mmap(NULL, sizeof(*meanwhile), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (meanwhile == MAP_FAILED || !make_top())
		return 1;
	snprintf(path, sizeof(path), "%s/tty", top);
	failed = cmocka_run_group_tests_name("console_socket", tests, NULL, NULL);
	remove_top();
	return failed;
}
