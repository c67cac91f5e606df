// SPDX-License-Identifier: GPL-2.0-only
/* hvctl balloon: how much memory a guest does without, and what it says about the rest. */
#include <argp.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "lib/args.h"
#include "lib/memory.h"
#include "lib/status.h"
#include "look.h"
#include "reach.h"

/* The guest is asked to count, and has so long to answer. */
#define ROUNDS 20
#define ROUND_NS 50000000L

struct order {
	struct hv_look look;		/* first: hv_look_parse() has it for its own; the size */
	uint64_t bytes;
};

enum { OPT_JSON = 'j' };

static const struct argp_option options[] = {
	{ "json", OPT_JSON, NULL, 0, "for programs: an object, memory in bytes", 0 },
	{ 0 }
};

static void parse_size(struct argp_state *state, struct order *order, const char *arg)
{
	if (!hv_parse_size(arg, HV_MIB, &order->bytes) || order->bytes > INT64_MAX)
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "%s is no size of memory; give MiB, or like 2G", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;
	error_t error = hv_look_parse(key, arg, state);

	if (key == ARGP_KEY_END && order->look.words)
		parse_size(state, order, order->look.word[0]);
	return error;
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

	if (order->look.words) {
		facts = ask(client, order, err);
		if (!facts)
			return -1;
		json_decref(facts);
	}
	facts = look(client, err);
	if (!facts)
		return -1;
	if (order->look.json)
		print_json(facts);
	else
		print_facts(facts);
	json_decref(facts);
	return 0;
}

int hv_cmd_balloon(int argc, char **argv)
{
	struct order order = { .look = { .most = 1 } };
	struct hv_client client;
	struct hv_error err;
	int status = HV_STATUS_OK;

	hv_command_parse(&hv_argp_balloon, argc, argv, &order);
	if (hv_reach(&client, order.look.name, &err)) {
		status = hv_reach_fail(argv[0], order.look.name, &err);
	} else if (command(&client, &order, &err)) {
		hv_reach_fail(argv[0], client.name, &err);
		status = HV_STATUS_ERROR;
	}
	hv_client_close(&client);
	return status ? status : hv_command_finish(argv[0], HV_STATUS_OK);
}
