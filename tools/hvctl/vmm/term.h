/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal on standard input: raw while a guest runs and we are in the foreground, as
 * it was on every way out.
 */
#ifndef HV_VMM_TERM_H
#define HV_VMM_TERM_H

#include <stdbool.h>

#include "lib/loop.h"

/* There is one terminal, so there is one of these. */
struct hv_term {
	struct hv_loop *loop;
	struct hv_timer timer;		/* in the background: is it ours again? */
	/* It has become ours, or is no longer; by the loop's thread. */
	void (*changed)(void *ctx, bool ours);
	void *ctx;
};

/*
 * From now on, whatever ends us, by exit() or by a signal, gives terminal and standard streams
 * back as they were. Before anything changes them, once.
 */
void hv_term_watch_ways_out(void);

/* Is standard input a terminal? */
bool hv_term_exists(void);

/* Of the terminal on standard output; 24 by 80 if it does not say, up to 256 by 512. */
void hv_term_size(unsigned int *rows, unsigned int *columns);

/**
 * hv_term_open() - make the terminal raw, now or as soon as it is ours
 * @term: loop, changed and ctx are filled in
 *
 * A background job does not touch its terminal: it looks from time to time whether it
 * has become the foreground job.
 */
void hv_term_open(struct hv_term *term);
void hv_term_close(struct hv_term *term);

/* We were stopped, or others have changed its modes: look again whose it is. */
void hv_term_refresh(struct hv_term *term);

/* Write @text to @fd, which waits for nobody, whenever it is given back; @fd -1: nothing. */
void hv_term_set_leave(int fd, const char *text);

/* Give it back as it was; async-signal-safe, and nothing if it is not raw. */
void hv_term_restore(void);

#endif
