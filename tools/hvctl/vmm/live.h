/* SPDX-License-Identifier: GPL-2.0-only */
/* A view that is drawn anew on the terminal every second, until somebody presses q. */
#ifndef HV_VMM_LIVE_H
#define HV_VMM_LIVE_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/error.h"

/**
 * struct hv_live - what is shown
 * @tick: HV_LIVE_TICKS times a second: look at what changes. False: it is over
 * @draw: so many lines of so many columns at the most, without colours
 * @ctx: theirs
 */
#define HV_LIVE_TICKS 5
struct hv_live {
	bool (*tick)(void *ctx);
	void (*draw)(void *ctx, unsigned int rows, unsigned int columns, FILE *out);
	void *ctx;
};

/* Whether standard input and output are a terminal to show it on. */
bool hv_live_is_possible(void);

/**
 * hv_live_run() - show it until q or Ctrl-C is pressed, or until it is over
 * @live: what
 * @err: filled in on failure
 *
 * It follows the terminal's size, stops by Ctrl-Z, and gives the screen back as it was. Dies of the
 * signals that kill. Returns 0 or -errno.
 */
int hv_live_run(const struct hv_live *live, struct hv_error *err);

#endif
