// SPDX-License-Identifier: GPL-2.0-only
/* hvctl ps: the VMs that run. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "lib/memory.h"
#include "lib/status.h"
#include "reach.h"

/* Exits are counted over this time. */
#define SAMPLE_NS 200000000L

enum { OPT_JSON = 'j' };

static const struct argp_option options[] = {
	{ "json", OPT_JSON, NULL, 0, "for programs: an array of objects", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	bool *json = state->input;

	switch (key) {
	case OPT_JSON:
		*json = true;
		return 0;
	case ARGP_KEY_ARG:
		hv_command_no_argument(state, arg);
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp hv_argp_ps = {
	.options = options,
	.parser = parse,
	.doc = "List your VMs that run: name, process, image, vCPUs, guest RAM that is in use and all of "
	       "it, how long they run, VM exits a second, state.",
};

struct vm {
	struct hv_client client;
	json_t *facts;			/* NULL: it does not answer */
};

static json_t *ask(struct vm *vm)
{
	struct hv_error err;
	json_t *reply = NULL;

	if (vm->client.fd >= 0)
		(void)hv_client_call(&vm->client, json_pack("{s:s}", "request", "status"), &reply,
				     &err);
	return reply;
}

static json_int_t number(const json_t *facts, const char *key)
{
	return json_integer_value(json_object_get(facts, key));
}

/* Ask again, and compare. */
static void add_rate(struct vm *vm)
{
	json_t *later = ask(vm);
	json_int_t ns = number(later, "time_ns") - number(vm->facts, "time_ns");
	json_int_t exits = number(later, "exits") - number(vm->facts, "exits");

	if (later && ns > 0 && exits >= 0)
		json_object_set_new(vm->facts, "exits_per_second",
				    json_integer(exits * 1000000000.0 / ns));
	json_decref(later);
}

/* Its state, where it says nothing itself. */
static json_t *silent(const struct vm *vm)
{
	return json_pack("{s:s, s:i, s:s}", "name", vm->client.name, "pid", vm->client.pid, "state",
			 "silent");
}

static void finish(struct vm *vm)
{
	if (!vm->facts)
		vm->facts = silent(vm);
	json_object_del(vm->facts, "reply");
	json_object_del(vm->facts, "ok");
	json_object_del(vm->facts, "time_ns");
	hv_client_close(&vm->client);
}

/* Those that have ended meanwhile are left out. */
static struct vm *collect(const struct hv_runtime_dir *dir, int *count, struct hv_error *err)
{
	struct hv_name *names;
	const struct timespec pause = { .tv_nsec = SAMPLE_NS };
	struct hv_error silence;
	struct vm *vms;
	int alive = 0;

	*count = hv_claim_list(dir, &names, err);
	vms = calloc(*count > 0 ? *count : 1, sizeof(*vms));
	for (int i = 0; vms && i < *count; i++) {
		int error = hv_client_open(&vms[alive].client, dir, names[i].text, &silence);

		vms[alive].facts = error ? NULL : ask(&vms[alive]);
		if (vms[alive].facts || hv_claim_is_alive(dir, names[i].text))
			alive++;
		else
			hv_client_close(&vms[alive].client);
	}
	free(names);
	if (alive)
		nanosleep(&pause, NULL);
	for (int i = 0; i < alive; i++) {
		if (vms[i].facts)
			add_rate(&vms[i]);
		finish(&vms[i]);
	}
	if (*count >= 0)
		*count = alive;
	return vms;
}

/* ------------------------------------------------------------------- print */

static const char *text_of(const json_t *facts, const char *key)
{
	return json_string_value(json_object_get(facts, key)) ?: "-";
}

static const char *file_of(const json_t *facts)
{
	const char *path = text_of(facts, "image"), *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* "12/128M" */
static void say_memory(char *text, size_t room, const json_t *facts)
{
	snprintf(text, room, "%lld/%lldM",
		 (long long)((number(facts, "resident") + HV_MIB / 2) / HV_MIB),
		 (long long)(number(facts, "memory") / HV_MIB));
}

/* "3d04h", "2h05m", "3m07s" */
static void say_time(char *text, size_t room, long long seconds)
{
	if (seconds >= 86400)
		snprintf(text, room, "%lldd%02lldh", seconds / 86400, seconds / 3600 % 24);
	else if (seconds >= 3600)
		snprintf(text, room, "%lldh%02lldm", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(text, room, "%lldm%02llds", seconds / 60, seconds % 60);
}

static void print_row(const json_t *facts)
{
	char memory[48], uptime[32], vcpus[16];

	say_memory(memory, sizeof(memory), facts);
	say_time(uptime, sizeof(uptime), number(facts, "uptime_ms") / 1000);
	snprintf(vcpus, sizeof(vcpus), "%lld", (long long)number(facts, "vcpus"));
	if (!json_object_get(facts, "memory"))
		strcpy(memory, strcpy(uptime, strcpy(vcpus, "-")));
	printf("%-20s %7lld %-20s %5s %12s %8s %9lld %s\n", text_of(facts, "name"),
	       (long long)number(facts, "pid"), file_of(facts), vcpus, memory, uptime,
	       (long long)number(facts, "exits_per_second"), text_of(facts, "state"));
}

static void print_table(const struct vm *vms, int count)
{
	printf("%-20s %7s %-20s %5s %12s %8s %9s %s\n", "NAME", "PID", "IMAGE", "VCPUS", "MEMORY",
	       "UPTIME", "EXITS/S", "STATE");
	for (int i = 0; i < count; i++)
		print_row(vms[i].facts);
}

static void print_json(const struct vm *vms, int count)
{
	json_t *all = json_array();

	for (int i = 0; i < count; i++)
		json_array_append(all, vms[i].facts);
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static int list(const struct hv_runtime_dir *dir, bool json, struct hv_error *err)
{
	int count = 0;
	struct vm *vms = dir ? collect(dir, &count, err) : NULL;

	if (count >= 0 && json)
		print_json(vms, count);
	else if (count >= 0)
		print_table(vms, count);
	for (int i = 0; i < count; i++)
		json_decref(vms[i].facts);
	free(vms);
	return count < 0 ? count : 0;
}

int hv_cmd_ps(int argc, char **argv)
{
	struct hv_runtime_dir dir;
	struct hv_error err;
	bool json = false;
	int error;

	hv_command_parse(&hv_argp_ps, argc, argv, &json);
	error = hv_runtime_dir_open(&dir, false, &err);
	if (!error || error == -ENOENT)
		error = list(error ? NULL : &dir, json, &err);
	hv_runtime_dir_close(&dir);
	if (error)
		return hv_reach_fail(argv[0], NULL, &err);
	return hv_command_finish(argv[0], HV_STATUS_OK);
}
