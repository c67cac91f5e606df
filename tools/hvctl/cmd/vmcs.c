// SPDX-License-Identifier: GPL-2.0-only
/* hvctl vmcs: the VMCS of a VM that runs, or of a file: shown, saved, compared, watched. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "debug/vmcs.h"
#include "lib/status.h"
#include "lib/util.h"
#include "look.h"
#include "reach.h"
#include "vmx/vmcs_dump.h"

/* As diff(1) does */
#define STATUS_DIFFERENT 1

#define MAX_WORDS    3
#define INTERVAL_MAX 3600.0

struct order {
	char *word[MAX_WORDS];		/* the verb, and what it is about */
	unsigned int count;
	int vcpu;			/* -1: the first */
	double interval;		/* in seconds */
	unsigned int rounds;		/* 0: until the end */
	bool json;
	struct hv_error err;
};

/* ------------------------------------------------------------- command line */

enum { OPT_JSON = 'j', OPT_VCPU = 'c', OPT_INTERVAL = 'i', OPT_COUNT = 'n' };

static const struct argp_option options[] = {
	{ "json", OPT_JSON, NULL, 0, "for programs: an object; of watch one a line", 0 },
	{ "vcpu", OPT_VCPU, "N", 0, "of that vCPU, from 0 on (default 0)", 0 },
	{ "interval", OPT_INTERVAL, "SECONDS", 0, "watch: time between looks (default 1)", 0 },
	{ "count", OPT_COUNT, "N", 0, "watch: end after so many looks", 0 },
	{ 0 }
};

static unsigned int parse_count(struct argp_state *state, const char *option, const char *arg,
				unsigned long least, unsigned long most)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(arg, &end, 10);
	if (errno || end == arg || *end || *arg == '-' || value < least || value > most)
		argp_failure(state, HV_STATUS_USAGE, 0, "--%s %s: give a number from %lu to %lu",
			     option, arg, least, most);
	return (unsigned int)value;
}

