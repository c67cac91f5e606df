// SPDX-License-Identifier: GPL-2.0-only
/* hvctl gdb: gdb on a VM's guest, and what it speaks to the VM by. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "gdb_relay.h"
#include "lib/status.h"
#include "lib/util.h"
#include "reach.h"

struct order {
	const char *name;
	const char *arch;		/* NULL: as the VM thinks best */
	bool pipe, listen;
	struct hv_address address;	/* with @listen */
	char **more;			/* gdb's arguments, ... */
	int count;			/* ... so many */
};

enum { OPT_LISTEN = 'l', OPT_PIPE = 'p', OPT_ARCH = 0x100 };

static const struct argp_option options[] = {
	{ "arch", OPT_ARCH, "i8086|i386|x86-64", 0,
	  "what the guest's program is made for (default: what it looks like)", 0 },
	{ "listen", OPT_LISTEN, "ADDRESS", 0,
	  "start no gdb; have others connect to unix:PATH, or to a port of 127.0.0.1", 0 },
	{ "pipe", OPT_PIPE, NULL, 0, "start no gdb; speak its protocol on the standard streams",
	  0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;
	struct hv_error err;

	switch (key) {
	case OPT_LISTEN:
		order->listen = true;
		if (hv_address_parse(&order->address, arg, &err))
			argp_failure(state, HV_STATUS_USAGE, 0, "--listen %s: %s", arg, err.text);
		return 0;
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
		if (order->pipe || order->listen)
			hv_command_no_argument(state, state->argv[state->next]);
		order->more = state->argv + state->next;
		order->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!order->name)
			hv_command_no_name(state);
		if (order->pipe && order->listen)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "--pipe and --listen: leave one of them out");
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

static int run_pipe(const char *command, const struct order *order)
{
	struct hv_client client;
	struct hv_error err;
	int status = HV_STATUS_OK;

	if (hv_reach(&client, order->name, &err) || hv_gdb_ask(&client, order->arch, &err))
		status = hv_reach_fail(command, order->name, &err);
	else
		hv_gdb_relay(STDIN_FILENO, STDOUT_FILENO, &client);
	hv_client_close(&client);
	return status;
}

static int run_listen(const char *command, const struct order *order)
{
	struct hv_error err;
	int status = hv_gdb_listen(command, order->name, order->arch, &order->address, &err);

	return status < 0 ? hv_reach_fail(command, order->name, &err) : status;
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
	/* One that is not told from / on may be of another directory, or standard input. */
	if (!order->count && *image == '/' && is_elf(image))
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
	if (order.listen)
		return run_listen(argv[0], &order);
	return order.pipe ? run_pipe(argv[0], &order) : run_gdb(argv[0], &order);
}
