// SPDX-License-Identifier: GPL-2.0-only
/* Connections to daemons, by a process of their own. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"
#include "lib/fds.h"
#include "lib/util.h"

/* Longer than a daemon may take to start, or to answer. */
#define TIMEOUT_MS 15000
#define SOCKET_FD 3

enum request { CONNECT = 'c', LOST = 'l' };

struct reply {
	int error;
	char text[sizeof(((struct hv_error *)0)->text)];
};

/* -------------------------------------------------------------- the process */

static void send_reply(const struct reply *reply, int fd)
{
	(void)!hv_send_fds(SOCKET_FD, reply, sizeof(*reply), &fd, fd >= 0, MSG_NOSIGNAL);
}

static void do_connect(const struct hv_broker *broker)
{
	struct reply reply = { 0 };
	struct hv_error err = { 0 };
	int fd = broker->source.connect(broker->source.ctx, &err);

	reply.error = fd < 0 ? fd : 0;
	memcpy(reply.text, err.text, sizeof(reply.text));
	send_reply(&reply, fd);
	hv_close(fd);
}

static void do_lost(const struct hv_broker *broker)
{
	struct reply reply = { 0 };
	int fd = -1;

	if (broker->source.lost)
		fd = broker->source.lost(broker->source.ctx, reply.text, sizeof(reply.text));
	send_reply(&reply, fd);
	hv_close(fd);
}

struct process {
	const struct hv_broker *broker;
	struct hv_loop loop;
	struct hv_watch watch;
};

static void on_request(void *ctx, short revents)
{
	struct process *process = ctx;
	char request;

	(void)revents;
	if (read(SOCKET_FD, &request, 1) != 1)
		hv_loop_stop(&process->loop);
	else if (request == CONNECT)
		do_connect(process->broker);
	else
		do_lost(process->broker);
}

/* What others wait for the end of we have no part in: nothing of theirs stays open here. */
static void drop_inherited(int fd)
{
	int null = open("/dev/null", O_RDWR);

	/* Out of the way of what comes next. */
	fd = fcntl(fd, F_DUPFD, SOCKET_FD + 1);
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		dup2(null, i);
	dup2(fd, SOCKET_FD);
	fcntl(SOCKET_FD, F_SETFD, FD_CLOEXEC);
	syscall(SYS_close_range, SOCKET_FD + 1, ~0u, 0);
}

/* In a session of its own no key of the terminal's ends it before us. */
static void __attribute__((noreturn)) be_broker(const struct hv_broker *broker, int fd)
{
	struct process process = { .broker = broker };
	struct hv_error err;
	sigset_t none;

	setsid();
	prctl(PR_SET_NAME, "hvctl-broker");
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	drop_inherited(fd);
	process.watch = (struct hv_watch){
		.fd = SOCKET_FD,
		.ready = on_request,
		.ctx = &process,
	};
	if (hv_loop_init(&process.loop, &err))
		_exit(1);
	hv_loop_add(&process.loop, &process.watch);
	if (broker->log)
		hv_loop_add(&process.loop, broker->log);
	(void)hv_loop_run(&process.loop);
	if (broker->source.lost)
		(void)broker->source.lost(broker->source.ctx, NULL, 0);
	_exit(0);
}

/* ------------------------------------------------------------------ for us */

int hv_broker_start(struct hv_broker *broker, struct hv_error *err)
{
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return hv_fail(err, errno, "no sockets: %s; close something, or raise ulimit -n",
			       strerror(errno));
	broker->pid = fork();
	if (!broker->pid)
		be_broker(broker, ends[1]);
	error = broker->pid < 0 ? errno : 0;
	close(ends[1]);
	broker->fd = ends[0];
	return error ? hv_fail(err, error, "no process for its daemon: %s; raise ulimit -u",
			       strerror(error)) :
		       0;
}

/* It sees that we are gone, ends its daemon, and then itself. */
void hv_broker_exit(struct hv_broker *broker)
{
	hv_close(broker->fd);
	broker->fd = -1;
	if (broker->pid > 0)
		while (waitpid(broker->pid, NULL, 0) < 0 && errno == EINTR)
			;
	broker->pid = -1;
}

static int receive(int from, struct reply *reply, int *fd)
{
	struct pollfd poller = { .fd = from, .events = POLLIN };
	ssize_t got;

	if (poll(&poller, 1, TIMEOUT_MS) <= 0)
		return -ETIMEDOUT;
	got = hv_receive_fd(from, reply, sizeof(*reply), fd, 0);
	if (got < 0)
		return -errno;
	if (got == sizeof(*reply))
		return 0;
	hv_close(*fd);
	return -EPIPE;
}

/* An answer that came too late for one who asked before him is nobody's. */
static void drop_late_replies(int from)
{
	struct pollfd poller = { .fd = from, .events = POLLIN };
	struct reply reply;
	int fd;

	while (poll(&poller, 1, 0) > 0 && !receive(from, &reply, &fd))
		hv_close(fd);
}

static int ask(const struct hv_broker *broker, char request, struct reply *reply, int *fd)
{
	drop_late_replies(broker->fd);
	if (send(broker->fd, &request, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	return receive(broker->fd, reply, fd);
}

int hv_broker_connect(void *ctx, struct hv_error *err)
{
	struct reply reply;
	int fd = -1, error = ask(ctx, CONNECT, &reply, &fd);

	if (error)
		return hv_fail(err, -error,
			       "nobody starts its daemon any more: %s; start the VM anew",
			       strerror(-error));
	if (reply.error)
		return hv_fail(err, -reply.error, "%.*s", (int)sizeof(reply.text) - 1, reply.text);
	return fd;
}

int hv_broker_lost(void *ctx, char *why, size_t room)
{
	struct reply reply;
	int fd = -1;
	size_t len = strlen(why);

	if (!ask(ctx, LOST, &reply, &fd))
		snprintf(why + len, room - len, "%.*s", (int)sizeof(reply.text) - 1, reply.text);
	return fd;
}
