// SPDX-License-Identifier: GPL-2.0-only
/* hvctl gdb: gdb on a VM's guest, and the pipe by which it speaks to the VM. */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command.h"
#include "lib/status.h"
#include "lib/util.h"
#include "reach.h"

struct order {
	const char *name;
	const char *arch;		/* NULL: as the VM thinks best */
	bool pipe;
	char **more;			/* gdb's arguments, ... */
	int count;			/* ... so many */
};

enum { OPT_PIPE = 'p', OPT_ARCH = 0x100 };

static const struct argp_option options[] = {
	{ "arch", OPT_ARCH, "i8086|i386|x86-64", 0,
	  "what the guest's program is made for (default: what it looks like)", 0 },
	{ "pipe", OPT_PIPE, NULL, 0, "start no gdb; speak its protocol on the standard streams",
	  0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;

	switch (key) {
	case OPT_PIPE:
		order->pipe = true;
		return 0;
	case OPT_ARCH:
		order->arch = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (order->name)
			return ARGP_ERR_UNKNOWN;
		order->name = arg;
		return 0;
	case ARGP_KEY_ARGS:
		if (order->pipe)
			hv_command_no_argument(state, state->argv[state->next]);
		order->more = state->argv + state->next;
		order->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!order->name)
			hv_command_no_name(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp hv_argp_gdb = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME [-- GDB-ARGUMENT...]",
	.doc = "Debug a VM's guest by gdb. It stands still from then on, until it is told to continue.\v"
	       "Without arguments for gdb it gets the VM's image, which may have symbols. What 'monitor "
	       "help' lists are commands for the VM. When gdb leaves, the guest goes on. 'hvctl run -S' "
	       "starts a VM that waits for it.",
};

/* --------------------------------------------------------------------- pipe */

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		struct pollfd room = { fd, POLLOUT, 0 };
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EAGAIN)
			(void)poll(&room, 1, -1);
		else if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* What there is. False: no more will come, or nobody takes it. */
static bool pass(int from, int to)
{
	char data[4096];
	ssize_t n = read(from, data, sizeof(data));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	return n && write_all(to, data, (size_t)n);
}

/* Until one side closes. */
static void relay(int fd)
{
	struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 }, { fd, POLLIN, 0 } };

	for (;;) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (fds[1].revents && !pass(fd, STDOUT_FILENO))
			return;
		if (fds[0].revents && !pass(STDIN_FILENO, fd))
			return;
	}
}

static int open_debugger(const struct order *order, struct hv_client *client, struct hv_error *err)
{
	json_t *reply = NULL;
	int error = hv_reach(client, order->name, err);

	if (!error)
		error = hv_client_call(
			client, json_pack("{s:s, s:s*}", "request", "gdb", "arch", order->arch),
			&reply, err);
	json_decref(reply);
	return error;
}

static int run_pipe(const char *command, const struct order *order)
{
	struct hv_client client;
	struct hv_error err;
	int status = HV_STATUS_OK;

	if (open_debugger(order, &client, &err)) {
		status = hv_reach_fail(command, order->name, &err);
	} else {
		/* It may have come with the reply. */
		if (write_all(STDOUT_FILENO, client.in, client.len))
			relay(client.fd);
	}
	hv_client_close(&client);
	return status;
}

/* ---------------------------------------------------------------------- gdb */

/* Within single quotes, for the shell that gdb has do it; NULL: no memory. */
static char *quote(const char *text)
{
	char *quoted = malloc(4 * strlen(text) + 3), *to = quoted;

	if (!quoted)
		return NULL;
	*to++ = '\'';
	for (; *text; text++)
		to = *text == '\'' ? stpcpy(to, "'\\''") : (*to = *text, to + 1);
	strcpy(to, "'");
	return quoted;
}

static char *make_target(const struct order *order, const char *name)
{
	char self[4096], *words[3], *target = NULL;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len < 0 ? 0 : len] = 0;
	words[0] = quote(len < 0 ? "hvctl" : self);
	words[1] = quote(order->arch ?: "");
	words[2] = quote(name);
	if (!words[0] || !words[1] || !words[2] ||
	    asprintf(&target, "target remote | %s gdb --pipe%s%s %s", words[0],
		     order->arch ? " --arch " : "", order->arch ? words[1] : "", words[2]) < 0)
		target = NULL;
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		free(words[i]);
	return target;
}

/* Its name, and its image, to be freed: what gdb reads symbols from. */
static int ask(const struct order *order, char name[HV_NAME_MAX + 1], char **image,
	       struct hv_error *err)
{
	struct hv_client client;
	json_t *reply = NULL;
	int error = hv_reach(&client, order->name, err);

	if (!error)
		error = hv_client_call(&client, json_pack("{s:s}", "request", "status"), &reply,
				       err);
	if (!error) {
		memcpy(name, client.name, HV_NAME_MAX + 1);
		*image = strdup(json_string_value(json_object_get(reply, "image")) ?: "");
	}
	json_decref(reply);
	hv_client_close(&client);
	return error;
}

static bool is_elf(const char *path)
{
	char magic[4] = "";
	FILE *file = fopen(path, "r");
	bool is = file && fread(magic, sizeof(magic), 1, file) == 1 &&
		  !memcmp(magic, "\177ELF", sizeof(magic));

	if (file)
		fclose(file);
	return is;
}

/* Become gdb. It returns where there is none. */
static void start_gdb(const char *command, const struct order *order, char *target, char *image)
{
	char **argv = calloc((size_t)order->count + 6, sizeof(*argv));
	int argc = 0;

	if (!target || !image || !argv) {
		fprintf(stderr, "%s: no memory; close something\n", command);
		free(argv);
		return;
	}
	argv[argc++] = (char *)"gdb";
	argv[argc++] = (char *)"-q";
	argv[argc++] = (char *)"-ex";
	argv[argc++] = target;
	if (!order->count && is_elf(image))
		argv[argc++] = image;
	for (int i = 0; i < order->count; i++)
		argv[argc++] = order->more[i];
	execvp(argv[0], argv);
	fprintf(stderr, "%s: gdb: %s; install the package gdb\n", command, strerror(errno));
	free(argv);
}

static int run_gdb(const char *command, const struct order *order)
{
	char name[HV_NAME_MAX + 1], *image = NULL, *target;
	struct hv_error err;

	if (ask(order, name, &image, &err))
		return hv_reach_fail(command, order->name, &err);
	target = make_target(order, name);
	start_gdb(command, order, target, image);
	free(target);
	free(image);
	return HV_STATUS_ERROR;
}

int hv_cmd_gdb(int argc, char **argv)
{
	struct order order = { .name = NULL };

	hv_command_parse(&hv_argp_gdb, argc, argv, &order);
	return order.pipe ? run_pipe(argv[0], &order) : run_gdb(argv[0], &order);
}
