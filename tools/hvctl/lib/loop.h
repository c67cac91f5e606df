/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event loop: who waits for a file descriptor or for a time registers it here and is
 * called by the loop's thread, without locks.
 */
#ifndef HV_LIB_LOOP_H
#define HV_LIB_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "clock.h"
#include "error.h"

/**
 * struct hv_watch - a file descriptor that somebody waits for
 * @fd: what poll() can wait for; -1: nothing now
 * @wants: the events (POLLIN, POLLOUT) to wait for now; 0: none, NULL: POLLIN
 * @ready: some of them are there, or what poll() tells unasked
 * @ctx: theirs
 * @next: the loop's, ...
 * @slot: ... and where it has asked poll() for this one
 */
struct hv_watch {
	int fd;
	short (*wants)(void *ctx);
	void (*ready)(void *ctx, short revents);
	void *ctx;
	struct hv_watch *next;
	unsigned int slot;
};

struct hv_pollset;

/**
 * struct hv_poller - somebody whose descriptors come and go unseen: a library with sockets
 * @ask: before each poll(): hv_pollset_add() for each that it waits for now; it may arm timers
 * @answer: after each poll(), also if nothing has happened: hv_pollset_revents() for those
 * @ctx: theirs
 * @next: the loop's
 */
struct hv_poller {
	void (*ask)(void *ctx, struct hv_pollset *set);
	void (*answer)(void *ctx, const struct hv_pollset *set);
	void *ctx;
	struct hv_poller *next;
};

struct hv_loop {
	struct hv_watch *watches;
	unsigned int count;		/* of them */
	struct hv_poller *pollers;
	struct hv_watch *cursor;	/* whose turn is next */
	struct hv_clock clock;		/* real time, for the loop's thread */
	int wake_fd;
	struct hv_watch wake;
	atomic_bool stopped;
};

int hv_loop_init(struct hv_loop *loop, struct hv_error *err);
void hv_loop_exit(struct hv_loop *loop);

/* By the loop's thread, or while the loop does not run. @watch stays the caller's. */
void hv_loop_add(struct hv_loop *loop, struct hv_watch *watch);
void hv_loop_remove(struct hv_loop *loop, struct hv_watch *watch);

/* Likewise, but not from a callback of the loop's. */
void hv_loop_add_poller(struct hv_loop *loop, struct hv_poller *poller);
void hv_loop_remove_poller(struct hv_loop *loop, struct hv_poller *poller);

/* Wait for @events of @fd. Returns its place in the set; -1, and the loop ends, if memory does. */
int hv_pollset_add(struct hv_pollset *set, int fd, short events);
short hv_pollset_revents(const struct hv_pollset *set, int place);

/* Ask all what they want, once more; any thread. */
void hv_loop_wake(struct hv_loop *loop);

/* Serve all until hv_loop_stop(), which any thread may call, also before. Returns 0 or -ENOMEM. */
int hv_loop_run(struct hv_loop *loop);
void hv_loop_stop(struct hv_loop *loop);
/* Once more, when all who might have stopped it before are done. */
int hv_loop_run_again(struct hv_loop *loop);

/* Time of the clock that timers of the host go by. */
uint64_t hv_monotonic_ns(void);

#endif
