/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's console on standard input and output.
 *
 * Output never blocks the one who holds the machine's lock: it is kept and
 * written when the other side can take it. A vCPU that gets far ahead of its
 * reader is held back outside the lock, by hv_console_throttle(), so that signals
 * and Ctrl-A X work even when nobody reads the output.
 *
 * Input is kept until the guest's UART has room, and read no further when that
 * much is waiting: nothing is lost, however much is pasted. Ctrl-A is the escape
 * character.
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HV_CONSOLE_OUT (64 * 1024)
#define HV_CONSOLE_OUT_HIGH (16 * 1024)
#define HV_CONSOLE_IN (64 * 1024)
#define HV_CONSOLE_ESCAPE 0x01		/* Ctrl-A */

struct hv_console_config {
	int in_fd;
	int out_fd;
	int stop_fd;			/* readable: the VM ends, wait for nothing */
	bool lossy;			/* nobody may be reading: drop what does not fit, never wait */
	bool raw;			/* the input is a raw terminal: look for escapes */
	/* Take what the guest has room for; called with the machine's lock held. */
	size_t (*input)(void *ctx, const uint8_t *data, size_t len);
	void (*quit)(void *ctx);	/* Ctrl-A X */
	void (*failed)(void *ctx, int errnum);	/* output is lost; once */
	void (*wake)(void *ctx);	/* what the event loop polls for has changed */
	void *ctx;
};

struct hv_console {
	struct hv_console_config config;
	/* output, under its own lock */
	pthread_mutex_t out_lock;
	uint8_t out[HV_CONSOLE_OUT];
	size_t out_len;
	bool out_failed;
	/* input, under the machine's lock */
	uint8_t in[HV_CONSOLE_IN];	/* a ring */
	size_t in_head, in_len;
	bool in_eof;
	bool escape;			/* the last byte was Ctrl-A */
};

/* @console is all zeroes; its buffers cost no memory until they are used. */
void hv_console_init(struct hv_console *console, const struct hv_console_config *config);
void hv_console_exit(struct hv_console *console);

/* Output of the guest; @ctx is the console (a chip's output callback). */
void hv_console_output(void *ctx, const uint8_t *data, size_t len);
bool hv_console_pending(struct hv_console *console);
/* Write what can be written without waiting. */
void hv_console_drain(struct hv_console *console);
/* Wait until the reader has caught up; without locks held. */
void hv_console_throttle(struct hv_console *console);
/* Write all there is, unless @abort_fd becomes readable. */
void hv_console_finish(struct hv_console *console, int abort_fd);

/* Should the event loop wait for input? */
bool hv_console_wants_input(const struct hv_console *console);
/* Input is there: read it. Returns false when there will be no more. */
bool hv_console_read(struct hv_console *console);
/* Give the guest what it has room for. */
void hv_console_feed(struct hv_console *console);

#endif
