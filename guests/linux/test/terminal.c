// SPDX-License-Identifier: GPL-2.0-only
/* A program on a terminal of its own. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "tap.h"
#include "terminal.h"

#define NS_PER_S 1000000000ULL
/* The end of a program wakes nobody who waits for its terminal: look now and then. */
#define SLICE_MS 200

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

void terminal_start(struct terminal *terminal, char *const argv[])
{
	struct winsize size = { .ws_row = 25, .ws_col = 100 };

	terminal->len = 0;
	terminal->seen = 0;
	must(openpty(&terminal->fd, &terminal->program_fd, NULL, NULL, &size));
	must(tcgetattr(terminal->program_fd, &terminal->before));
	must(fcntl(terminal->fd, F_SETFL, O_NONBLOCK));
	terminal->pid = must(fork());
	if (terminal->pid)
		return;
	close(terminal->fd);
	login_tty(terminal->program_fd);
	execvp(argv[0], argv);
	_exit(127);
}

/* Keep what there is to read. */
static void take(struct terminal *terminal)
{
	ssize_t n = read(terminal->fd, terminal->text + terminal->len, TERMINAL_TEXT - 1 - terminal->len);

	if (n < 0 && errno != EAGAIN && errno != EIO)
		bail("read from the terminal: %m");
	if (n <= 0)
		return;
	/* A NUL would end the text for strstr(). */
	for (ssize_t i = 0; i < n; i++)
		if (!terminal->text[terminal->len + i])
			terminal->text[terminal->len + i] = '?';
	terminal->len += n;
	terminal->text[terminal->len] = '\0';
	if (terminal->len == TERMINAL_TEXT - 1)
		bail("the program says too much");
}

static int slice(uint64_t now, uint64_t end)
{
	uint64_t ms = end > now ? (end - now) / 1000000 + 1 : 0;

	return ms < SLICE_MS ? ms : SLICE_MS;
}

/* Wait for something to read, or for room if there is @more to write. */
static short wait_ready(const struct terminal *terminal, bool more, int timeout_ms)
{
	struct pollfd fd = { terminal->fd, POLLIN | (more ? POLLOUT : 0), 0 };

	return poll(&fd, 1, timeout_ms) > 0 ? fd.revents : 0;
}

void terminal_type(struct terminal *terminal, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		short ready = wait_ready(terminal, true, -1);
		ssize_t n = ready & POLLOUT ? write(terminal->fd, text, left) : 0;

		if (n < 0 && errno != EAGAIN)
			bail("write to the terminal: %m");
		if (n > 0) {
			text += n;
			left -= n;
		}
		if (ready & POLLIN)
			take(terminal);
	}
}

static bool is_running(const struct terminal *terminal)
{
	siginfo_t info = { .si_pid = 0 };

	return !waitid(P_PID, terminal->pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

const char *terminal_wait(struct terminal *terminal, const char *text, unsigned int seconds)
{
	uint64_t end = now_ns() + seconds * NS_PER_S;

	terminal->text[terminal->len] = '\0';
	for (;;) {
		const char *found = strstr(terminal->text + terminal->seen, text);
		uint64_t now = now_ns();
		bool running = is_running(terminal);

		if (found) {
			terminal->seen = found + strlen(text) - terminal->text;
			terminal->seen_ns = now;
			return found;
		}
		if (wait_ready(terminal, false, running ? slice(now, end) : 0) & POLLIN)
			take(terminal);
		else if (!running || now >= end)
			return NULL;
	}
}

void terminal_idle(struct terminal *terminal, unsigned int seconds)
{
	uint64_t end = now_ns() + seconds * NS_PER_S;

	for (uint64_t now = now_ns(); now < end; now = now_ns())
		if (wait_ready(terminal, false, (end - now) / 1000000 + 1) & POLLIN)
			take(terminal);
}

int terminal_end(struct terminal *terminal, unsigned int seconds)
{
	uint64_t end = now_ns() + seconds * NS_PER_S;
	bool ended;
	int status;

	while (is_running(terminal) && now_ns() < end)
		if (wait_ready(terminal, false, SLICE_MS) & POLLIN)
			take(terminal);
	ended = !is_running(terminal);
	if (!ended)
		kill(terminal->pid, SIGKILL);
	must(waitpid(terminal->pid, &status, 0));
	while (wait_ready(terminal, false, 0) & POLLIN)
		take(terminal);
	if (!ended)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool terminal_is_restored(const struct terminal *terminal)
{
	struct termios now;

	must(tcgetattr(terminal->program_fd, &now));
	return now.c_iflag == terminal->before.c_iflag && now.c_oflag == terminal->before.c_oflag &&
	       now.c_cflag == terminal->before.c_cflag && now.c_lflag == terminal->before.c_lflag &&
	       !memcmp(now.c_cc, terminal->before.c_cc, sizeof(now.c_cc));
}

void terminal_close(struct terminal *terminal)
{
	close(terminal->fd);
	close(terminal->program_fd);
}
