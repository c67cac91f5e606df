// SPDX-License-Identifier: GPL-2.0-only
/* Consoles: buffers between the guest and file descriptors. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "lib/lock.h"

#define CHUNK 4096
/* A terminal may be writable by what poll() says, and yet have no room for the next character. */
#define RETRY_NS 10000000

/* ------------------------------------------------------------------ output */

static void fail(struct hv_console *console, int errnum)
{
	console->out_failed = true;
	console->out_len = 0;
	if (console->config.failed)
		console->config.failed(console->config.ctx, errnum);
}

/* Returns whether there is more to write and the other side may take it. */
static bool write_some(struct hv_console *console)
{
	size_t len = console->out_len < CHUNK ? console->out_len : CHUNK;
	ssize_t n;

	hv_lock_assert_held(&console->out_lock);
	if (!len || console->out_held)
		return false;
	n = hv_stream_write(&console->out_stream, console->out, len);
	console->out_stuck = n < 0 && errno == EAGAIN;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n < 0) {
		fail(console, errno);
		return false;
	}
	if (n > 0)
		console->out_last = console->out[n - 1];
	console->out_len -= n;
	memmove(console->out, console->out + n, console->out_len);
	return console->out_len;
}

static void drain_locked(struct hv_console *console)
{
	while (write_some(console))
		;
}

/* Those who have more to say, and wait. Returns whether they are to be told. */
static bool has_room_again(struct hv_console *console)
{
	bool again = console->out_refused && console->out_len <= HV_CONSOLE_OUT_HIGH / 2;

	hv_lock_assert_held(&console->out_lock);
	console->out_refused &= !again;
	return again;
}

static void tell_room(struct hv_console *console, bool again)
{
	if (again && console->config.room)
		console->config.room(console->config.ctx);
}

size_t hv_console_offer(struct hv_console *console, const uint8_t *data, size_t len)
{
	size_t room;

	pthread_mutex_lock(&console->out_lock);
	drain_locked(console);
	room = console->out_len < HV_CONSOLE_OUT_HIGH ? HV_CONSOLE_OUT_HIGH - console->out_len : 0;
	if (console->config.lossy || console->out_failed || len < room)
		room = len;
	console->out_refused |= room < len;
	pthread_mutex_unlock(&console->out_lock);
	hv_console_output(console, data, room);
	return room;
}

void hv_console_output(void *ctx, const uint8_t *data, size_t len)
{
	struct hv_console *console = ctx;
	bool was_empty, pending, again;

	if (!len)
		return;
	if (console->ring)
		hv_ring_put(console->ring, data, len);
	pthread_mutex_lock(&console->out_lock);
	was_empty = !console->out_len;
	console->out_total += len;
	console->out_mid_line = data[len - 1] != '\n';
	if (console->out_stream.fd < 0) {
		console->out_last = data[len - 1];
		len = 0;
	}
	/* Only if lossy: throttling leaves room for what a chip says during one VM exit. */
	if (len > sizeof(console->out) - console->out_len)
		len = sizeof(console->out) - console->out_len;
	if (!console->out_failed && len) {
		memcpy(console->out + console->out_len, data, len);
		console->out_len += len;
	}
	/* Single bytes wait for company: the debug port has no batches of its own. */
	if (len != 1 || data[0] == '\n')
		drain_locked(console);
	pending = console->out_len;
	again = has_room_again(console);
	pthread_mutex_unlock(&console->out_lock);
	tell_room(console, again);
	/* From now on the event loop waits for the reader, until all is written. */
	if (was_empty && pending && console->config.loop)
		hv_loop_wake(console->config.loop);
}

bool hv_console_end_line(struct hv_console *console)
{
	bool mid_line;

	pthread_mutex_lock(&console->out_lock);
	drain_locked(console);
	mid_line = console->out_mid_line;
	console->out_mid_line = false;
	pthread_mutex_unlock(&console->out_lock);
	return mid_line;
}

void hv_console_print(struct hv_console *console, const char *text)
{
	struct hv_console *beside = console->config.beside;

	if (*text && beside && hv_console_end_line(beside))
		hv_console_output(console, (const uint8_t *)"\n", 1);
	hv_console_output(console, (const uint8_t *)text, strlen(text));
}

void hv_console_hold(struct hv_console *console, bool held)
{
	pthread_mutex_lock(&console->out_lock);
	console->out_held = held;
	console->config.lossy = held;
	pthread_mutex_unlock(&console->out_lock);
}

/* Returns whether the other side takes nothing at all. */
static bool drain(struct hv_console *console)
{
	bool stuck, again;

	pthread_mutex_lock(&console->out_lock);
	drain_locked(console);
	stuck = console->out_stuck;
	again = has_room_again(console);
	pthread_mutex_unlock(&console->out_lock);
	tell_room(console, again);
	return stuck;
}

void hv_console_drain(struct hv_console *console)
{
	(void)drain(console);
}

static short wants_output(void *ctx)
{
	struct hv_console *console = ctx;

	return console->out_len && !console->out_held && !console->out_retry.armed ? POLLOUT : 0;
}

