// SPDX-License-Identifier: GPL-2.0-only
/* Signals as events. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/util.h"
#include "signals.h"

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };

static bool is_ignored(int sig)
{
	struct sigaction action;

	return !sigaction(sig, NULL, &action) && action.sa_handler == SIG_IGN;
}

static void on_signals(void *ctx, short revents)
{
	struct hv_signals *signals = ctx;
	struct signalfd_siginfo info;

	(void)revents;
	while (read(signals->watch.fd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTSTP:
			signals->stop(signals->ctx);
			raise(SIGSTOP);
			break;
		case SIGCONT:
			signals->cont(signals->ctx);
			break;
		case SIGWINCH:
			if (signals->resized)
				signals->resized(signals->ctx);
			break;
		default:
			signals->deadly(signals->ctx, info.ssi_signo);
		}
	}
}

int hv_signals_open(struct hv_signals *signals, struct hv_loop *loop, struct hv_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		if (!is_ignored(caught[i]))
			sigaddset(&set, caught[i]);
	signal(SIGPIPE, SIG_IGN);
	/* A file that may not grow so far is an error, and no end. */
	signal(SIGXFSZ, SIG_IGN);
	pthread_sigmask(SIG_BLOCK, &set, &signals->before);
	signals->watch = (struct hv_watch){
		.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		.ready = on_signals,
		.ctx = signals,
	};
	if (signals->watch.fd < 0)
		return hv_fail(err, errno, "no file descriptor for signals: %s; raise ulimit -n",
			       strerror(errno));
	hv_loop_add(loop, &signals->watch);
	return 0;
}

void hv_signals_close(struct hv_signals *signals, struct hv_loop *loop)
{
	if (signals->watch.fd < 0)
		return;
	hv_loop_remove(loop, &signals->watch);
	close(signals->watch.fd);
	signals->watch.fd = -1;
	pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
}

void hv_signals_die(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + sig);
}