static double parse_interval(struct argp_state *state, const char *arg)
{
	char *end;
	double value = strtod(arg, &end);

	if (end == arg || *end || !isfinite(value) || value < 0.01 || value > INTERVAL_MAX)
		argp_failure(state, HV_STATUS_USAGE, 0, "--interval %s: give 0.01 to %.0f seconds",
			     arg, INTERVAL_MAX);
	return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;

	switch (key) {
	case OPT_JSON:
		order->json = true;
		return 0;
	case OPT_VCPU:
		order->vcpu = (int)parse_count(state, "vcpu", arg, 0, UINT16_MAX);
		return 0;
	case OPT_INTERVAL:
		order->interval = parse_interval(state, arg);
		return 0;
	case OPT_COUNT:
		order->rounds = parse_count(state, "count", arg, 1, UINT32_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (order->count == MAX_WORDS)
			hv_command_no_argument(state, arg);
		order->word[order->count++] = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp hv_argp_vmcs = {
	.options = options,
	.parser = parse,
	.args_doc = "dump|save|diff|watch",
	.doc = "Look at the VMCS of one of a VM's vCPUs.\v"
	       "dump NAME             all fields, with what their bits say\n"
	       "save NAME [FILE]      as 'hvctl explain' reads it\n"
	       "diff NAME|FILE FILE   in what two differ, the VM's now or a file's, and a file's\n"
	       "watch NAME            what changes, every second\n\n"
	       "The VM stands still for each look, for a moment. What tells where the host has something "
	       "is not shown to others than root, nor of a VM that is in its sandbox. diff has "
	       "status 1 if there is a difference.",
};

/* ----------------------------------------------------------------- get one */

static int ask(struct order *order, struct hv_client *client, struct hv_vmcs *vmcs)
{
	json_t *reply, *request = json_pack("{s:s}", "request", "vmcs");
	int error;

	if (order->vcpu >= 0)
		json_object_set_new(request, "vcpu", json_integer(order->vcpu));
	error = hv_client_call(client, request, &reply, &order->err);
	if (error)
		return error;
	if (!hv_vmcs_unpack(vmcs, json_object_get(reply, "fields")))
		error = hv_fail(
			&order->err, EPROTO,
			"its VMCS is told otherwise; use the hvctl that it was started with");
	json_decref(reply);
	return error;
}

/* Of a VM; what is wrong is said. Returns the status. */
static int get_running(const char *command, struct order *order, const char *name,
		       struct hv_vmcs *vmcs)
{
	struct hv_client client;
	int status = HV_STATUS_OK;

	if (hv_reach(&client, name, &order->err)) {
		status = hv_reach_fail(command, name, &order->err);
	} else if (ask(order, &client, vmcs)) {
		hv_reach_fail(command, client.name, &order->err);
		status = HV_STATUS_ERROR;
	}
	hv_client_close(&client);
	return status;
}

static int get_file(const char *command, struct order *order, const char *path,
		    struct hv_vmcs *vmcs)
{
	FILE *in = fopen(path, "re");
	struct vmcs_source source;
	int error;

	if (in)
		error = vmcs_dump_read(in, &vmcs->fields, &vmcs->n, &source, &order->err);
	else
		error = hv_fail(&order->err, errno, "%m; name a VMCS dump");
	if (in)
		fclose(in);
	return error ? hv_reach_fail(command, path, &order->err) : HV_STATUS_OK;
}

/* A word that names a file is one. */
static int get_either(const char *command, struct order *order, const char *word,
		      struct hv_vmcs *vmcs)
{
	if (strchr(word, '/') || !access(word, F_OK))
		return get_file(command, order, word, vmcs);
	return get_running(command, order, word, vmcs);
}

/* ------------------------------------------------------------------- verbs */

static int print_json(json_t *value, size_t flags)
{
	int error = value ? json_dumpf(value, stdout, flags) : -1;

	json_decref(value);
	putchar('\n');
	return error;
}

static int dump(const char *command, struct order *order)
{
	struct hv_vmcs vmcs = { 0 };
	int status = get_running(command, order, order->word[1], &vmcs);

	if (status)
		return status;
	if (order->json)
		print_json(json_pack("{s:i, s:o}", "vcpu", order->vcpu < 0 ? 0 : order->vcpu,
				     "fields", hv_vmcs_json(&vmcs)),
			   JSON_INDENT(1));
	else
		hv_vmcs_print(&vmcs, stdout);
	hv_vmcs_free(&vmcs);
	return hv_command_finish(command, HV_STATUS_OK);
}

/* Into a file that is complete, or that has been complained of. */
static int write_file(const char *command, const char *path, const struct hv_vmcs *vmcs)
{
	FILE *out = fopen(path, "we");
	int error = out ? 0 : errno;

	if (out) {
		vmcs_dump_write(vmcs->fields, vmcs->n, out);
		error = ferror(out) ? EIO : 0;
		if (fclose(out))
			error = errno;
	}
	if (!error)
		return HV_STATUS_OK;
	fprintf(stderr, "%s: %s: %s; name a file that can be written\n", command, path,
		strerror(error));
	return HV_STATUS_ERROR;
}

static int save(const char *command, struct order *order)
{
	const char *path = order->count > 2 && strcmp(order->word[2], "-") ? order->word[2] : NULL;
	struct hv_vmcs vmcs = { 0 };
	int status = get_running(command, order, order->word[1], &vmcs);

	if (status)
		return status;
	if (path)
		status = write_file(command, path, &vmcs);
	else
		vmcs_dump_write(vmcs.fields, vmcs.n, stdout);
	hv_vmcs_free(&vmcs);
	return hv_command_finish(command, status);
}

static int diff(const char *command, struct order *order)
{
	struct hv_vmcs one = { 0 }, other = { 0 };
	int status = get_either(command, order, order->word[1], &one);
	size_t count;
	json_t *array;

	if (!status)
		status = get_file(command, order, order->word[2], &other);
	if (!status && order->json) {
		array = hv_vmcs_diff_json(&one, &other);
		count = json_array_size(array);
		print_json(array, JSON_INDENT(1));
	} else if (!status) {
		count = hv_vmcs_print_diff(&one, &other, stdout);
	}
	if (!status)
		status = hv_command_finish(command, count ? STATUS_DIFFERENT : HV_STATUS_OK);
	hv_vmcs_free(&one);
	hv_vmcs_free(&other);
	return status;
}

/* What has changed since @old, which is then what is now. */
static void tell_changes(const struct order *order, struct hv_vmcs *old, struct hv_vmcs *now)
{
	struct timespec time;
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &time);
	seconds = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
	if (order->json) {
		print_json(json_pack("{s:f, s:o}", "time", seconds, "changes",
				     hv_vmcs_diff_json(old, now)),
			   JSON_COMPACT);
	} else {
		printf("--- %.3f s\n", seconds);
		hv_vmcs_print_diff(old, now, stdout);
	}
	hv_vmcs_free(old);
	*old = *now;
	*now = (struct hv_vmcs){ 0 };
}

static void wait_for(double seconds)
{
	struct timespec time = { .tv_sec = (time_t)seconds };

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	nanosleep(&time, NULL);
}

/* One that has ended is no error: then there is nothing more to watch. */
static int watch_changes(struct order *order, struct hv_client *client, struct hv_vmcs *old)
{
	int error = ask(order, client, old);

	for (unsigned int i = 0; !error && (!order->rounds || i < order->rounds); i++) {
		struct hv_vmcs now = { 0 };

		wait_for(order->interval);
		error = ask(order, client, &now);
		if (error == -EPIPE)
			return 0;
		if (error)
			break;
		tell_changes(order, old, &now);
		if (fflush(stdout) || ferror(stdout))
			break;
	}
	return error;
}

static int watch(const char *command, struct order *order)
{
	struct hv_vmcs old = { 0 };
	struct hv_client client;
	int status = HV_STATUS_OK;

	if (hv_reach(&client, order->word[1], &order->err)) {
		status = hv_reach_fail(command, order->word[1], &order->err);
	} else if (watch_changes(order, &client, &old)) {
		hv_reach_fail(command, client.name, &order->err);
		status = HV_STATUS_ERROR;
	}
	hv_vmcs_free(&old);
	hv_client_close(&client);
	return hv_command_finish(command, status);
}

/* ----------------------------------------------------------------- command */

static const struct {
	const char *name;
	unsigned int least, most;	/* words, itself one of them */
	int (*run)(const char *command, struct order *order);
	const char *takes;
} verbs[] = {
	{ "dump", 2, 2, dump, "a VM: hvctl vmcs dump NAME" },
	{ "save", 2, 3, save, "a VM, and a file: hvctl vmcs save NAME [FILE]" },
	{ "diff", 3, 3, diff, "a VM or a file, and a file: hvctl vmcs diff NAME|FILE FILE" },
	{ "watch", 2, 2, watch, "a VM: hvctl vmcs watch NAME" },
};

int hv_cmd_vmcs(int argc, char **argv)
{
	struct order order = { .vcpu = -1, .interval = 1 };

	hv_command_parse(&hv_argp_vmcs, argc, argv, &order);
	for (size_t i = 0; i < ARRAY_SIZE(verbs) && order.count; i++) {
		if (strcmp(order.word[0], verbs[i].name))
			continue;
		if (order.count >= verbs[i].least && order.count <= verbs[i].most)
			return verbs[i].run(argv[0], &order);
		fprintf(stderr, "%s: %s takes %s\n", argv[0], verbs[i].name, verbs[i].takes);
		return HV_STATUS_USAGE;
	}
	fprintf(stderr, "%s: %s%s; use dump, save, diff or watch\n", argv[0],
		order.count ? order.word[0] : "nothing to do", order.count ? ": no such verb" : "");
	return HV_STATUS_USAGE;
}
