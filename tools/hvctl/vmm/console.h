/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One end of a cable: buffers between a UART of the guest, or our own messages, and two
 * file descriptors.
 *
 * Output never makes the one who holds the machine's lock wait: it is kept, and written
 * when the other side can take it. A vCPU that gets far ahead of its reader is held back
 * outside the lock, by hv_console_throttle(), so that signals and Ctrl-A X work even when
 * nobody reads the output.
 *
 * Input is kept until the guest's UART has room, and read no further when that much is
 * waiting: nothing is lost, however much is pasted. Ctrl-A is the escape character.
 */
#ifndef HV_VMM_CONSOLE_H
#define HV_VMM_CONSOLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/loop.h"
#include "ring.h"
#include "stream.h"

#define HV_CONSOLE_OUT      (64 * 1024)
#define HV_CONSOLE_OUT_HIGH (16 * 1024)
#define HV_CONSOLE_IN       (64 * 1024)
#define HV_CONSOLE_ESCAPE   0x01 /* Ctrl-A */
#define HV_CONSOLE_LEAVE    0x1d /* Ctrl-], to who can leave it */

struct hv_console_config {
	struct hv_loop *loop;		/* that waits for readers and input; NULL: nobody does */
	pthread_mutex_t *lock;		/* held where @input is called */
	int in_fd;			/* -1: there is no input */
	int out_fd;			/* -1: what is said there is gone */
	bool lossy;			/* nobody may be reading: drop what does not fit */
	bool raw;			/* the input is a raw terminal: look for escapes */
	struct hv_console *beside;	/* another whose output goes to the same place, or NULL */
	/* Take what the guest has room for; called with @lock held. */
	size_t (*input)(void *ctx, const uint8_t *data, size_t len);
	void (*quit)(void *ctx);		/* Ctrl-A X */
	void (*detach)(void *ctx);		/* Ctrl-A D or Ctrl-]; NULL: nobody can */
	void (*failed)(void *ctx, int errnum);	/* output is lost; once */
	/* hv_console_offer() has refused some, and there is room again; any thread. May be NULL. */
	void (*room)(void *ctx);
	void *ctx;
};

struct hv_console {
	struct hv_console_config config;
	/* output, under its own lock */
	pthread_mutex_t out_lock;
	struct hv_stream out_stream;
	struct hv_watch out_watch;
	struct hv_timer out_retry;	/* of the loop's clock */
	atomic_size_t out_len;
	atomic_ullong out_total;	/* bytes that there were to write, so far */
	bool out_failed;
	bool out_held;			/* nothing is written for now */
	bool out_stuck;			/* the other side has taken nothing, the last time */
	bool out_refused;		/* something was, that was offered */
	bool out_mid_line;		/* what was there to write has not ended its line */
	uint8_t out_last;		/* the last byte that was written, 0: none */
	struct hv_ring *ring;		/* has the last that was said, for others; or NULL */
	/* input, under @config.lock */
	struct hv_stream in_stream;
	struct hv_watch in_watch;
	size_t in_head, in_len;
	bool in_eof;
	bool escape;			/* the last byte was Ctrl-A */
	atomic_bool in_asked;		/* the guest has room, says somebody who has not the lock */
	struct hv_watch ask_watch;
	struct hv_console *next;	/* of the machine's */
	/* Behind all else: pages that nobody touches cost nothing. */
	uint8_t out[HV_CONSOLE_OUT];
	uint8_t in[HV_CONSOLE_IN];	/* a ring: @in_len bytes from @in_head on */
};

/* @console is all zeroes; its buffers cost no memory until they are used. By the loop's thread. */
void hv_console_init(struct hv_console *console, const struct hv_console_config *config);
void hv_console_exit(struct hv_console *console);

/* Output of the guest; @ctx is the console (a chip's output callback). Any thread. */
void hv_console_output(void *ctx, const uint8_t *data, size_t len);
/*
 * The same for who can wait: takes what leaves the vCPUs unthrottled. Returns how much; after less
 * than @len config.room() tells.
 */
size_t hv_console_offer(struct hv_console *console, const uint8_t *data, size_t len);
/* The same for lines of ours, which begin behind the end of the other console's last one. */
void hv_console_print(struct hv_console *console, const char *text);
/* Has its last line no end? Whoever asks sees to that. */
bool hv_console_end_line(struct hv_console *console);
/* Keep all output, as much as there is room for, until it is let go. By the loop's thread. */
void hv_console_hold(struct hv_console *console, bool held);
/* Write what can be written without waiting. */
void hv_console_drain(struct hv_console *console);

/**
 * hv_console_throttle() - wait until the reader has caught up
 * @console: the console
 * @abort_fd: do not wait any longer when this is readable
 *
 * Context: no locks held. What makes @abort_fd readable must not depend on the caller.
 */
void hv_console_throttle(struct hv_console *console, int abort_fd);
/* Is it time for hv_console_throttle()? A glance, for the thread that writes. */
static inline bool hv_console_is_behind(const struct hv_console *console)
{
	return atomic_load_explicit(&console->out_len, memory_order_relaxed) >
		       HV_CONSOLE_OUT_HIGH &&
	       !console->config.lossy;
}

/* Write all there is, however long the reader takes; to a lossy one, what it takes now. */
void hv_console_finish(struct hv_console *console);

/* What somebody else has typed: returns how much there was room for. By the loop's thread. */
size_t hv_console_type(struct hv_console *console, const uint8_t *data, size_t len);

/* Give the guest what it has room for; @config.lock is held. */
void hv_console_feed(struct hv_console *console);

/* The same by the loop, soon; any thread, whatever locks it has. */
void hv_console_ask(struct hv_console *console);

/*
 * State: what was typed and not taken yet, what was said and not written yet. Saving
 * leaves it where it is; a machine that is saved and goes on elsewhere takes it along.
 */
#define HV_CONSOLE_STATE_VERSION 1
#define HV_CONSOLE_STATE_MAX     (16 + HV_CONSOLE_IN + HV_CONSOLE_OUT)

/* Returns how many bytes @buf was filled with. @config.lock is held, as for loading. */
size_t hv_console_save(struct hv_console *console, uint8_t buf[HV_CONSOLE_STATE_MAX]);
/* Can it be loaded? 0 or -EINVAL. */
int hv_console_check(struct hv_console *console, const void *data, size_t len);
int hv_console_load(struct hv_console *console, const void *data, size_t len);

/**
 * hv_console_set_terminal() - whose is the terminal that the input comes from?
 * @console: a console whose input is a terminal
 * @ours: it is raw and we read it; else another process does, until the next call
 *
 * Context: the loop's thread, no locks held.
 */
void hv_console_set_terminal(struct hv_console *console, bool ours);

#endif
