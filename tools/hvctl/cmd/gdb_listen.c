// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl gdb --listen: debuggers come by a socket to a VM that runs. Who comes is served by a
 * process of its own, and is a client of the control channel like any other.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "debug/gdb_packet.h"
#include "gdb_relay.h"
#include "lib/fds.h"
#include "lib/status.h"
#include "lib/util.h"
#include "reach.h"

/* At once: one that debugs, and who is being told so. The others wait. */
#define SERVED_MAX 8
/* A debugger says at once what it is; who is told no has so long to read it. */
#define HEAR_MS 5000
/* Until it is looked again who comes, when the host had nothing to let him in with. */
#define DEAF_MS 1000

struct service {
	const char *command, *arch;
	struct hv_client vm;		/* which tells of its end */
	struct hv_listener listener;
	int signals;			/* a signalfd */
	sigset_t before;		/* what was blocked then */
	unsigned int served;		/* processes that there are */
};

/* ----------------------------------------------------------- one who has come */

/* Its first bytes, up to a packet: how many; 0: it has gone, is silent, or is no debugger. */
static size_t hear(int fd, char *data, size_t room)
{
	enum hv_gdb_hello hello;
	size_t len = 0;

	do {
		struct pollfd ready = { fd, POLLIN, 0 };
		ssize_t n = poll(&ready, 1, HEAR_MS) <= 0 ? 0 : recv(fd, data + len, room - len, 0);

		if (n <= 0)
			return 0;
		len += (size_t)n;
		hello = hv_gdb_hello(data, len, room);
	} while (hello == HV_GDB_HELLO_MORE);
	return hello == HV_GDB_HELLO_YES ? len : 0;
}

static void serve(const struct service *service, int fd)
{
	char said[4096], answer[HV_GDB_REFUSAL_MAX];
	size_t len = hear(fd, said, sizeof(said));
	struct hv_client client;
	struct hv_error err;

	if (!len)
		return;
	if (hv_reach_named(&client, service->vm.name, &err) ||
	    hv_gdb_ask(&client, service->arch, &err)) {
		/* It is read before the next packet comes: then this may be closed. */
		if (hv_gdb_send(fd, answer, hv_gdb_refusal(answer, err.text)))
			(void)hear(fd, said, sizeof(said));
		return;
	}
	if (hv_gdb_send(client.fd, said, len))
		hv_gdb_relay(fd, fd, &client);
}

/* Its debugger goes with us. */
static void serve_alone(const struct service *service, int fd, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent ||
	    sigprocmask(SIG_SETMASK, &service->before, NULL))
		_exit(HV_STATUS_ERROR);
	close(service->listener.fd);
	close(service->vm.fd);
	close(service->signals);
	serve(service, fd);
	_exit(HV_STATUS_OK);
}

static void let_in(struct service *service)
{
	pid_t pid, parent = getpid();
	int fd = hv_listener_accept(&service->listener, &pid);

	if (fd < 0) {
		if (fd != -EAGAIN && fd != -EPERM)
			poll(NULL, 0, DEAF_MS);
		return;
	}
	pid = fork();
	if (!pid)
		serve_alone(service, fd, parent);
	if (pid < 0)
		fprintf(stderr, "%s: %s: no process: %s; see ulimit -u\n", service->command,
			service->vm.name, strerror(errno));
	service->served += pid > 0;
	close(fd);
}

/* -------------------------------------------------------------------- service */

/* Returns the signal that ends us; 0: none has come. */
static int take_signal(struct service *service)
{
	struct signalfd_siginfo info;

	if (read(service->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo != SIGCHLD)
		return (int)info.ssi_signo;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		service->served--;
	return 0;
}

/* Returns the signal that has ended it; 0: the VM has. */
static int run(struct service *service)
{
	for (;;) {
		struct pollfd fds[] = { { service->signals, POLLIN, 0 },
					{ service->vm.fd, POLLIN, 0 },
					{ service->listener.fd, POLLIN, 0 } };
		int signal;

		if (poll(fds, service->served < SERVED_MAX ? 3 : 2, -1) < 0)
			continue;
		signal = fds[0].revents ? take_signal(service) : 0;
		if (signal || fds[1].revents)
			return signal;
		if (fds[2].revents)
			let_in(service);
	}
}

static int open_signals(struct service *service, struct hv_error *err)
{
	static const int numbers[] = { SIGCHLD, SIGHUP, SIGINT, SIGTERM };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, &service->before);
	service->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (service->signals >= 0)
		return 0;
	return hv_fail(err, errno, "no signals: %s; close something", strerror(errno));
}

static int ask_for_end(struct service *service, const char *name, struct hv_error *err)
{
	json_t *reply = NULL;
	int error = hv_reach(&service->vm, name, err);

	if (!error)
		error = hv_client_call(&service->vm, json_pack("{s:s}", "request", "wait"), &reply,
				       err);
	json_decref(reply);
	return error;
}

static void tell(const struct service *service)
{
	const struct hv_address *address = &service->listener.address;

	if (address->path)
		printf("%s: target remote %s\n", service->vm.name, address->path);
	else
		printf("%s: target remote 127.0.0.1:%u\n", service->vm.name, address->port);
	fflush(stdout);
	hv_listener_warn(&service->listener, service->command);
}

/* As whoever has sent it means it. */
static void die(const struct service *service, int number)
{
	signal(number, SIG_DFL);
	raise(number);
	sigprocmask(SIG_SETMASK, &service->before, NULL);
}

int hv_gdb_listen(const char *command, const char *name, const char *arch,
		  const struct hv_address *address, struct hv_error *err)
{
	struct service service = { .command = command, .arch = arch, .listener.fd = -1 };
	int error = ask_for_end(&service, name, err), signal, status = HV_STATUS_ERROR;

	if (!error)
		error = open_signals(&service, err);
	if (!error)
		error = hv_listener_open(&service.listener, address, err);
	if (error) {
		hv_client_close(&service.vm);
		return error;
	}
	tell(&service);
	signal = run(&service);
	hv_listener_remove(&service.listener);
	hv_listener_close(&service.listener);
	if (signal)
		die(&service, signal);
	error = hv_reach_end(&service.vm, &status, err);
	hv_client_close(&service.vm);
	return error ? error : status;
}
