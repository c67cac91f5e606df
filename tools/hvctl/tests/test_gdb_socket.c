// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debuggers that come by a socket: of the VM itself (--gdb), and of hvctl gdb --listen, each at a
 * path and at a port.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "control/socket.h"
#include "control_test.h"
#include "debug/gdb_packet.h"
#include "lib/status.h"
#include "vmm/control.h"

static const char *hvctl;
static char path[sizeof(top) + 10], unix_path[sizeof(path) + 5], port_text[8];
static uint16_t port;			/* that nobody has */

/* How they come. */
static bool by_port, by_service;
static pid_t service;			/* hvctl gdb --listen */

static const char *where(void)
{
	return by_port ? port_text : unix_path;
}

static pid_t start_at(const char *text)
{
	struct hv_session_options options = { .gdb = NULL };
	struct hv_address address;
	struct hv_config config;
	struct hv_error err;
	pid_t pid = fork_quietly();

	if (pid)
		return pid;
	config = test_config(HV_MACHINE_PC);
	config.name = "web";
	if (text && hv_address_parse(&address, text, &err))
		_exit(100);
	if (text)
		options.gdb = &address;
	fake_reset(echoes);
	_exit(hv_session_run(&config, &options));
}

static pid_t start_service(const char *text)
{
	pid_t pid = fork_quietly();

	if (pid)
		return pid;
	execl(hvctl, hvctl, "gdb", "--listen", text, "web", NULL);
	_exit(100);
}

/* ------------------------------------------------------------------ a debugger */

