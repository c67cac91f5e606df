/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals to the process, as events of the loop. */
#ifndef HV_VMM_SIGNALS_H
#define HV_VMM_SIGNALS_H

#include <signal.h>

#include "lib/loop.h"

struct hv_signals {
	struct hv_watch watch;
	/* A signal that would kill us; by the loop's thread. */
	void (*deadly)(void *ctx, int sig);
	/* Before a stop, and behind it (or behind one that we did not see coming). */
	void (*stop)(void *ctx);
	void (*cont)(void *ctx);
	/* The terminal has another size; may be NULL. */
	void (*resized)(void *ctx);
	void *ctx;
	sigset_t before;		/* the mask */
};

/**
 * hv_signals_open() - have signals that end, stop or resize come by @loop
 * @signals: deadly, stop, cont, resized and ctx are filled in
 * @loop: the loop
 * @err: filled in on failure
 *
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT; SIGTSTP, SIGCONT; SIGWINCH. They are blocked in this thread and
 * all that it starts later. Those that we were told to ignore stay ignored; SIGPIPE is, from now
 * on: a closed pipe is told by write(), where something can be done about it. Returns 0 or -errno.
 */
int hv_signals_open(struct hv_signals *signals, struct hv_loop *loop, struct hv_error *err);

/* Let them kill and stop us again, as before. */
void hv_signals_close(struct hv_signals *signals, struct hv_loop *loop);

/* Die of @sig, as if we had never caught it. */
void hv_signals_die(int sig);

#endif
