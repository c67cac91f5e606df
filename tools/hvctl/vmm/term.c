// SPDX-License-Identifier: GPL-2.0-only
/* The terminal's modes. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lib/util.h"
#include "stream.h"
#include "term.h"

/* Larger ones are no terminals that anybody looks at, and cost memory. */
#define MAX_ROWS 256u
#define MAX_COLUMNS 512u
#define LOOK_AGAIN_NS 500000000ULL

static struct termios saved;
static volatile sig_atomic_t is_raw;
static volatile sig_atomic_t leave_fd = -1;
static char leave_text[128];

bool hv_term_exists(void)
{
	return isatty(STDIN_FILENO);
}

static unsigned int size_within(unsigned int told, unsigned int otherwise, unsigned int limit)
{
	if (!told)
		return otherwise;
	return told < limit ? told : limit;
}

void hv_term_size(unsigned int *rows, unsigned int *columns)
{
	struct winsize size = { 0 };

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*rows = size_within(size.ws_row, 24, MAX_ROWS);
	*columns = size_within(size.ws_col, 80, MAX_COLUMNS);
}

/* A terminal that controls nobody, or another session, has no background jobs. */
static bool is_foreground(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	return group < 0 || group == getpgrp();
}

/* Between the look and the call we may have gone to the background: no stop for that. */
static bool set_modes(const struct termios *modes)
{
	sigset_t set, before;
	bool done;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, &before);
	/* Not TCSADRAIN: output stopped by the user would keep us here. */
	done = !tcsetattr(STDIN_FILENO, TCSANOW, modes);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return done;
}

void hv_term_set_leave(int fd, const char *text)
{
	leave_fd = -1;
	strncpy(leave_text, text, sizeof(leave_text) - 1);
	leave_fd = fd;
}

static void leave(void)
{
	if (leave_fd >= 0)
		(void)!write(leave_fd, leave_text, strlen(leave_text));
}

void hv_term_restore(void)
{
	hv_stream_lend_shared(true);
	if (!is_raw)
		return;
	is_raw = 0;
	if (!is_foreground())
		return;
	leave();
	(void)set_modes(&saved);
}

static void on_deadly_signal(int sig)
{
	hv_term_restore();
	/* SA_RESETHAND: this time it kills. */
	raise(sig);
}

static bool is_default(int sig)
{
	struct sigaction action;

	return !sigaction(sig, NULL, &action) && action.sa_handler == SIG_DFL;
}

/*
 * All that kill by default. Those that the event loop waits for will be blocked and come by
 * its descriptor; what is ignored, or handled by others, stays so.
 */
void hv_term_watch_ways_out(void)
{
	static const int harmless[] = { SIGCHLD, SIGCONT, SIGSTOP,  SIGTSTP, SIGTTIN,
					SIGTTOU, SIGURG,  SIGWINCH, SIGKILL };
	struct sigaction action = { .sa_handler = on_deadly_signal, .sa_flags = SA_RESETHAND };
	sigset_t leave;

	atexit(hv_term_restore);
	sigemptyset(&leave);
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		sigaddset(&leave, harmless[i]);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (!sigismember(&leave, sig) && is_default(sig))
			sigaction(sig, &action, NULL);
}

/* Returns whether it is raw now. */
static bool make_raw(void)
{
	struct termios raw;

	if (!is_raw && tcgetattr(STDIN_FILENO, &saved))
		return false;
	hv_stream_lend_shared(false);
	raw = saved;
	cfmakeraw(&raw);
	/* Our own messages still need their carriage returns. */
	raw.c_oflag |= OPOST;
	is_raw = 1;
	if (!set_modes(&raw))
		is_raw = 0;
	return is_raw;
}

void hv_term_refresh(struct hv_term *term)
{
	struct hv_clock *clock = &term->loop->clock;
	bool ours = is_foreground();

	if (ours)
		ours = make_raw();
	else
		hv_timer_arm(clock, &term->timer, hv_now_ns(clock) + LOOK_AGAIN_NS);
	term->changed(term->ctx, ours);
}

static void look_again(void *dev)
{
	hv_term_refresh(dev);
}

void hv_term_open(struct hv_term *term)
{
	term->timer = (struct hv_timer){ .fn = look_again, .dev = term };
	hv_term_refresh(term);
}

void hv_term_close(struct hv_term *term)
{
	hv_timer_cancel(&term->loop->clock, &term->timer);
	hv_term_restore();
}
