// SPDX-License-Identifier: GPL-2.0-only
/* The event loop of the main thread. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "loop.h"
#include "term.h"

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

static bool is_ignored(int sig)
{
	struct sigaction action;

	return !sigaction(sig, NULL, &action) && action.sa_handler == SIG_IGN;
}

int hv_loop_catch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		if (!is_ignored(caught[i]))
			sigaddset(&set, caught[i]);
	/* A closed pipe is told by write(), where something can be done about it. */
	signal(SIGPIPE, SIG_IGN);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

void hv_loop_die(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + sig);
}

/* Ctrl-Z from elsewhere (kill -TSTP): the shell must get its terminal as it was. */
static void stop_ourselves(struct hv_machine *machine)
{
	hv_term_restore();
	raise(SIGSTOP);
	if (machine->console.config.raw)
		hv_term_raw();
}

static void on_signals(struct hv_machine *machine, int signal_fd)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTSTP)
			stop_ourselves(machine);
		else
			hv_machine_end(machine, HV_END_SIGNAL, info.ssi_signo, "%s", "");
	}
}

static void on_input(struct hv_machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	hv_console_read(&machine->console);
	hv_console_feed(&machine->console);
	pthread_mutex_unlock(&machine->lock);
}

static void on_timers(struct hv_machine *machine)
{
	uint64_t expirations;

	(void)!read(machine->timer_fd, &expirations, sizeof(expirations));
	pthread_mutex_lock(&machine->lock);
	hv_clock_run(&machine->clock);
	machine->clock.rearm(&machine->clock);
	pthread_mutex_unlock(&machine->lock);
}

static void empty_eventfd(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}

enum { POLL_SIGNAL, POLL_STOP, POLL_WAKE, POLL_TIMER, POLL_INPUT, POLL_OUTPUT, NR_POLL };

static void prepare(struct hv_machine *machine, int signal_fd, struct pollfd fds[NR_POLL])
{
	const struct hv_console *console = &machine->console;
	bool wants_input;

	pthread_mutex_lock(&machine->lock);
	wants_input = hv_console_wants_input(console);
	pthread_mutex_unlock(&machine->lock);
	fds[POLL_SIGNAL] = (struct pollfd){ signal_fd, POLLIN, 0 };
	fds[POLL_STOP] = (struct pollfd){ machine->stop_fd, POLLIN, 0 };
	fds[POLL_WAKE] = (struct pollfd){ machine->wake_fd, POLLIN, 0 };
	fds[POLL_TIMER] = (struct pollfd){ machine->timer_fd, POLLIN, 0 };
	/* poll() passes over negative descriptors. */
	fds[POLL_INPUT] = (struct pollfd){ wants_input ? console->config.in_fd : -1, POLLIN, 0 };
	fds[POLL_OUTPUT] = (struct pollfd){ hv_console_pending(&machine->console) ? console->config.out_fd : -1,
					    POLLOUT, 0 };
}

void hv_loop_run(struct hv_machine *machine, int signal_fd)
{
	struct pollfd fds[NR_POLL];

	while (!atomic_load(&machine->ended)) {
		prepare(machine, signal_fd, fds);
		if (poll(fds, NR_POLL, -1) < 0)
			continue;
		if (fds[POLL_SIGNAL].revents)
			on_signals(machine, signal_fd);
		if (fds[POLL_WAKE].revents)
			empty_eventfd(machine->wake_fd);
		if (fds[POLL_TIMER].revents)
			on_timers(machine);
		if (fds[POLL_INPUT].revents)
			on_input(machine);
		if (fds[POLL_OUTPUT].revents)
			hv_console_drain(&machine->console);
	}
}
