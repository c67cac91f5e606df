// SPDX-License-Identifier: GPL-2.0-only
/* The console: flow control in both directions, the escape character, readers that go away. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hv_test.h"
#include "lib/lock.h"
#include "vmm/console.h"

static struct hv_console console;
static struct hv_loop loop;
static pthread_mutex_t lock;
static int in[2], out[2], stop[2];
static uint8_t taken[4 * HV_CONSOLE_IN];
static size_t taken_len, room;
static unsigned int quits;
static int failure;

static size_t take(void *ctx, const uint8_t *data, size_t len)
{
	size_t n = len < room ? len : room;

	(void)ctx;
	memcpy(taken + taken_len, data, n);
	taken_len += n;
	room -= n;
	return n;
}

static void on_quit(void *ctx)
{
	(void)ctx;
	quits++;
}

static void on_failure(void *ctx, int errnum)
{
	(void)ctx;
	failure = errnum;
}

static void feed(void)
{
	pthread_mutex_lock(&lock);
	hv_console_feed(&console);
	pthread_mutex_unlock(&lock);
}

static void open_console(bool raw)
{
	struct hv_console_config config = {
		.loop = &loop,
		.lock = &lock,
		.in_fd = in[0],
		.out_fd = out[1],
		.raw = raw,
		.input = take,
		.quit = on_quit,
		.failed = on_failure,
	};

	memset(&console, 0, sizeof(console));
	hv_console_init(&console, &config);
}

static int setup(void **state)
{
	struct hv_error err;

	(void)state;
	taken_len = quits = failure = 0;
	room = sizeof(taken);
	signal(SIGPIPE, SIG_IGN);
	hv_lock_init(&lock);
	return hv_loop_init(&loop, &err) || pipe(in) || pipe(out) || pipe(stop);
}

static int teardown(void **state)
{
	(void)state;
	hv_console_exit(&console);
	hv_loop_exit(&loop);
	for (unsigned int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
		close(stop[i]);
	}
	return 0;
}

/* How often the loop was woken since the last call. */
static uint64_t wakes(void)
{
	uint64_t count = 0;

	(void)!read(loop.wake_fd, &count, sizeof(count));
	return count;
}

/* What the event loop would do now; returns whether there was something. */
static bool serve(struct hv_watch *watch)
{
	struct pollfd fd = { watch->fd, watch->wants(watch->ctx), 0 };

	if (!fd.events || poll(&fd, 1, 0) <= 0)
		return false;
	watch->ready(watch->ctx, fd.revents);
	return true;
}

static void say(const char *text)
{
	hv_console_output(&console, (const uint8_t *)text, strlen(text));
}

static void type(const char *text, size_t len)
{
	assert_int_equal(write(in[1], text, len), len);
	assert_true(serve(&console.in_watch));
}

/* Lines of ours on the guest's terminal: behind what it has said, and on a line of their own. */
static void test_beside(void **state)
{
	static const char want[] = "abc\nours\nmore\ntwo\nlines\nd\nours\n";
	static struct hv_console messages;
	char buf[64] = "";

	(void)state;
	open_console(false);
	memset(&messages, 0, sizeof(messages));
	hv_console_init(&messages,
			&(struct hv_console_config){
				.loop = &loop, .in_fd = -1, .out_fd = out[1], .beside = &console });
	say("ab");
	say("c");
	hv_console_print(&messages, "ours\n");
	hv_console_print(&messages, "more\n");
	say("two\nlines\n");
	hv_console_print(&messages, "");
	say("d");
	hv_console_print(&messages, "ours\n");
	assert_int_equal(read(out[0], buf, sizeof(buf) - 1), sizeof(want) - 1);
	assert_string_equal(buf, want);
	hv_console_exit(&messages);
}

static unsigned int told;

static void on_room(void *ctx)
{
	(void)ctx;
	told++;
}

/* Somebody who can wait has more to say than anybody reads. */
static void test_offer(void **state)
{
	static uint8_t much[4 * HV_CONSOLE_OUT], buf[4096];
	size_t said = 0, n;

	(void)state;
	open_console(false);
	console.config.room = on_room;
	told = 0;
	do {
		n = hv_console_offer(&console, much + said, 4096);
		said += n;
	} while (n == 4096);
	assert_true(said < sizeof(much));
	/* No vCPU has to wait for that. */
	assert_false(hv_console_is_behind(&console));
	assert_int_equal(hv_console_offer(&console, much, 1), 0);
	assert_int_equal(told, 0);
	while (!told) {
		assert_int_equal(read(out[0], buf, sizeof(buf)), sizeof(buf));
		said -= sizeof(buf);
		hv_console_drain(&console);
	}
	assert_true(hv_console_offer(&console, much, 4096) > 0);
	hv_console_drain(&console);
	assert_int_equal(told, 1);
}

