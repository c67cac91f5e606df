// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control channel from the other end: a VM in a process of its own, on the fake module, and
 * clients that are polite, slow, or hostile.
 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "control/socket.h"
#include "control_test.h"
#include "lib/status.h"
#include "vmm/control.h"

/* ---------------------------------------------------------------- requests */

static void send_text(struct hv_client *to, const char *text)
{
	assert_int_equal(send(to->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static json_t *receive(struct hv_client *from)
{
	struct hv_error err;
	json_t *line;

	if (hv_client_receive(from, 10000, &line, &err))
		fail_msg("%s", err.text);
	return line;
}

static json_t *ask(struct hv_client *whom, const char *text)
{
	send_text(whom, text);
	send_text(whom, "\n");
	return receive(whom);
}

static const char *string(const json_t *line, const char *key)
{
	return json_string_value(json_object_get(line, key)) ?: "";
}

static long long number(const json_t *line, const char *key)
{
	return json_integer_value(json_object_get(line, key));
}

/* A request of one word, which is granted. */
static void grant(struct hv_client *whom, const char *request)
{
	char text[100];
	json_t *reply;

	snprintf(text, sizeof(text), "{\"request\":\"%s\"}", request);
	reply = ask(whom, text);
	assert_string_equal(string(reply, "reply"), request);
	if (!json_is_true(json_object_get(reply, "ok")))
		fail_msg("%s: %s", request, string(reply, "error"));
	json_decref(reply);
}

static void refuse(struct hv_client *whom, const char *text, const char *code, const char *with)
{
	json_t *reply = ask(whom, text);

	assert_true(json_is_false(json_object_get(reply, "ok")));
	if (strcmp(string(reply, "code"), code) || !strstr(string(reply, "error"), with))
		fail_msg("%s: %s: %s", text, string(reply, "code"), string(reply, "error"));
	json_decref(reply);
}

static long long count_exits(struct hv_client *whom)
{
	json_t *reply = ask(whom, "{\"request\":\"status\"}");
	long long exits = number(reply, "exits");

	json_decref(reply);
	return exits;
}

static void advances(struct hv_client *whom)
{
	long long before = count_exits(whom);

	for (unsigned int i = 0; i < 5000 && count_exits(whom) < before + 10; i++)
		test_sleep_ms(1);
	assert_true(count_exits(whom) >= before + 10);
}

/* The other side has closed it. */
static void is_closed(struct hv_client *one)
{
	struct pollfd fd = { one->fd, POLLIN, 0 };
	char text[4096];
	ssize_t n;

	do {
		assert_int_equal(poll(&fd, 1, 10000), 1);
		n = recv(one->fd, text, sizeof(text), 0);
	} while (n > 0);
	hv_client_close(one);
}

static void test_status(void **state)
{
	json_t *reply = ask(&client, "{\"request\":\"status\",\"id\":7}");

	(void)state;
	assert_string_equal(string(reply, "name"), "web");
	assert_string_equal(string(reply, "state"), "running");
	assert_string_equal(string(reply, "image"), test_image());
	assert_int_equal(number(reply, "id"), 7);
	assert_int_equal(number(reply, "pid"), vm);
	assert_int_equal(client.pid, vm);
	assert_int_equal(number(reply, "vcpus"), 1);
	assert_int_equal(number(reply, "memory"), 4 * HV_MIB);
	assert_in_range(number(reply, "resident"), 4096, 4 * HV_MIB);
	json_decref(reply);
	advances(&client);
}

static void test_refused(void **state)
{
	static const struct {
		const char *line, *code, *with;
	} cases[] = {
		{ "", "malformed", "" },
		{ "{", "malformed", "" },
		{ "[]", "malformed", "no object" },
		{ "\"status\"", "malformed", "" },
		{ "{\"request\":\"status\",\"request\":\"kill\"}", "malformed", "uplicate" },
		{ "{\"request\":\"status\"} x", "malformed", "" },
		{ "\xff", "malformed", "" },
		{ "{}", "unknown-request", "docs/control.md" },
		{ "{\"request\":1}", "unknown-request", "" },
		{ "{\"request\":\"explode\"}", "unknown-request", "" },
		{ "{\"request\":\"status\",\"id\":[]}", "bad-argument", "\"id\"" },
		{ "{\"request\":\"status\",\"what\":1}", "bad-argument",
		  "\"what\" is no argument" },
		{ "{\"request\":\"kill\",\"timeout\":1}", "bad-argument", "\"timeout\"" },
		{ "{\"request\":\"stop\",\"timeout\":-1}", "bad-argument", "\"timeout\"" },
		{ "{\"request\":\"stop\",\"timeout\":86401}", "bad-argument", "86400" },
		{ "{\"request\":\"stop\",\"timeout\":\"1\"}", "bad-argument", "\"timeout\"" },
		{ "{\"request\":\"resume\"}", "wrong-state", "not paused" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refuse(&client, cases[i].line, cases[i].code, cases[i].with);
	grant(&client, "status");
}

static void test_unsupported(void **state)
{
	(void)state;
	refuse(&client, "{\"request\":\"reset\"}", "unsupported", "bare");
	refuse(&client, "{\"request\":\"nmi\"}", "unsupported", "bare");
}

static void test_pause(void **state)
{
	struct hv_client other;
	long long exits;

	(void)state;
	connect_to(&other, "web");
	grant(&client, "pause");
	refuse(&client, "{\"request\":\"pause\"}", "wrong-state", "already");
	refuse(&other, "{\"request\":\"stop\"}", "wrong-state", "resume it first");
	refuse(&other, "{\"request\":\"reset\"}", "wrong-state", "resume it first");
	exits = count_exits(&client);
	test_sleep_ms(50);
	assert_int_equal(count_exits(&other), exits);
	grant(&other, "resume");
	advances(&client);
	hv_client_close(&other);
}

/* -------------------------------------------------------------- bad manners */

static void test_lines_in_pieces(void **state)
{
	static const char two[] =
		"{\"request\":\"status\",\"id\":1}\n{\"request\":\"status\",\"id\":\"b\"}\n";
	json_t *reply;

	(void)state;
	for (size_t i = 0; two[i]; i++) {
		assert_int_equal(send(client.fd, &two[i], 1, 0), 1);
		if (i % 8 == 0)
			test_sleep_ms(1);
	}
	reply = receive(&client);
	assert_int_equal(number(reply, "id"), 1);
	json_decref(reply);
	reply = receive(&client);
	assert_string_equal(string(reply, "id"), "b");
	json_decref(reply);
	send_text(&client, two);
	json_decref(receive(&client));
	reply = receive(&client);
	assert_string_equal(string(reply, "id"), "b");
	json_decref(reply);
}

static void test_line_without_end(void **state)
{
	char much[HV_CONTROL_LINE_MAX];
	struct hv_client other;
	json_t *reply;

	(void)state;
	connect_to(&other, "web");
	memset(much, ' ', sizeof(much));
	assert_int_equal(send(other.fd, much, sizeof(much), 0), sizeof(much));
	reply = receive(&other);
	assert_string_equal(string(reply, "code"), "too-long");
	json_decref(reply);
	is_closed(&other);
	grant(&client, "status");
}

/* Asks on and on, and reads nothing: it is dropped, and nobody else waits for it. */
static void test_flood(void **state)
{
	static const char request[] = "{\"request\":\"status\"}\n";
	struct hv_client other;
	unsigned int i;

	(void)state;
	connect_to(&other, "web");
	for (i = 0; i < 100000; i++) {
		struct pollfd fd = { other.fd, POLLOUT, 0 };

		if (poll(&fd, 1, 10000) != 1 || fd.revents & (POLLERR | POLLHUP))
			break;
		if (send(other.fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN)
			break;
		if (i % 1000 == 0)
			grant(&client, "status");
	}
	assert_in_range(i, 2, 99999);
	hv_client_close(&other);
	grant(&client, "status");
}

/* More than the client's buffer has room for, and more than a rule has it in the VM's. */
static void test_many_replies_at_once(void **state)
{
	enum { COUNT = 150 };

	(void)state;
	for (unsigned int i = 0; i < COUNT; i++)
		send_text(&client, "{\"request\":\"registers\"}\n");
	test_sleep_ms(100);
	for (unsigned int i = 0; i < COUNT; i++) {
		json_t *reply = receive(&client);

		assert_true(json_is_true(json_object_get(reply, "ok")));
		json_decref(reply);
	}
	grant(&client, "status");
}

/* @len bytes of text come in a reply, in pieces, and a short line behind them. */
static int receive_long(size_t len, json_t **line, struct hv_error *err)
{
	struct hv_client reader = { .fd = -1 };
	int fds[2], error;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid = fork();
	if (!pid) {
		FILE *out = fdopen(fds[1], "w");

		fprintf(out, "{\"text\":\"%*s\"}\n{\"x\":1}\n", (int)len, "");
		_exit(fflush(out) ? 1 : 0);
	}
	close(fds[1]);
	reader.fd = fds[0];
	error = hv_client_receive(&reader, 10000, line, err);
	if (!error) {
		json_t *next;

		assert_int_equal(hv_client_receive(&reader, 10000, &next, err), 0);
		assert_int_equal(number(next, "x"), 1);
		json_decref(next);
	}
	hv_client_close(&reader);
	assert_int_not_equal(status_of(pid), -1);
	return error;
}

static void test_long_reply(void **state)
{
	static const size_t frame = sizeof("{\"text\":\"\"}\n") - 1;
	static const size_t lens[] = { 1, HV_CONTROL_LINE_MAX - frame,
				       HV_CONTROL_LINE_MAX - frame + 1, 100000,
				       HV_CONTROL_REPLY_MAX - frame };
	struct hv_error err;
	json_t *line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		assert_int_equal(receive_long(lens[i], &line, &err), 0);
		assert_int_equal(strlen(string(line, "text")), lens[i]);
		json_decref(line);
	}
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(receive_long(HV_CONTROL_REPLY_MAX - frame + 1, &line, &err), -EBADMSG);
	assert_null(line);
}

static void test_those_who_leave(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 200; i++) {
		int fd = hv_socket_connect(&dir, "web");

		if (fd < 0)
			continue; /* so many at once */
		if (i % 3 == 1)
			(void)!send(fd, "{\"request\":", 11, MSG_NOSIGNAL);
		if (i % 3 == 2)
			(void)!send(fd, "{\"request\":\"console\"}\nabc", 24, MSG_NOSIGNAL);
		close(fd);
	}
	advances(&client);
}

/* One more who asks, of a VM that has closed the connection by then. */
static void hears_why(struct hv_client *asked)
{
	struct hv_client late;
	struct hv_error err = { .text = "" };
	json_t *reply;

	connect_to(&late, "web");
	/* It turns clients away in one piece: it is done with that one. */
	grant(asked, "status");
	assert_int_equal(
		hv_client_call(&late, json_pack("{s:s}", "request", "status"), &reply, &err),
		-EPROTO);
	assert_string_equal(err.text, "too many clients; close one");
	hv_client_close(&late);
}

static void test_too_many(void **state)
{
	struct hv_client others[HV_CONTROL_CLIENTS - 1], late;
	json_t *reply;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		connect_to(&others[i], "web");
	connect_to(&late, "web");
	reply = receive(&late);
	assert_string_equal(string(reply, "code"), "busy");
	json_decref(reply);
	is_closed(&late);
	hears_why(&others[0]);
	grant(&others[0], "status");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		hv_client_close(&others[i]);
	connect_to(&late, "web");
	grant(&late, "status");
	hv_client_close(&late);
}

/* Though the directory were open to all. */
static void test_other_user(void **state)
{
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(fchmod(dir.fd, 0755), 0);
	assert_int_equal(fchmodat(dir.fd, "web.sock", 0666, 0), 0);
	pid = fork();
	if (!pid) {
		struct pollfd fd = { -1, POLLIN, 0 };
		char byte;

		if (setgid(12345) || setuid(12345))
			_exit(2);
		fd.fd = hv_socket_connect(&dir, "web");
		if (fd.fd < 0 || hv_socket_is_friend(fd.fd, NULL) != true)
			_exit(3);
		_exit(poll(&fd, 1, 10000) == 1 && recv(fd.fd, &byte, 1, 0) <= 0 ? 0 : 4);
	}
	assert_int_equal(status_of(pid), 0);
	fchmod(dir.fd, 0700);
	grant(&client, "status");
}

/* ----------------------------------------------------------------- console */

/* Until it has said @text, which is no more than that buffer. */
static void expect(struct hv_client *from, const char *text)
{
	struct pollfd fd = { from->fd, POLLIN, 0 };

	while (!memmem(from->in, from->len, text, strlen(text))) {
		ssize_t n;

		if (poll(&fd, 1, 10000) != 1)
			fail_msg("no \"%s\" but \"%.*s\"", text, (int)from->len, from->in);
		n = recv(from->fd, from->in + from->len, sizeof(from->in) - from->len, 0);
		assert_true(n > 0);
		from->len += n;
	}
}

static bool attach(struct hv_client *one)
{
	bool types;
	json_t *reply;

	connect_to(one, "web");
	reply = ask(one, "{\"request\":\"console\"}");
	assert_true(json_is_true(json_object_get(reply, "ok")));
	types = json_is_true(json_object_get(reply, "types"));
	assert_int_equal(number(reply, "typist"), types ? 0 : getpid());
	json_decref(reply);
	return types;
}

/* What was said before is shown; one types, others look. */
static void test_console(void **state)
{
	struct hv_client first, second;

	(void)state;
	assert_true(attach(&first));
	expect(&first, "hello\n");
	assert_false(attach(&second));
	expect(&second, "hello\n");
	send_text(&second, "xyz");
	send_text(&first, "{\"abc\"}\n");
	expect(&first, "{\"ABC\"}");
	expect(&second, "{\"ABC\"}");
	assert_null(memmem(second.in, second.len, "XYZ", 3));
	grant(&client, "status");
	hv_client_close(&first);
	hv_client_close(&second);
	for (unsigned int i = 0; i < 1000 && !attach(&first); i++)
		hv_client_close(&first);
	send_text(&first, "more");
	expect(&first, "MORE");
	hv_client_close(&first);
}

/* It takes what it can, and the guest waits for nobody. */
static void test_console_with_slow_typing_guest(void **state)
{
	char much[4096];
	struct hv_client one;
	size_t sent = 0;

	(void)state;
	assert_true(attach(&one));
	memset(much, 'a', sizeof(much));
	while (sent < 1 << 20) {
		ssize_t n = send(one.fd, much, sizeof(much), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			break;
		sent += n;
	}
	assert_int_equal(errno, EAGAIN);
	expect(&one, "AAAA");
	advances(&client);
	hv_client_close(&one);
	advances(&client);
}

/* Nobody takes what it has typed, or says what it could not be told: that it has gone is seen. */
static void test_typist_that_goes_with_all_full(void **state)
{
	static const char much[4096];
	struct hv_client one;
	unsigned int tries = 0;

	(void)state;
	assert_true(attach(&one));
	do {
		while (send(one.fd, much, sizeof(much), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			;
		grant(&client, "status");
	} while (send(one.fd, much, sizeof(much), MSG_DONTWAIT | MSG_NOSIGNAL) > 0);
	for (hv_client_close(&one); !attach(&one); hv_client_close(&one)) {
		assert_in_range(tries++, 0, 1000);
		test_sleep_ms(1);
	}
	hv_client_close(&one);
}

static void test_reset_and_nmi(void **state)
{
	struct hv_client one;

	(void)state;
	attach(&one);
	expect(&one, "hello\n");
	one.len = 0;
	grant(&client, "reset");
	expect(&one, "hello\n");
	grant(&client, "nmi");
	expect(&one, "!");
	hv_client_close(&one);
}

/* -------------------------------------------------------------------- size */

static void test_size(void **state)
{
	static const char *const bad[] = { "[0,24]",      "[80,65536]", "[80]", "[80,24,1]",
					   "[80,\"24\"]", "[-1,24]",    "80",   "{}" };
	json_t *reply;
	char text[100];

	(void)state;
	reply = ask(&client, "{\"request\":\"size\",\"terminal\":[132,43]}");
	assert_true(json_is_true(json_object_get(reply, "ok")));
	json_decref(reply);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "{\"request\":\"size\",\"terminal\":%s}", bad[i]);
		refuse(&client, text, "bad-argument", "[columns, rows]");
	}
	refuse(&client, "{\"request\":\"size\"}", "bad-argument", "[columns, rows]");
}

static void test_no_size(void **state)
{
	(void)state;
	refuse(&client, "{\"request\":\"size\",\"terminal\":[80,24]}", "unsupported",
	       "--device console");
}

/* --------------------------------------------------------------- registers */

static void test_registers(void **state)
{
	json_t *reply = ask(&client, "{\"request\":\"registers\",\"vcpu\":0}");
	const json_t *registers = json_object_get(reply, "registers");

	(void)state;
	assert_true(json_is_true(json_object_get(reply, "ok")));
	assert_int_equal(number(reply, "vcpu"), 0);
	assert_string_equal(string(registers, "RIP"), "0x100000");
	assert_string_equal(string(json_object_get(registers, "events"), "activity"), "0x0");
	json_decref(reply);
	refuse(&client, "{\"request\":\"registers\",\"vcpu\":1}", "bad-argument", "its 1");
	refuse(&client, "{\"request\":\"registers\",\"vcpu\":-1}", "bad-argument", "its 1");
	refuse(&client, "{\"request\":\"registers\",\"vcpu\":\"0\"}", "bad-argument", "its 1");
	refuse(&client, "{\"request\":\"registers\",\"cpu\":0}", "bad-argument", "\"cpu\"");
	refuse(&client, "{\"request\":\"walk\"}", "bad-argument", "\"address\"");
	refuse(&client, "{\"request\":\"walk\",\"address\":1}", "bad-argument", "\"address\"");
	refuse(&client, "{\"request\":\"memory\",\"address\":\"0\",\"physical\":1}", "bad-argument",
	       "\"physical\"");
	refuse(&client, "{\"request\":\"memory\",\"address\":\"0\",\"count\":\"1\"}",
	       "bad-argument", "\"count\"");
	/* It goes on, and one that is paused stays so. */
	advances(&client);
	grant(&client, "pause");
	grant(&client, "registers");
	refuse(&client, "{\"request\":\"pause\"}", "wrong-state", "already");
	grant(&client, "resume");
}

/* ----------------------------------------------------------------- balloon */

static long long target_by(const char *text)
{
	json_t *reply = ask(&client, text);
	long long target = number(reply, "target");

	assert_true(json_is_true(json_object_get(reply, "ok")));
	/* Its guest has no driver: it gives nothing, and says nothing. */
	assert_int_equal(number(reply, "actual"), 0);
	assert_null(json_object_get(reply, "counts"));
	json_decref(reply);
	return target;
}

static void test_balloon(void **state)
{
	(void)state;
	assert_int_equal(target_by("{\"request\":\"balloon\"}"), 0);
	assert_int_equal(target_by("{\"request\":\"balloon\",\"target\":2097152}"), 2097152);
	refuse(&client, "{\"request\":\"balloon\",\"target\":\"1M\"}", "bad-argument", "no number");
	refuse(&client, "{\"request\":\"balloon\",\"target\":-1}", "bad-argument", "no number");
	refuse(&client, "{\"request\":\"balloon\",\"target\":4194305}", "bad-argument",
	       "more than the guest's RAM, 4 MiB");
	refuse(&client, "{\"request\":\"balloon\",\"size\":1}", "bad-argument", "\"size\"");
	assert_int_equal(target_by("{\"request\":\"balloon\"}"), 2097152);
	grant(&client, "pause");
	assert_int_equal(target_by("{\"request\":\"balloon\",\"target\":4194304}"), 4194304);
	grant(&client, "resume");
	assert_int_equal(target_by("{\"request\":\"balloon\",\"target\":0}"), 0);
}

static void test_no_balloon(void **state)
{
	(void)state;
	refuse(&client, "{\"request\":\"balloon\"}", "unsupported", "--device balloon");
	refuse(&client, "{\"request\":\"balloon\",\"target\":\"\"}", "unsupported",
	       "--device balloon");
}

static void test_use(void **state)
{
	(void)state;
	refuse(&client, "{\"request\":\"use\",\"cells\":1}", "bad-argument", "not 2 to 4096");
	refuse(&client, "{\"request\":\"use\",\"forget\":1}", "bad-argument", "true or false");
	refuse(&client, "{\"request\":\"use\"}", "unsupported", "accessed flags");
}

/* --------------------------------------------------------------------- end */

static void hear_end(const char *kind, int status)
{
	json_t *event = receive(&client);

	assert_string_equal(string(event, "event"), "ended");
	assert_string_equal(string(event, "end"), kind);
	assert_int_equal(number(event, "status"), status);
	assert_true(*string(event, "text"));
	json_decref(event);
	/* By then the name is free. */
	assert_int_equal(faccessat(dir.fd, "web.lock", F_OK, 0), -1);
	assert_int_equal(faccessat(dir.fd, "web.sock", F_OK, 0), -1);
	assert_int_equal(ended(), status);
}

static void test_stop(void **state)
{
	json_t *reply;

	(void)state;
	grant(&client, "wait");
	reply = ask(&client, "{\"request\":\"stop\"}");
	assert_true(json_is_true(json_object_get(reply, "button")));
	assert_int_equal(number(reply, "timeout"), HV_CONTROL_STOP_DEFAULT);
	json_decref(reply);
	hear_end("poweroff", 0);
}

static void test_stop_that_lasts_too_long(void **state)
{
	json_t *reply;

	(void)state;
	grant(&client, "wait");
	json_decref(ask(&client, "{\"request\":\"stop\",\"timeout\":600}"));
	reply = ask(&client, "{\"request\":\"status\"}");
	assert_string_equal(string(reply, "state"), "stopping");
	json_decref(reply);
	json_decref(ask(&client, "{\"request\":\"stop\",\"timeout\":1}"));
	hear_end("killed", HV_STATUS_KILLED);
}

static long long stop_within(unsigned int seconds)
{
	char text[100];
	json_t *reply;
	long long timeout;

	snprintf(text, sizeof(text), "{\"request\":\"stop\",\"timeout\":%u}", seconds);
	reply = ask(&client, text);
	assert_true(json_is_true(json_object_get(reply, "ok")));
	timeout = number(reply, "timeout");
	json_decref(reply);
	return timeout;
}

/* What was promised first holds; one that is refused changes nothing. */
static void test_stop_that_gives_more_time(void **state)
{
	json_t *event;

	(void)state;
	grant(&client, "wait");
	assert_int_equal(stop_within(1), 1);
	assert_int_equal(stop_within(600), 1);
	refuse(&client, "{\"request\":\"stop\",\"timeout\":-1}", "bad-argument", "\"timeout\"");
	event = receive(&client);
	assert_string_equal(string(event, "text"),
			    "guest ended from outside: no answer to the power button in 1 s");
	json_decref(event);
}

/* In a pause a guest has no time to obey: it has what was left when it goes on. */
static void test_pause_of_one_that_is_stopping(void **state)
{
	uint64_t before;

	(void)state;
	grant(&client, "wait");
	assert_int_equal(stop_within(1), 1);
	grant(&client, "pause");
	refuse(&client, "{\"request\":\"stop\"}", "wrong-state", "resume it first");
	test_sleep_ms(1500);
	before = hv_monotonic_ns();
	grant(&client, "resume");
	/* What the pause has taken of it comes back: else it would be over at once. */
	hear_end("killed", HV_STATUS_KILLED);
	assert_true(hv_monotonic_ns() - before > HV_NSEC_PER_SEC / 4);
}

static void test_stop_without_button(void **state)
{
	json_t *reply;

	(void)state;
	grant(&client, "wait");
	reply = ask(&client, "{\"request\":\"stop\"}");
	assert_true(json_is_false(json_object_get(reply, "button")));
	json_decref(reply);
	hear_end("killed", HV_STATUS_KILLED);
}

/* Out of a pause, too. */
static void test_kill(void **state)
{
	struct hv_client one;

	(void)state;
	attach(&one);
	expect(&one, "hello\n");
	grant(&client, "wait");
	grant(&client, "pause");
	grant(&client, "kill");
	hear_end("killed", HV_STATUS_KILLED);
	is_closed(&one);
}

static int reader = -1;

/* Its guest has ended, and nobody has read that yet. */
static int start_with_last_words(void **state)
{
	int fds[2];

	(void)state;
	if (pipe2(fds, O_CLOEXEC) || fcntl(fds[0], F_SETPIPE_SZ, 4096) != 4096)
		return -1;
	reader = fds[0];
	output = fds[1];
	guest = says_much_and_leaves;
	start_kind(HV_MACHINE_PC);
	guest = echoes;
	close(output);
	output = -1;
	for (unsigned int i = 0; i < 10000; i++) {
		json_t *reply = ask(&client, "{\"request\":\"status\"}");
		bool ends = !strcmp(string(reply, "state"), "ending");

		json_decref(reply);
		if (ends)
			return 0;
		test_sleep_ms(1);
	}
	return -1;
}

static int end_with_last_words(void **state)
{
	close(reader);
	return end(state);
}

static void test_last_words_are_read(void **state)
{
	static char words[LAST_WORDS + 2];
	struct hv_client one;
	size_t len = 0;
	ssize_t n;

	(void)state;
	refuse(&client, "{\"request\":\"pause\"}", "wrong-state", "it has ended");
	refuse(&client, "{\"request\":\"stop\"}", "wrong-state", "it has ended");
	attach(&one);
	expect(&one, "wwww\n");
	grant(&client, "wait");
	while ((n = read(reader, words + len, sizeof(words) - len)) > 0)
		len += n;
	assert_int_equal(len, LAST_WORDS);
	hear_end("poweroff", 0);
	hv_client_close(&one);
}

/* Whoever kills it waits no more for who reads, if it has ended by itself, too. */
static void test_kill_while_last_words_wait(void **state)
{
	(void)state;
	grant(&client, "wait");
	grant(&client, "kill");
	hear_end("poweroff", 0);
}

static void test_signals(void **state)
{
	(void)state;
	grant(&client, "wait");
	kill(vm, SIGTERM);
	hear_end("signal", 128 + SIGTERM);
}

static void test_sudden_death(void **state)
{
	struct hv_name *names;
	struct hv_error err;
	json_t *line;

	(void)state;
	grant(&client, "wait");
	kill(vm, SIGKILL);
	assert_int_equal(hv_client_receive(&client, 10000, &line, &err), -EPIPE);
	assert_int_equal(ended(), 128 + SIGKILL);
	assert_int_equal(hv_claim_list(&dir, &names, &err), 0);
	free(names);
}

/* What comes from a VM that its guest has got at. */
static int hear(const char *said, json_t **line)
{
	struct hv_client vm_reader = { .fd = -1 };
	struct hv_error err;
	int pair[2], error;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	vm_reader.fd = pair[0];
	assert_int_equal(write(pair[1], said, strlen(said)), strlen(said));
	close(pair[1]);
	error = hv_client_receive(&vm_reader, 10000, line, &err);
	hv_client_close(&vm_reader);
	return error;
}

static void test_escapes(void **state)
{
	json_t *line;

	(void)state;
	assert_int_equal(hear("{\"steps\":[{\"at\":\"\\u001b[2J\\u009b1m\\u00e9\"}]}\n", &line), 0);
	assert_string_equal(string(json_array_get(json_object_get(line, "steps"), 0), "at"),
			    "?[2J?1m\xc3\xa9");
	json_decref(line);
	assert_int_equal(hear("{\"exits\":{\"\\u001b[2J\":1}}\n", &line), -EBADMSG);
}

static void test_name_is_taken(void **state)
{
	(void)state;
	assert_int_equal(status_of(start_named("web", HV_MACHINE_PC)), 2);
	advances(&client);
}

/* ---------------------------------------------------------------- detached */

static size_t read_all(int fd, char *text, size_t room)
{
	size_t len = 0;
	ssize_t n;

	while (len < room - 1 && (n = read(fd, text + len, room - 1 - len)) > 0)
		len += n;
	text[len] = 0;
	close(fd);
	return len;
}

/* What is said by who starts it, whose status it returns. */
static int start_detached(const char *image, char *text, size_t room)
{
	int fds[2];
	pid_t pid;

	test_image();
	fflush(NULL);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		struct hv_config config = test_config(HV_MACHINE_PC);
		struct hv_session_options options = { .detach = true };

		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		config.name = "web";
		config.load.path = image;
		fake_reset(echoes);
		_exit(hv_session_run(&config, &options));
	}
	close(fds[1]);
	/* Also an end: the VM has let go of what it was started with. */
	read_all(fds[0], text, room);
	return status_of(pid);
}

static void test_detached(void **state)
{
	char text[1000];
	json_t *reply;

	(void)state;
	obeys = false;
	assert_int_equal(start_detached(test_image(), text, sizeof(text)), 0);
	assert_string_equal(text, "web\n");
	connect_to(&client, "web");
	reply = ask(&client, "{\"request\":\"status\"}");
	assert_non_null(strstr(string(reply, "log"), "/web.log"));
	assert_int_equal(getsid(number(reply, "pid")), number(reply, "pid"));
	json_decref(reply);
	advances(&client);
	grant(&client, "wait");
	grant(&client, "kill");
	reply = receive(&client);
	assert_string_equal(string(reply, "end"), "killed");
	json_decref(reply);
	read_all(openat(dir.fd, "web.log", O_RDONLY), text, sizeof(text));
	assert_non_null(strstr(text, "guest ended from outside"));
	unlinkat(dir.fd, "web.log", 0);
}

/* Who starts it tells why not, and nothing is left. */
static void test_detached_that_does_not_start(void **state)
{
	static const char *const files[] = { "web.log", "web.lock", "web.sock" };
	char text[1000];

	(void)state;
	assert_int_equal(start_detached("/nonexistent", text, sizeof(text)), 2);
	assert_non_null(strstr(text, "hvctl run: /nonexistent: no such file; "));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_int_equal(faccessat(dir.fd, files[i], F_OK, 0), -1);
}

#define T(name, begin) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_status, start),
		T(test_status, start_beside_image),
		T(test_refused, start),
		T(test_unsupported, start_bare),
		T(test_pause, start),
		T(test_lines_in_pieces, start),
		T(test_line_without_end, start),
		T(test_flood, start),
		T(test_many_replies_at_once, start),
		T(test_long_reply, start),
		T(test_those_who_leave, start),
		T(test_too_many, start),
		T(test_other_user, start),
		T(test_console, start),
		T(test_console_with_slow_typing_guest, start),
		T(test_typist_that_goes_with_all_full, start_silent),
		T(test_reset_and_nmi, start),
		T(test_size, start_with_hvc),
		T(test_no_size, start),
		T(test_registers, start),
		T(test_balloon, start_with_balloon),
		T(test_no_balloon, start),
		T(test_use, start),
		T(test_stop, start_obedient),
		T(test_stop_that_lasts_too_long, start),
		T(test_stop_that_gives_more_time, start),
		T(test_pause_of_one_that_is_stopping, start),
		T(test_stop_without_button, start_bare),
		T(test_kill, start),
		cmocka_unit_test_setup_teardown(test_last_words_are_read, start_with_last_words,
						end_with_last_words),
		cmocka_unit_test_setup_teardown(test_kill_while_last_words_wait,
						start_with_last_words, end_with_last_words),
		T(test_signals, start),
		T(test_sudden_death, start),
		T(test_escapes, NULL),
		T(test_name_is_taken, start),
		T(test_detached, NULL),
		T(test_detached_that_does_not_start, NULL),
	};
	int failed;

	if (!make_top())
		return 1;
	failed = cmocka_run_group_tests_name("control", tests, NULL, NULL);
	remove_top();
	return failed;
}