static void on_writable(void *ctx, short revents)
{
	struct hv_console *console = ctx;
	struct hv_clock *clock = &console->config.loop->clock;

	(void)revents;
	if (drain(console))
		hv_timer_arm(clock, &console->out_retry, hv_now_ns(clock) + RETRY_NS);
}

/* The loop asks wants_output() after it. */
static void on_retry(void *dev)
{
	(void)dev;
}

/* Returns whether @fd may be writable before @abort_fd can be read. */
static bool wait_writable(int fd, int abort_fd, int timeout_ms)
{
	struct pollfd fds[2] = { { fd, POLLOUT, 0 }, { abort_fd, POLLIN, 0 } };

	while (poll(fds, 2, timeout_ms) < 0)
		if (errno != EINTR)
			return true; /* let write() say what is wrong */
	return !fds[1].revents;
}

/* Until at most @mark bytes wait. Where poll() lets through and write() does not, not in a spin. */
static void wait_for_reader(struct hv_console *console, size_t mark, int abort_fd)
{
	bool stuck = drain(console);

	while (console->out_len > mark) {
		if (!wait_writable(console->out_stream.fd, abort_fd, -1))
			return;
		stuck = drain(console) && stuck;
		if (stuck && !wait_writable(-1, abort_fd, RETRY_NS / 1000000))
			return;
		stuck = true;
	}
}

void hv_console_throttle(struct hv_console *console, int abort_fd)
{
	if (hv_console_is_behind(console))
		wait_for_reader(console, HV_CONSOLE_OUT_HIGH, abort_fd);
}

void hv_console_finish(struct hv_console *console)
{
	if (console->config.lossy)
		hv_console_drain(console);
	else
		wait_for_reader(console, 0, -1);
}

/* ------------------------------------------------------------------- input */

static bool wants_more(const struct hv_console *console)
{
	return !console->in_eof && console->in_len < sizeof(console->in);
}

static void keep(struct hv_console *console, uint8_t byte)
{
	console->in[(console->in_head + console->in_len++) % sizeof(console->in)] = byte;
}

static void take_terminal_byte(struct hv_console *console, uint8_t byte)
{
	void (*detach)(void *ctx) = console->config.detach;

	if (!console->escape) {
		console->escape = byte == HV_CONSOLE_ESCAPE;
		if (detach && byte == HV_CONSOLE_LEAVE)
			detach(console->config.ctx);
		else if (!console->escape)
			keep(console, byte);
		return;
	}
	console->escape = false;
	if (byte == 'x' || byte == 'X')
		console->config.quit(console->config.ctx);
	else if (detach && (byte == 'd' || byte == 'D'))
		detach(console->config.ctx);
	else if (byte == 'a' || byte == HV_CONSOLE_ESCAPE)
		keep(console, HV_CONSOLE_ESCAPE);
}

/* What lies in one piece; returns whether the guest has taken all of it. */
static bool feed_piece(struct hv_console *console)
{
	size_t len = sizeof(console->in) - console->in_head, taken;

	if (len > console->in_len)
		len = console->in_len;
	taken = console->config.input(console->config.ctx, console->in + console->in_head, len);
	console->in_head = (console->in_head + taken) % sizeof(console->in);
	console->in_len -= taken;
	return taken == len;
}

void hv_console_feed(struct hv_console *console)
{
	bool was_full = console->in_len == sizeof(console->in);

	hv_lock_assert_held(console->config.lock);
	while (console->in_len && feed_piece(console))
		;
	if (was_full && console->in_len < sizeof(console->in) && console->config.loop)
		hv_loop_wake(console->config.loop);
}

void hv_console_ask(struct hv_console *console)
{
	atomic_store(&console->in_asked, true);
	hv_loop_wake(console->config.loop);
}

/* For a watch that waits for nothing itself: all are asked before each wait. */
static short feeds_if_asked(void *ctx)
{
	struct hv_console *console = ctx;

	if (atomic_exchange(&console->in_asked, false)) {
		pthread_mutex_lock(console->config.lock);
		hv_console_feed(console);
		pthread_mutex_unlock(console->config.lock);
	}
	return 0;
}

/* @len: 0 at the end of the input. */
static void take(struct hv_console *console, const uint8_t *data, size_t len)
{
	hv_lock_assert_held(console->config.lock);
	console->in_eof = !len;
	for (size_t i = 0; i < len; i++)
		if (console->config.raw)
			take_terminal_byte(console, data[i]);
		else
			keep(console, data[i]);
}

size_t hv_console_type(struct hv_console *console, const uint8_t *data, size_t len)
{
	size_t room;

	pthread_mutex_lock(console->config.lock);
	room = sizeof(console->in) - console->in_len;
	if (len > room)
		len = room;
	for (size_t i = 0; i < len; i++)
		keep(console, data[i]);
	hv_console_feed(console);
	pthread_mutex_unlock(console->config.lock);
	return len;
}

