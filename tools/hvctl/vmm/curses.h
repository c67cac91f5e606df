/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's screen drawn by ncurses. What it has for the terminal is kept, for others to
 * write without waiting: hv_curses_take().
 */
#ifndef HV_VMM_CURSES_H
#define HV_VMM_CURSES_H

#include "lib/error.h"
#include "screen.h"

struct hv_curses;

/* What is to be drawn, on a terminal of so many rows and columns. */
struct hv_picture {
	const struct hv_screen *screen;	/* NULL: nothing to be seen */
	const char *status;		/* below what is used of it, where there is room */
	unsigned int rows, columns;
};

/**
 * hv_curses_open() - get ready to draw on the kind of terminal that TERM names
 * @err: filled in on failure
 *
 * Changes neither modes nor signals of ours for good. Returns NULL if the terminal is not
 * known, or hvctl was built without ncurses. There is one at a time.
 */
struct hv_curses *hv_curses_open(struct hv_error *err);

/* Draw what has changed; @all: as if the terminal showed something else. */
void hv_curses_draw(struct hv_curses *curses, const struct hv_picture *picture, bool all);

/* Bytes for the terminal, up to @room of them; 0: there are no more. */
size_t hv_curses_take(struct hv_curses *curses, uint8_t *data, size_t room);

/* Leave the screen: what to write last is there to be taken. */
void hv_curses_end(struct hv_curses *curses);
void hv_curses_close(struct hv_curses *curses);

/* To go to the screen that programs draw on, and to leave it with the cursor on. */
const char *hv_curses_enter_string(const struct hv_curses *curses);
const char *hv_curses_leave_string(const struct hv_curses *curses);

#endif
