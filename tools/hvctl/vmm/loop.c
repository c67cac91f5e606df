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

static void on_input(struct hv_machine *machine, struct hv_console *console)
{
	pthread_mutex_lock(&machine->lock);
	hv_console_read(console);
	hv_console_feed(console);
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

/* Behind the four: input and output of each console. */
enum { POLL_SIGNAL, POLL_STOP, POLL_WAKE, POLL_TIMER, POLL_CONSOLES };

#define MAX_POLL (POLL_CONSOLES + 2 * (1 + HV_PC_COM_PORTS))

/* poll() passes over negative descriptors. */
static void prepare_console(struct hv_machine *machine, struct hv_console *console,
			    struct pollfd fds[2])
{
	bool wants_input;

	pthread_mutex_lock(&machine->lock);
	wants_input = hv_console_wants_input(console);
	pthread_mutex_unlock(&machine->lock);
	fds[0] = (struct pollfd){ wants_input ? console->config.in_fd : -1, POLLIN, 0 };
	fds[1] = (struct pollfd){ hv_console_pending(console) ? console->config.out_fd : -1,
				  POLLOUT, 0 };
}

/* Returns how many there are. */
static nfds_t prepare(struct hv_machine *machine, int signal_fd, struct pollfd fds[MAX_POLL])
{
	fds[POLL_SIGNAL] = (struct pollfd){ signal_fd, POLLIN, 0 };
	fds[POLL_STOP] = (struct pollfd){ machine->stop_fd, POLLIN, 0 };
	fds[POLL_WAKE] = (struct pollfd){ machine->wake_fd, POLLIN, 0 };
	fds[POLL_TIMER] = (struct pollfd){ machine->timer_fd, POLLIN, 0 };
	for (unsigned int i = 0; i < machine->nr_consoles; i++)
		prepare_console(machine, machine->consoles[i], &fds[POLL_CONSOLES + 2 * i]);
	return POLL_CONSOLES + 2 * machine->nr_consoles;
}

static void on_consoles(struct hv_machine *machine, const struct pollfd *fds)
{
	for (unsigned int i = 0; i < machine->nr_consoles; i++) {
		if (fds[2 * i].revents)
			on_input(machine, machine->consoles[i]);
		if (fds[2 * i + 1].revents)
			hv_console_drain(machine->consoles[i]);
	}
}

void hv_loop_run(struct hv_machine *machine, int signal_fd)
{
	struct pollfd fds[MAX_POLL];

	while (!atomic_load(&machine->ended)) {
		nfds_t count = prepare(machine, signal_fd, fds);

		if (poll(fds, count, -1) < 0)
			continue;
		if (fds[POLL_SIGNAL].revents)
			on_signals(machine, signal_fd);
		if (fds[POLL_WAKE].revents)
			empty_eventfd(machine->wake_fd);
		if (fds[POLL_TIMER].revents)
			on_timers(machine);
		on_consoles(machine, &fds[POLL_CONSOLES]);
	}
}