static short wants_input(void *ctx)
{
	struct hv_console *console = ctx;
	bool wants;

	pthread_mutex_lock(console->config.lock);
	wants = wants_more(console);
	pthread_mutex_unlock(console->config.lock);
	return wants ? POLLIN : 0;
}

/*
 * Only this thread adds to the ring: the room there is can but grow while it reads. There may be
 * none: another has typed since poll() was asked. To read nothing would look like the end.
 */
static void on_readable(void *ctx, short revents)
{
	struct hv_console *console = ctx;
	uint8_t buf[CHUNK];
	size_t room;
	ssize_t n;

	(void)revents;
	pthread_mutex_lock(console->config.lock);
	room = sizeof(console->in) - console->in_len;
	pthread_mutex_unlock(console->config.lock);
	if (!room)
		return;
	n = hv_stream_read(&console->in_stream, buf, room < CHUNK ? room : CHUNK);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	pthread_mutex_lock(console->config.lock);
	take(console, buf, n < 0 ? 0 : n);
	hv_console_feed(console);
	pthread_mutex_unlock(console->config.lock);
}

void hv_console_set_terminal(struct hv_console *console, bool ours)
{
	pthread_mutex_lock(console->config.lock);
	console->config.raw = ours;
	/* Half an escape, which a machine restored has from before, waits for the other half. */
	if (!ours)
		console->escape = false;
	pthread_mutex_unlock(console->config.lock);
	console->in_watch.fd = ours ? console->in_stream.fd : -1;
}

/* ------------------------------------------------------------------- state */

struct console_state {
	uint32_t in_len, out_len;
	uint8_t in_eof, escape, out_last;
	uint8_t pad[5];
	uint8_t data[];			/* input, then output */
};

size_t hv_console_save(struct hv_console *console, uint8_t buf[HV_CONSOLE_STATE_MAX])
{
	struct console_state state = {
		.in_len = console->in_len,
		.in_eof = console->in_eof,
		.escape = console->escape,
	};

	for (size_t i = 0; i < console->in_len; i++)
		buf[sizeof(state) + i] = console->in[(console->in_head + i) % sizeof(console->in)];
	pthread_mutex_lock(&console->out_lock);
	state.out_len = console->out_len;
	state.out_last = console->out_last;
	memcpy(buf + sizeof(state) + state.in_len, console->out, state.out_len);
	pthread_mutex_unlock(&console->out_lock);
	memcpy(buf, &state, sizeof(state));
	return sizeof(state) + state.in_len + state.out_len;
}

int hv_console_check(struct hv_console *console, const void *data, size_t len)
{
	const struct console_state *state = data;

	if (len < sizeof(*state) || state->in_len > sizeof(console->in) ||
	    state->out_len > sizeof(console->out))
		return -EINVAL;
	return len - sizeof(*state) == (size_t)state->in_len + state->out_len ? 0 : -EINVAL;
}

int hv_console_load(struct hv_console *console, const void *data, size_t len)
{
	const struct console_state *state = data;

	if (hv_console_check(console, data, len))
		return -EINVAL;
	memcpy(console->in, state->data, state->in_len);
	console->in_head = 0;
	console->in_len = state->in_len;
	console->in_eof = state->in_eof;
	console->escape = state->escape;
	pthread_mutex_lock(&console->out_lock);
	memcpy(console->out, state->data + state->in_len, state->out_len);
	console->out_len = state->out_len;
	console->out_last = state->out_last;
	pthread_mutex_unlock(&console->out_lock);
	return 0;
}

/* ---------------------------------------------------------------- together */

void hv_console_init(struct hv_console *console, const struct hv_console_config *config)
{
	console->config = *config;
	hv_lock_init(&console->out_lock);
	hv_stream_open(&console->out_stream, config->out_fd, true);
	hv_stream_open(&console->in_stream, config->in_fd, false);
	console->out_watch = (struct hv_watch){
		.fd = console->out_stream.fd,
		.wants = wants_output,
		.ready = on_writable,
		.ctx = console,
	};
	console->in_watch = (struct hv_watch){
		.fd = console->in_stream.fd,
		.wants = wants_input,
		.ready = on_readable,
		.ctx = console,
	};
	console->ask_watch = (struct hv_watch){
		.fd = -1,
		.wants = feeds_if_asked,
		.ctx = console,
	};
	console->out_retry = (struct hv_timer){ .fn = on_retry };
	if (!config->loop)
		return;
	hv_loop_add(config->loop, &console->out_watch);
	hv_loop_add(config->loop, &console->ask_watch);
	if (config->in_fd >= 0)
		hv_loop_add(config->loop, &console->in_watch);
}

void hv_console_exit(struct hv_console *console)
{
	struct hv_loop *loop = console->config.loop;

	if (loop) {
		hv_loop_remove(loop, &console->out_watch);
		hv_loop_remove(loop, &console->in_watch);
		hv_loop_remove(loop, &console->ask_watch);
		hv_timer_cancel(&loop->clock, &console->out_retry);
	}
	hv_stream_close(&console->in_stream);
	hv_stream_close(&console->out_stream);
	pthread_mutex_destroy(&console->out_lock);
}
