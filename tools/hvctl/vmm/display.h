/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --display text: the guest's screen on our terminal, and what is typed there for its
 * keyboard.
 *
 * Looks at the screen some 25 times a second, by the loop's thread, and draws if something
 * has changed and the terminal has taken what was drawn before. Draws through
 * machine->console, so a terminal that nobody reads keeps nobody waiting.
 */
#ifndef HV_VMM_DISPLAY_H
#define HV_VMM_DISPLAY_H

#include "config.h"
#include "keys.h"
#include "screen.h"

struct hv_machine;
struct hv_curses;

struct hv_display {
	struct hv_machine *machine;
	struct hv_curses *curses;	/* NULL: not open */
	struct hv_timer look;		/* of the loop's clock */
	struct hv_screen shown;
	bool is_shown;			/* @shown is */
	bool ours;			/* the terminal is */
	bool entered;			/* something has been drawn */
	bool all;			/* draw all of it the next time */
	unsigned int rows, columns;	/* of the terminal, the last time */
	uint8_t leds;			/* of the keyboard, as @status has them */
	char status[160];
	/* Under machine->lock: a keystroke that is not complete yet */
	struct hv_timer wait;		/* of the machine's clock: what follows is another */
	uint8_t typed[HV_KEYS_MAX];
	size_t typed_len;
};

/* Can @config's display be had on our standard streams? Returns 0 or -errno. */
int hv_display_check(const struct hv_config *config, struct hv_error *err);

/**
 * hv_display_open() - draw @machine's screen from now on, if its configuration says so
 * @display: filled in; hv_display_close() does nothing if it is not open
 * @machine: not started yet
 * @err: filled in on failure
 *
 * Returns 0 or -errno. Context: the loop's thread, as all that follow but hv_display_input().
 */
int hv_display_open(struct hv_display *display, struct hv_machine *machine, struct hv_error *err);
/* The machine has ended: the terminal shows again what it did before. */
void hv_display_close(struct hv_display *display);

/* Another machine goes on where that one was, which must be let go first. */
void hv_display_detach(struct hv_display *display);
void hv_display_attach(struct hv_display *display, struct hv_machine *machine);

/* The terminal has become ours, or is no longer. */
void hv_display_set_terminal(struct hv_display *display, bool ours);

/* What was typed: how much of it the keyboard has taken. machine->lock is held. */
size_t hv_display_input(struct hv_display *display, const uint8_t *data, size_t len);

#endif