/* What nobody has to read takes all, and what has failed, too. */
static void test_offer_all(void **state)
{
	static uint8_t much[2 * HV_CONSOLE_OUT];

	(void)state;
	open_console(false);
	console.config.room = on_room;
	console.config.lossy = true;
	assert_int_equal(hv_console_offer(&console, much, sizeof(much)), sizeof(much));
	console.config.lossy = false;
	console.out_failed = true;
	assert_int_equal(hv_console_offer(&console, much, sizeof(much)), sizeof(much));
}

/* The guest has room again, and who knows it has not the lock. */
static void test_ask(void **state)
{
	(void)state;
	open_console(false);
	room = 2;
	type("abcd", 4);
	assert_int_equal(taken_len, 2);
	room = 10;
	(void)wakes();
	(void)console.ask_watch.wants(&console);
	assert_int_equal(taken_len, 2);
	hv_console_ask(&console);
	assert_true(wakes() > 0);
	assert_int_equal(console.ask_watch.wants(&console), 0);
	assert_int_equal(taken_len, 4);
}

static void test_output(void **state)
{
	char buf[64];

	(void)state;
	open_console(false);
	say("hello\n");
	assert_int_equal(read(out[0], buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "hello\n", 6);
	assert_false(console.out_len > 0);
	/* A single byte waits for more, and tells the event loop once. */
	say("x");
	assert_true(console.out_len > 0);
	assert_int_equal(wakes(), 1);
	say("y");
	assert_int_equal(wakes(), 0);
	hv_console_drain(&console);
	assert_int_equal(read(out[0], buf, sizeof(buf)), 2);
}

static void fill_pipe(void)
{
	static const char lines[4096];

	fcntl(out[1], F_SETFL, O_NONBLOCK);
	while (write(out[1], lines, sizeof(lines)) > 0)
		;
	fcntl(out[1], F_SETFL, 0);
}

static void test_a_full_pipe_blocks_nobody(void **state)
{
	char buf[4096];

	(void)state;
	open_console(false);
	fill_pipe();
	for (unsigned int i = 0; i < 10; i++)
		say("a line\n");
	assert_true(console.out_len > 0);
	hv_console_throttle(&console, stop[0]); /* below the mark: returns */
	while (console.out_len > 0) {
		assert_true(read(out[0], buf, sizeof(buf)) > 0);
		hv_console_drain(&console);
	}
}

static void test_throttle_ends_when_the_machine_does(void **state)
{
	static const char page[4096];

	(void)state;
	open_console(false);
	fill_pipe();
	while (console.out_len <= HV_CONSOLE_OUT_HIGH)
		hv_console_output(&console, (const uint8_t *)page, sizeof(page));
	assert_int_equal(write(stop[1], "", 1), 1);
	hv_console_throttle(&console, stop[0]);
	assert_true(console.out_len > 0);
}

static void test_reader_gone(void **state)
{
	(void)state;
	open_console(false);
	close(out[0]);
	say("hello\n");
	assert_int_equal(failure, EPIPE);
	failure = 0;
	say("again\n");
	assert_int_equal(failure, 0);
	assert_false(console.out_len > 0);
	hv_console_finish(&console);
	out[0] = -1;
}

static void test_input_waits_for_room(void **state)
{
	(void)state;
	open_console(false);
	room = 3;
	type("abcdef", 6);
	assert_int_equal(taken_len, 3);
	room = 10;
	feed();
	assert_int_equal(taken_len, 6);
	assert_memory_equal(taken, "abcdef", 6);
}

/* A paste that is larger than all buffers, and a guest that takes a FIFO full at a time. */
static void paste(bool raw)
{
	static uint8_t text[3 * HV_CONSOLE_IN];
	size_t sent = 0;

	open_console(raw);
	fcntl(in[0], F_SETFL, O_NONBLOCK);
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = 'a' + i % 26;
	room = 0;
	while (taken_len < sizeof(text)) {
		ssize_t n = write(in[1], text + sent, sizeof(text) - sent);

		sent += n > 0 ? n : 0;
		while (serve(&console.in_watch))
			;
		assert_in_range(console.in_len, 1, HV_CONSOLE_IN);
		room = 15;
		wakes();
		n = console.in_len == HV_CONSOLE_IN;
		feed();
		assert_int_equal(wakes(), n);
	}
	assert_memory_equal(taken, text, sizeof(text));
}

static void test_nothing_pasted_is_lost(void **state)
{
	(void)state;
	paste(false);
}

static void test_nothing_pasted_at_a_terminal_is_lost(void **state)
{
	(void)state;
	paste(true);
}

/* The terminal has something to say, and another has just typed as much as there was room for. */
static void test_another_has_filled_the_input(void **state)
{
	static uint8_t much[HV_CONSOLE_IN];

	(void)state;
	open_console(true);
	room = 0;
	assert_int_equal(write(in[1], "\001x", 2), 2);
	assert_int_equal(hv_console_type(&console, much, sizeof(much)), sizeof(much));
	console.in_watch.ready(&console, POLLIN);
	assert_false(console.in_eof);
	room = sizeof(much);
	feed();
	assert_true(serve(&console.in_watch));
	assert_int_equal(quits, 1);
}

static void test_end_of_input(void **state)
{
	(void)state;
	open_console(false);
	close(in[1]);
	in[1] = -1;
	assert_true(serve(&console.in_watch));
	assert_int_equal(console.in_watch.wants(&console), 0);
}

static void test_escapes(void **state)
{
	(void)state;
	open_console(true);
	type("a\001\001b\001ac", 7);
	assert_int_equal(taken_len, 5);
	assert_memory_equal(taken, "a\001b\001c", 5);
	assert_int_equal(quits, 0);
	type("\001", 1);
	type("x", 1);
	assert_int_equal(quits, 1);
	assert_int_equal(taken_len, 5);
}

static void test_a_pipe_has_no_escapes(void **state)
{
	(void)state;
	open_console(false);
	type("\001x", 2);
	assert_int_equal(quits, 0);
	assert_memory_equal(taken, "\001x", 2);
}

/* A chip may have nothing to say; with a full buffer nothing of it fits. */
static void test_nothing_said(void **state)
{
	static const char page[4096];

	(void)state;
	open_console(false);
	hv_console_output(&console, NULL, 0);
	console.config.lossy = true;
	fill_pipe();
	for (unsigned int i = 0; i < HV_CONSOLE_OUT / sizeof(page) + 2; i++)
		hv_console_output(&console, (const uint8_t *)page, sizeof(page));
	assert_int_equal(console.out_len, HV_CONSOLE_OUT);
}

/* --------------------------------------------------------------- terminals */

static int slave = -1, master = -1;

static int setup_terminal(void **state)
{
	struct termios raw;

	cfmakeraw(memset(&raw, 0, sizeof(raw)));
	if (setup(state) || openpty(&master, &slave, NULL, &raw, NULL))
		return -1;
	return dup2(slave, out[1]) < 0 || dup2(slave, in[0]) < 0;
}

static int teardown_terminal(void **state)
{
	close(slave);
	close(master);
	return teardown(state);
}

/* Nobody reads it: POLLOUT promises room for one byte, and write() of more would sleep. */
static void test_a_stalled_terminal_blocks_nobody(void **state)
{
	static char page[4096];

	(void)state;
	memset(page, 'x', sizeof(page));
	open_console(false);
	alarm(20);
	for (unsigned int i = 0; i < 100; i++) {
		hv_console_output(&console, (const uint8_t *)page,
				  HV_CONSOLE_OUT - console.out_len < sizeof(page) ? 1 :
										    sizeof(page));
		serve(&console.out_watch);
	}
	assert_int_equal(write(stop[1], "", 1), 1);
	hv_console_throttle(&console, stop[0]);
	alarm(0);
	assert_true(console.out_len > 0);
	/* Others that have the terminal did not get O_NONBLOCK from us. */
	assert_false(fcntl(slave, F_GETFL) & O_NONBLOCK);
}

/* What poll() has seen, another reader has taken. */
static void test_input_that_is_gone_blocks_nobody(void **state)
{
	char byte;

	(void)state;
	open_console(false);
	assert_int_equal(write(master, "x", 1), 1);
	assert_int_equal(read(slave, &byte, 1), 1);
	alarm(20);
	console.in_watch.ready(&console, POLLIN);
	alarm(0);
	assert_int_equal(taken_len, 0);
	assert_false(console.in_eof);
}

static void test_a_terminal_of_others(void **state)
{
	(void)state;
	open_console(true);
	hv_console_set_terminal(&console, false);
	assert_int_equal(console.in_watch.fd, -1);
	hv_console_set_terminal(&console, true);
	assert_int_equal(console.in_watch.fd, console.in_stream.fd);
	assert_int_equal(write(master, "\001x", 2), 2);
	assert_true(serve(&console.in_watch));
	assert_int_equal(quits, 1);
}

static void gives_it_to_others(void *ctx, short revents)
{
	(void)ctx, (void)revents;
	hv_console_set_terminal(&console, false);
	hv_loop_stop(&loop);
}

/* Input comes together with the news that we are in the background now: it is theirs. */
static void test_input_for_others(void **state)
{
	struct hv_watch news = { .fd = stop[0], .ready = gives_it_to_others };

	(void)state;
	open_console(true);
	hv_loop_add(&loop, &news);
	assert_int_equal(write(master, "x", 1), 1);
	assert_int_equal(write(stop[1], "", 1), 1);
	assert_int_equal(hv_loop_run(&loop), 0);
	hv_loop_remove(&loop, &news);
	assert_int_equal(taken_len, 0);
}

/* Ctrl-A is typed, the machine is saved and goes on elsewhere, X is typed. */
static void test_half_an_escape_is_state(void **state)
{
	static uint8_t saved[HV_CONSOLE_STATE_MAX];
	size_t len;

	(void)state;
	open_console(true);
	hv_console_set_terminal(&console, true);
	assert_int_equal(write(master, "\001", 1), 1);
	assert_true(serve(&console.in_watch));
	len = hv_console_save(&console, saved);
	hv_console_exit(&console);
	open_console(false);
	assert_int_equal(hv_console_load(&console, saved, len), 0);
	hv_console_set_terminal(&console, true);
	assert_int_equal(write(master, "x", 1), 1);
	assert_true(serve(&console.in_watch));
	assert_int_equal(quits, 1);
	assert_int_equal(taken_len, 0);
}

/* The master of a pseudo-terminal cannot be opened again: that would be another one. */
static void test_a_master_is_shared(void **state)
{
	struct hv_stream stream;

	(void)state;
	open_console(false);
	hv_stream_open(&stream, master, true);
	assert_int_equal(stream.fd, master);
	assert_true(fcntl(master, F_GETFL) & O_NONBLOCK);
	hv_stream_close(&stream);
}

static void test_sockets(void **state)
{
	static char page[65536];
	struct hv_stream stream;
	int pair[2];

	(void)state;
	open_console(false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	hv_stream_open(&stream, pair[0], true);
	alarm(20);
	while (hv_stream_write(&stream, page, sizeof(page)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(hv_stream_read(&stream, page, 1), -1);
	assert_int_equal(errno, EAGAIN);
	alarm(0);
	assert_false(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	close(pair[1]);
	assert_int_equal(hv_stream_write(&stream, page, 1), -1);
	assert_int_equal(errno, EPIPE);
	close(pair[0]);
}

#define ON_TERMINAL(name) cmocka_unit_test_setup_teardown(name, setup_terminal, teardown_terminal)
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_beside),
		T(test_output),
		T(test_offer),
		T(test_offer_all),
		T(test_ask),
		T(test_a_full_pipe_blocks_nobody),
		T(test_throttle_ends_when_the_machine_does),
		T(test_reader_gone),
		T(test_input_waits_for_room),
		T(test_nothing_pasted_is_lost),
		T(test_nothing_pasted_at_a_terminal_is_lost),
		T(test_another_has_filled_the_input),
		T(test_end_of_input),
		T(test_escapes),
		T(test_a_pipe_has_no_escapes),
		T(test_nothing_said),
		ON_TERMINAL(test_a_stalled_terminal_blocks_nobody),
		ON_TERMINAL(test_input_that_is_gone_blocks_nobody),
		ON_TERMINAL(test_a_terminal_of_others),
		ON_TERMINAL(test_input_for_others),
		ON_TERMINAL(test_half_an_escape_is_state),
		ON_TERMINAL(test_a_master_is_shared),
		T(test_sockets),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
