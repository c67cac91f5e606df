// SPDX-License-Identifier: GPL-2.0-only
/* The console: flow control in both directions, the escape character, readers that go away. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "hv_test.h"
#include "vmm/console.h"

static struct hv_console console;
static int in[2], out[2], stop[2];
static uint8_t taken[4 * HV_CONSOLE_IN];
static size_t taken_len, room;
static unsigned int quits, wakes;
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

static void on_wake(void *ctx)
{
	(void)ctx;
	wakes++;
}

static void open_console(bool raw)
{
	struct hv_console_config config = {
		.in_fd = in[0],
		.out_fd = out[1],
		.stop_fd = stop[0],
		.raw = raw,
		.input = take,
		.quit = on_quit,
		.failed = on_failure,
		.wake = on_wake,
	};

	memset(&console, 0, sizeof(console));
	hv_console_init(&console, &config);
}

static int setup(void **state)
{
	(void)state;
	taken_len = quits = wakes = failure = 0;
	room = sizeof(taken);
	signal(SIGPIPE, SIG_IGN);
	return pipe(in) || pipe(out) || pipe(stop);
}

static int teardown(void **state)
{
	(void)state;
	hv_console_exit(&console);
	for (unsigned int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
		close(stop[i]);
	}
	return 0;
}

static void say(const char *text)
{
	hv_console_output(&console, (const uint8_t *)text, strlen(text));
}

static void type(const char *text, size_t len)
{
	assert_int_equal(write(in[1], text, len), len);
	assert_true(hv_console_read(&console));
	hv_console_feed(&console);
}

static void test_output(void **state)
{
	char buf[64];

	(void)state;
	open_console(false);
	say("hello\n");
	assert_int_equal(read(out[0], buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "hello\n", 6);
	assert_false(hv_console_pending(&console));
	/* A single byte waits for more, and tells the event loop once. */
	say("x");
	assert_true(hv_console_pending(&console));
	assert_int_equal(wakes, 1);
	say("y");
	assert_int_equal(wakes, 1);
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
	assert_true(hv_console_pending(&console));
	hv_console_throttle(&console); /* below the mark: returns */
	while (hv_console_pending(&console)) {
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
	hv_console_throttle(&console);
	hv_console_finish(&console, stop[0]);
	assert_true(hv_console_pending(&console));
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
	assert_false(hv_console_pending(&console));
	hv_console_finish(&console, stop[0]);
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
	hv_console_feed(&console);
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
		while (hv_console_wants_input(&console) && taken_len + console.in_len < sent)
			assert_true(hv_console_read(&console));
		assert_in_range(console.in_len, 1, HV_CONSOLE_IN);
		room = 15;
		wakes = 0;
		n = console.in_len == HV_CONSOLE_IN;
		hv_console_feed(&console);
		assert_int_equal(wakes, n);
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

static void test_end_of_input(void **state)
{
	(void)state;
	open_console(false);
	close(in[1]);
	in[1] = -1;
	assert_false(hv_console_read(&console));
	assert_false(hv_console_wants_input(&console));
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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_output),
		T(test_a_full_pipe_blocks_nobody),
		T(test_throttle_ends_when_the_machine_does),
		T(test_reader_gone),
		T(test_input_waits_for_room),
		T(test_nothing_pasted_is_lost),
		T(test_nothing_pasted_at_a_terminal_is_lost),
		T(test_end_of_input),
		T(test_escapes),
		T(test_a_pipe_has_no_escapes),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