static int try_to_come(void)
{
	struct sockaddr_un at_path = { .sun_family = AF_UNIX };
	const struct sockaddr_in at_port = { .sin_family = AF_INET,
					     .sin_port = htons(port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(by_port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(at_path.sun_path, path);
	if (!connect(fd, by_port ? (const void *)&at_port : (const void *)&at_path,
		     by_port ? sizeof(at_port) : sizeof(at_path)))
		return fd;
	close(fd);
	return -1;
}

static int come(void)
{
	int fd = -1;

	for (unsigned int i = 0; i < 10000 && (fd = try_to_come()) < 0; i++)
		test_sleep_ms(1);
	assert_true(fd >= 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* The next packet; NULL: it is over. */
static const char *hear(int fd)
{
	static struct hv_gdb_parser parser;
	struct pollfd ready = { fd, POLLIN, 0 };
	char byte;

	memset(&parser, 0, sizeof(parser));
	for (;;) {
		if (poll(&ready, 1, 10000) != 1)
			fail_msg("no answer");
		if (recv(fd, &byte, 1, 0) != 1)
			return NULL;
		if (hv_gdb_parse(&parser, (uint8_t)byte) == HV_GDB_PACKET)
			return parser.body;
	}
}

static void asks(int fd, const char *body, const char *expected)
{
	char frame[HV_GDB_FRAME_MAX + 1];

	frame[hv_gdb_frame(frame, body, strlen(body))] = 0;
	say(fd, frame);
	assert_string_equal(hear(fd) ?: "nothing", expected);
}

static const char *state_to(struct hv_client *whom, char state[20])
{
	struct hv_error err = { .text = "" };
	json_t *reply = NULL;

	if (hv_client_call(whom, json_pack("{s:s}", "request", "status"), &reply, &err))
		fail_msg("%s", err.text);
	snprintf(state, 20, "%s", json_string_value(json_object_get(reply, "state")));
	json_decref(reply);
	return state;
}

static const char *state_of(char state[20])
{
	return state_to(&client, state);
}

static void becomes(const char *wanted)
{
	char state[20];

	for (unsigned int i = 0; i < 10000 && strcmp(state_of(state), wanted); i++)
		test_sleep_ms(1);
	assert_string_equal(state_of(state), wanted);
}

/* ----------------------------------------------------------------------- tests */

static int begin(void)
{
	vm = start_at(by_service ? NULL : where());
	connect_to(&client, "web");
	service = by_service ? start_service(where()) : 0;
	return 0;
}

#define BEGIN(name, port, service)       \
	static int name(void **state)    \
	{                                \
		(void)state;             \
		by_port = (port);        \
		by_service = (service);  \
		return begin();          \
	}

BEGIN(begin_path, false, false)
BEGIN(begin_port, true, false)
BEGIN(begin_service_path, false, true)
BEGIN(begin_service_port, true, true)

static int end_all(void **state)
{
	if (service) {
		kill(service, SIGKILL);
		waitpid(service, NULL, 0);
	}
	service = 0;
	unlink(path);
	return end(state);
}

static void test_come_and_go(void **state)
{
	struct stat st;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		int fd = come();

		if (!by_port && !stat(path, &st))
			assert_int_equal(st.st_mode & 07777, 0600);
		say(fd, "+");
		asks(fd, "?", "T02thread:1;");
		becomes("paused");
		if (i != 1)
			asks(fd, "D", "OK");
		close(fd);
		becomes("running");
	}
}

static void test_one_at_a_time(void **state)
{
	int fd = come(), other;
	char expected[60];
	const char *said;

	(void)state;
	asks(fd, "?", "T02thread:1;");
	other = come();
	/* As gdb does. */
	say(other, "+");
	test_sleep_ms(10);
	say(other, "$qSupported#37");
	said = hear(other);
	if (by_port && !by_service) {
		snprintf(expected, sizeof(expected),
			 "E.who is at port %u debugs it; end that first", port);
		assert_string_equal(said, expected);
	} else if (by_service) {
		assert_non_null(strstr(said, " debugs it; end that first"));
	} else {
		snprintf(expected, sizeof(expected), "E.process %d debugs it; end that first",
			 getpid());
		assert_string_equal(said, expected);
	}
	/* What is said is read before this is closed. */
	say(other, "+$vMustReplyEmpty#3a");
	assert_null(hear(other));
	close(other);
	/* The first one has not been disturbed. */
	asks(fd, "qC", "QC1");
	close(fd);
	becomes("running");
	other = come();
	asks(other, "?", "T02thread:1;");
	close(other);
}

/* Who looks whether somebody listens; and a browser that was sent with what would be a packet. */
static void test_no_debugger(void **state)
{
	int silent = come(), browser = come();
	char text[20];

	(void)state;
	say(silent, "+");
	say(browser, "POST / HTTP/1.1\r\n\r\n$k#6b");
	assert_null(hear(browser));
	assert_string_equal(state_of(text), "running");
	close(silent);
	close(browser);
}

/* However many there are of them, others reach the VM. */
static void test_silent_crowd(void **state)
{
	int fds[2 * HV_CONTROL_CLIENTS], fd;
	/* A service has so many at once, for seconds. */
	const size_t crowd = by_service ? 8 : ARRAY_SIZE(fds);
	struct hv_client other;
	char text[20];

	(void)state;
	for (size_t i = 0; i < crowd; i++)
		fds[i] = come();
	/* They have been served by now. */
	assert_string_equal(state_of(text), "running");
	connect_to(&other, "web");
	assert_string_equal(state_to(&other, text), "running");
	hv_client_close(&other);
	/* A debugger comes while they stay. */
	fd = come();
	asks(fd, "?", "T02thread:1;");
	close(fd);
	becomes("running");
	for (size_t i = 0; i < crowd; i++)
		close(fds[i]);
}

static void test_kill(void **state)
{
	int fd = come();

	(void)state;
	asks(fd, "?", "T02thread:1;");
	say(fd, "$k#6b");
	assert_int_equal(ended(), HV_STATUS_KILLED);
	assert_null(hear(fd));
	close(fd);
	if (service)
		assert_int_equal(status_of(service), HV_STATUS_KILLED);
	service = 0;
	assert_int_equal(access(path, F_OK), -1);
}

static void test_service_ends(void **state)
{
	int fd = come();

	(void)state;
	asks(fd, "?", "T02thread:1;");
	kill(service, SIGTERM);
	assert_int_equal(status_of(service), 128 + SIGTERM);
	service = 0;
	assert_null(hear(fd));
	close(fd);
	becomes("running");
	assert_int_equal(access(path, F_OK), -1);
}

/* What a killed one has left is replaced; what somebody has, and what is no socket, is not. */
static void test_path_is_there(void **state)
{
	int fd;

	(void)state;
	kill(vm, SIGKILL);
	assert_int_equal(ended(), 128 + SIGKILL);
	hv_client_close(&client);
	assert_int_equal(access(path, F_OK), 0);
	begin();
	fd = come();
	asks(fd, "?", "T02thread:1;");
	assert_int_equal(hv_socket_listen_at(path), -EADDRINUSE);
	close(fd);
	assert_int_equal(status_of(start_service(unix_path)), 2);
	fd = come();
	asks(fd, "?", "T02thread:1;");
	close(fd);
}

/* In a child, another user's: does who listens hang up without a word? */
static int come_as_nobody(void)
{
	char byte;
	int fd;

	if (setuid(65534))
		return 1;
	fd = try_to_come();
	if (fd < 0 || send(fd, "$?#3f", 5, MSG_NOSIGNAL) != 5)
		return 2;
	return recv(fd, &byte, 1, 0) != 0 && errno != ECONNRESET;
}

/* The socket's mode keeps others away; if somebody changes that, they are still not heard. */
static void test_another_user(void **state)
{
	char text[20];
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	close(come());
	assert_int_equal(chmod(top, 0711), 0);
	assert_int_equal(chmod(path, 0666), 0);
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(come_as_nobody());
	assert_int_equal(status_of(pid), 0);
	assert_int_equal(chmod(top, 0700), 0);
	assert_string_equal(state_of(text), "running");
}

static void test_refused(void **state)
{
	static const char *const wrong[] = { "unix:",       "",     "0",        "65536",
					     "99999999999", "-1",   ":1234",    "1234x",
					     "x1234",       "unix", "tcp:1234", "localhost:1234" };
	struct hv_address address;
	char text[200];
	struct hv_error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(hv_address_parse(&address, wrong[i], &err), -EINVAL);
	assert_int_equal(hv_address_parse(&address, "65535", &err), 0);
	assert_int_equal(address.port, 65535);
	assert_int_equal(status_of(start_at("unix:/nonexistent/socket")), 2);
	snprintf(text, sizeof(text), "unix:%s", test_image());
	assert_int_equal(status_of(start_at(text)), 2);
	assert_int_equal(access(test_image(), F_OK), 0);
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "unix:", 5);
	text[sizeof(text) - 1] = 0;
	assert_int_equal(status_of(start_at(text)), 2);
	/* The name has been given back. */
	assert_int_equal(faccessat(dir.fd, "web.sock", F_OK, 0), -1);
	/* There is no VM. */
	assert_int_equal(status_of(start_service(unix_path)), 2);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_port_is_there(void **state)
{
	(void)state;
	assert_int_equal(status_of(start_service(port_text)), 2);
	assert_int_equal(status_of(start_at(port_text)), 2);
	assert_true(kill(vm, 0) == 0);
}

/* ------------------------------------------------------------------------ main */

/* One that is free now. */
static bool find_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool found = !bind(fd, (const struct sockaddr *)&at, sizeof(at)) &&
		     !getsockname(fd, (struct sockaddr *)&at, &len);

	close(fd);
	port = ntohs(at.sin_port);
	snprintf(port_text, sizeof(port_text), "%u", port);
	return found;
}

#define T(test, begin) cmocka_unit_test_setup_teardown(test, begin, end_all)
#define EACH(test)                                                                  \
	T(test, begin_path), T(test, begin_port), T(test, begin_service_path),      \
		T(test, begin_service_port)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_come_and_go),
		EACH(test_one_at_a_time),
		EACH(test_no_debugger),
		EACH(test_silent_crowd),
		EACH(test_kill),
		T(test_service_ends, begin_service_path),
		T(test_service_ends, begin_service_port),
		T(test_path_is_there, begin_path),
		T(test_another_user, begin_path),
		T(test_another_user, begin_service_path),
		T(test_port_is_there, begin_port),
		cmocka_unit_test(test_refused),
	};
	int failed;

	hvctl = getenv("HVCTL");
	if (!hvctl || !find_port() || !make_top())
		return 1;
	snprintf(path, sizeof(path), "%s/gdb", top);
	snprintf(unix_path, sizeof(unix_path), "unix:%s", path);
	failed = cmocka_run_group_tests_name("gdb_socket", tests, NULL, NULL);
	remove_top();
	return failed;
}
