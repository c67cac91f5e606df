// SPDX-License-Identifier: GPL-2.0-only
/* The terminal's modes. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "term.h"

/*
 * Signals that kill at once and are not waited for by the event loop (which turns
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT into an orderly end): our own crashes.
 */
static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS };

static struct termios saved;
static volatile sig_atomic_t is_raw;

void hv_term_restore(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	/* Not TCSADRAIN: output stopped by the user would keep us here. */
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

static void on_crash(int sig)
{
	hv_term_restore();
	/* SA_RESETHAND: this time it kills. */
	raise(sig);
}

static void watch_ways_out(void)
{
	static bool watched;
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND };

	if (watched)
		return;
	watched = true;
	atexit(hv_term_restore);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
}

bool hv_term_raw(void)
{
	struct termios raw;

	if (is_raw)
		return true;
	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return false;
	if (tcgetattr(STDIN_FILENO, &saved))
		return false;
	watch_ways_out();
	raw = saved;
	cfmakeraw(&raw);
	/* Our own messages still need their carriage returns. */
	raw.c_oflag |= OPOST;
	is_raw = 1;
	if (!tcsetattr(STDIN_FILENO, TCSANOW, &raw))
		return true;
	is_raw = 0;
	return false;
}
