/* SPDX-License-Identifier: GPL-2.0-only */
/* A program on a terminal of its own, and somebody who types there and reads what comes. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

#define TERMINAL_TEXT (1 << 20)

struct terminal {
	pid_t pid;
	int fd;			/* ours */
	int program_fd;		/* its end: kept open to look at its modes */
	struct termios before;
	size_t len;		/* of all that came */
	size_t seen;		/* up to here it has been waited for */
	uint64_t seen_ns;	/* when that came, by CLOCK_MONOTONIC */
	char text[TERMINAL_TEXT];
};

/* Start @argv in the foreground of a new terminal. Ends the program when that fails. */
void terminal_start(struct terminal *terminal, char *const argv[]);

/* Type @text; carriage return is Enter. What comes meanwhile is read. */
void terminal_type(struct terminal *terminal, const char *text);

/*
 * Wait until @text comes, at most @seconds, and go on behind it.
 * Returns where it begins in terminal->text; NULL if it did not come or the program is gone.
 */
const char *terminal_wait(struct terminal *terminal, const char *text, unsigned int seconds);

/* Read what comes for so long. */
void terminal_idle(struct terminal *terminal, unsigned int seconds);

/* The program's exit status as a shell tells it; -1 if it has not ended by itself in @seconds (then it is killed). */
int terminal_end(struct terminal *terminal, unsigned int seconds);

/* Is the terminal in the modes in which the program found it? */
bool terminal_is_restored(const struct terminal *terminal);
void terminal_close(struct terminal *terminal);

uint64_t now_ns(void);

#endif
