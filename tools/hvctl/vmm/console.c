// SPDX-License-Identifier: GPL-2.0-only
/* The guest's console: buffers between its UART and our standard streams. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

/* What poll() promises that a pipe can take at once; a terminal takes less. */
#define OUT_CHUNK 4096
#define IN_CHUNK 4096

void hv_console_init(struct hv_console *console, const struct hv_console_config *config)
{
	console->config = *config;
	pthread_mutex_init(&console->out_lock, NULL);
}

void hv_console_exit(struct hv_console *console)
{
	pthread_mutex_destroy(&console->out_lock);
}

/* Returns whether @fd can be written before @abort_fd can be read. */
static bool wait_writable(int fd, int abort_fd, int timeout_ms)
{
	struct pollfd fds[2] = { { fd, POLLOUT, 0 }, { abort_fd, POLLIN, 0 } };

	while (poll(fds, 2, timeout_ms) < 0)
		if (errno != EINTR)
			return true; /* let write() say what is wrong */
	return fds[0].revents && !fds[1].revents;
}

static void fail(struct hv_console *console, int errnum)
{
	console->out_failed = true;
	console->out_len = 0;
	console->config.failed(console->config.ctx, errnum);
}

/* Returns whether there is more to write and the other side may take it. */
static bool write_some(struct hv_console *console)
{
	size_t len = console->out_len < OUT_CHUNK ? console->out_len : OUT_CHUNK;
	ssize_t n;

	if (!len)
		return false;
	n = write(console->config.out_fd, console->out, len);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n < 0) {
		fail(console, errno);
		return false;
	}
	console->out_len -= n;
	memmove(console->out, console->out + n, console->out_len);
	return console->out_len;
}

static void drain_locked(struct hv_console *console)
{
	while (console->out_len && wait_writable(console->config.out_fd, -1, 0))
		if (!write_some(console))
			break;
}

void hv_console_output(void *ctx, const uint8_t *data, size_t len)
{
	struct hv_console *console = ctx;
	bool was_empty, pending;

	pthread_mutex_lock(&console->out_lock);
	was_empty = !console->out_len;
	/* Only if lossy: throttling leaves room for what a chip says during one VM exit. */
	if (len > sizeof(console->out) - console->out_len)
		len = sizeof(console->out) - console->out_len;
	if (!console->out_failed) {
		memcpy(console->out + console->out_len, data, len);
		console->out_len += len;
	}
	/* Single bytes wait for company: the debug port has no batches of its own. */
	if (console->out_len && (len > 1 || data[len - 1] == '\n'))
		drain_locked(console);
	pending = console->out_len;
	pthread_mutex_unlock(&console->out_lock);
	/* From now on the event loop waits for the reader, until all is written. */
	if (was_empty && pending)
		console->config.wake(console->config.ctx);
}

bool hv_console_pending(struct hv_console *console)
{
	bool pending;

	pthread_mutex_lock(&console->out_lock);
	pending = console->out_len;
	pthread_mutex_unlock(&console->out_lock);
	return pending;
}

void hv_console_drain(struct hv_console *console)
{
	pthread_mutex_lock(&console->out_lock);
	drain_locked(console);
	pthread_mutex_unlock(&console->out_lock);
}

static bool above(struct hv_console *console, size_t mark)
{
	bool above;

	pthread_mutex_lock(&console->out_lock);
	drain_locked(console);
	above = console->out_len > mark;
	pthread_mutex_unlock(&console->out_lock);
	return above;
}

void hv_console_throttle(struct hv_console *console)
{
	if (console->config.lossy)
		return;
	/* A glance without the lock is enough: the writer is this very thread. */
	if (__atomic_load_n(&console->out_len, __ATOMIC_RELAXED) <= HV_CONSOLE_OUT_HIGH)
		return;
	while (above(console, HV_CONSOLE_OUT_HIGH))
		if (!wait_writable(console->config.out_fd, console->config.stop_fd, -1))
			return;
}

void hv_console_finish(struct hv_console *console, int abort_fd)
{
	while (above(console, 0) && !console->config.lossy)
		if (!wait_writable(console->config.out_fd, abort_fd, -1))
			return;
}

/* ------------------------------------------------------------------- input */

bool hv_console_wants_input(const struct hv_console *console)
{
	return !console->in_eof && console->in_len < sizeof(console->in);
}

static void keep(struct hv_console *console, uint8_t byte)
{
	console->in[(console->in_head + console->in_len++) % sizeof(console->in)] = byte;
}

static void take_terminal_byte(struct hv_console *console, uint8_t byte)
{
	if (!console->escape) {
		console->escape = byte == HV_CONSOLE_ESCAPE;
		if (!console->escape)
			keep(console, byte);
		return;
	}
	console->escape = false;
	if (byte == 'x' || byte == 'X')
		console->config.quit(console->config.ctx);
	else if (byte == 'a' || byte == HV_CONSOLE_ESCAPE)
		keep(console, HV_CONSOLE_ESCAPE);
}

bool hv_console_read(struct hv_console *console)
{
	size_t room = sizeof(console->in) - console->in_len;
	uint8_t buf[IN_CHUNK];
	ssize_t n;

	if (!room)
		return true;
	n = read(console->config.in_fd, buf, room < sizeof(buf) ? room : sizeof(buf));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		console->in_eof = true;
		return false;
	}
	for (ssize_t i = 0; i < n; i++)
		if (console->config.raw)
			take_terminal_byte(console, buf[i]);
		else
			keep(console, buf[i]);
	return true;
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

	while (console->in_len && feed_piece(console))
		;
	if (was_full && hv_console_wants_input(console))
		console->config.wake(console->config.ctx);
}
