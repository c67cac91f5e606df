// SPDX-License-Identifier: GPL-2.0-only
/* hvctl balloon: how much memory a guest does without, and what it says about the rest. */
#include <argp.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "lib/args.h"
#include "lib/memory.h"
#include "lib/status.h"
#include "reach.h"

/* The guest is asked to count, and has so long to answer. */
#define ROUNDS 20
#define ROUND_NS 50000000L

struct order {
	const char *name;
	const char *size;		/* NULL: show it */
	uint64_t bytes;
	bool json;
};

enum { OPT_JSON = 'j' };

static const struct argp_option options[] = {
	{ "json", OPT_JSON, NULL, 0, "for programs: an object, memory in bytes", 0 },
	{ 0 }
};

static void parse_size(struct argp_state *state, struct order *order, const char *arg)
{
	order->size = arg;
	if (!hv_parse_size(arg, HV_MIB, &order->bytes) || order->bytes > INT64_MAX)
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "%s is no size of memory; give MiB, or like 2G", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;

	switch (key) {
	case OPT_JSON:
		order->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!order->name)
			order->name = arg;
		else if (!order->size)
			parse_size(state, order, arg);
		else
			hv_command_no_argument(state, arg);
		return 0;
	case ARGP_KEY_END:
		if (!order->name)
			hv_command_no_name(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp hv_argp_balloon = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME [SIZE]",
	.doc = "Have a guest give SIZE of its memory back to the host, in MiB or like 2G, and show how "
	       "far it is.\v"
	       "The VM needs a balloon (hvctl run --device balloon), its guest a driver. 0 gives all back "
	       "to the guest. How much the guest has and uses is what it says itself.",
};

static json_t *ask(struct hv_client *client, const struct order *order, struct hv_error *err)
{
	json_t *reply = NULL, *request = json_pack("{s:s}", "request", "balloon");

	if (order)
		json_object_set_new(request, "target", json_integer(order->bytes));
	return hv_client_call(client, request, &reply, err) ? NULL : reply;
}

static json_int_t number(const json_t *facts, const char *key)
{
	return json_integer_value(json_object_get(facts, key));
}

/* Whoever asks has the guest count anew: what it has counted since comes later. */
static json_t *look(struct hv_client *client, struct hv_error *err)
{
	const struct timespec round = { .tv_nsec = ROUND_NS };
	json_t *facts = ask(client, NULL, err);
	json_int_t before = number(facts, "counts_time_ns");

	for (unsigned int i = 0; facts && i < ROUNDS && number(facts, "counts_time_ns") == before;
	     i++) {
		json_decref(facts);
		nanosleep(&round, NULL);
		facts = ask(client, NULL, err);
	}
	return facts;
}

static void print_mib(const char *what, json_int_t bytes)
{
	printf("%-20s %8lld MiB\n", what, (long long)bytes / (long long)HV_MIB);
}

static bool is_memory(const char *key)
{
	return !strstr(key, "faults") && !strstr(key, "hugetlb");
}

static void print_facts(json_t *facts)
{
	json_t *counts = json_object_get(facts, "counts"), *value;
	const char *key;

	print_mib("target", number(facts, "target"));
	print_mib("balloon", number(facts, "actual"));
	print_mib("host's memory", number(facts, "resident"));
	if (!counts)
		puts("the guest tells nothing: it has no driver yet, or one without statistics");
	json_object_foreach(counts, key, value)
		if (is_memory(key))
			print_mib(key, json_integer_value(value));
		else
			printf("%-20s %8lld\n", key, (long long)json_integer_value(value));
}

static void print_json(json_t *facts)
{
	json_object_del(facts, "reply");
	json_object_del(facts, "ok");
	json_object_del(facts, "counts_time_ns");
	json_dumpf(facts, stdout, JSON_INDENT(1));
	putchar('\n');
}

static int command(struct hv_client *client, const struct order *order, struct hv_error *err)
{
	json_t *facts;

	if (order->size) {
		facts = ask(client, order, err);
		if (!facts)
			return -1;
		json_decref(facts);
	}
	facts = look(client, err);
	if (!facts)
		return -1;
	if (order->json)
		print_json(facts);
	else
		print_facts(facts);
	json_decref(facts);
	return 0;
}

int hv_cmd_balloon(int argc, char **argv)
{
	struct order order = { .name = NULL };
	struct hv_client client;
	struct hv_error err;
	int status = HV_STATUS_OK;

	hv_command_parse(&hv_argp_balloon, argc, argv, &order);
	if (hv_reach(&client, order.name, &err)) {
		status = hv_reach_fail(argv[0], order.name, &err);
	} else if (command(&client, &order, &err)) {
		hv_reach_fail(argv[0], client.name, &err);
		status = HV_STATUS_ERROR;
	}
	hv_client_close(&client);
	return status;
}
