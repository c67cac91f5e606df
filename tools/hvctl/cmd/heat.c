// SPDX-License-Identifier: GPL-2.0-only
/* hvctl heat: a map of the memory that a guest uses. */
#include <argp.h>
#include <stdlib.h>
#include <time.h>

#include "command.h"
#include "lib/args.h"
#include "lib/memory.h"
#include "lib/status.h"
#include "look.h"
#include "reach.h"

#define CELLS_PER_LINE 64
#define LINES 24
#define SECONDS_MAX 3600

struct order {
	struct hv_look look;		/* first: hv_look_parse() has it for its own */
	uint64_t seconds;
};

enum { OPT_JSON = 'j', OPT_SECONDS = 's' };

static const struct argp_option options[] = {
	{ "json", OPT_JSON, NULL, 0, "for programs: an object", 0 },
	{ "seconds", OPT_SECONDS, "N", 0,
	  "watch so long (default 1); 0: show what was used since the last look", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;

	switch (key) {
	case OPT_SECONDS:
		if (!hv_parse_size(arg, 1, &order->seconds) || order->seconds > SECONDS_MAX)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "--seconds %s: is no time; give 0 to %d seconds", arg,
				     SECONDS_MAX);
		return 0;
	}
	return hv_look_parse(key, arg, state);
}

const struct argp hv_argp_heat = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME",
	.doc = "Watch which parts of its memory a guest uses, and draw them.\v"
	       "The CPU notes in EPT what its vCPUs read, write and execute. Large pages of the host count "
	       "as a whole, page tables that the CPU walks as written. What devices do is not seen.",
};

/* -------------------------------------------------------------------- the map */

static json_int_t at(const json_t *array, size_t i)
{
	return json_integer_value(json_array_get(array, i));
}

/* Capitals for cells of which at least half the pages are used, or written. */
static char letter(json_int_t used, json_int_t written, json_int_t pages)
{
	if (written)
		return 2 * written >= pages ? 'W' : 'w';
	if (used)
		return 2 * used >= pages ? 'R' : 'r';
	return '.';
}

static json_int_t sum(const json_t *array)
{
	json_int_t n = 0;

	for (size_t i = 0; i < json_array_size(array); i++)
		n += at(array, i);
	return n;
}

/* Runs of lines without use are one. */
static void draw_range(const json_t *range, json_int_t cell_pages, json_int_t page)
{
	unsigned long long gpa =
		strtoull(json_string_value(json_object_get(range, "gpa")) ?: "0", NULL, 16);
	const json_t *used = json_object_get(range, "used");
	const json_t *written = json_object_get(range, "written");
	size_t cells = json_array_size(used);
	bool dots = false;

	for (size_t i = 0; i < cells; i += CELLS_PER_LINE) {
		size_t end = i + CELLS_PER_LINE < cells ? i + CELLS_PER_LINE : cells;
		bool quiet = true;

		for (size_t j = i; j < end; j++)
			quiet &= !at(used, j) && !at(written, j);
		if (quiet && dots)
			continue;
		dots = quiet;
		printf("%12llx  ", gpa + i * cell_pages * page);
		for (size_t j = i; j < end; j++)
			putchar(letter(at(used, j), at(written, j), cell_pages));
		puts("");
	}
}

static void print_mib(const char *what, json_int_t bytes)
{
	printf("%s%.2f MiB", what, (double)bytes / HV_MIB);
}

static void draw(const json_t *reply, const struct order *order)
{
	json_int_t page = json_integer_value(json_object_get(reply, "page_bytes"));
	json_int_t cell_pages = json_integer_value(json_object_get(reply, "cell_pages"));
	json_int_t used = 0, written = 0, bytes = 0;
	json_t *range;
	size_t i;

	json_array_foreach(json_object_get(reply, "ranges"), i, range) {
		draw_range(range, cell_pages, page);
		bytes += json_integer_value(json_object_get(range, "bytes"));
		used += sum(json_object_get(range, "used")) * page;
		written += sum(json_object_get(range, "written")) * page;
	}
	if (order->seconds)
		printf("In %llu s ", (unsigned long long)order->seconds);
	else
		fputs("Since the last look ", stdout);
	print_mib("it used ", used);
	print_mib(" of ", bytes);
	print_mib(", wrote ", written);
	printf(". A letter is %lld KiB:\nw written, r used otherwise, capitals: half of it or more.\n",
	       (long long)(cell_pages * page / 1024));
}

/* ------------------------------------------------------------------- asking */

static int ask(struct hv_client *client, bool forget, json_t **reply, struct hv_error *err)
{
	return hv_client_call(client,
			      json_pack("{s:s, s:b, s:i}", "request", "use", "forget", forget,
					"cells", CELLS_PER_LINE * LINES),
			      reply, err);
}

static int watch(struct hv_client *client, const struct order *order, json_t **reply,
		 struct hv_error *err)
{
	struct timespec pause = { .tv_sec = order->seconds };
	int error = 0;

	if (order->seconds) {
		error = ask(client, true, reply, err);
		if (error)
			return error;
		json_decref(*reply);
		nanosleep(&pause, NULL);
	}
	return ask(client, true, reply, err);
}

int hv_cmd_heat(int argc, char **argv)
{
	struct order order = { .seconds = 1 };
	struct hv_client client;
	struct hv_error err;
	json_t *reply;

	hv_command_parse(&hv_argp_heat, argc, argv, &order);
	if (hv_reach(&client, order.look.name, &err)) {
		hv_client_close(&client);
		return hv_reach_fail(argv[0], order.look.name, &err);
	}
	if (watch(&client, &order, &reply, &err)) {
		hv_reach_fail(argv[0], client.name, &err);
		hv_client_close(&client);
		return HV_STATUS_ERROR;
	}
	if (order.look.json)
		hv_look_print_json(reply);
	else
		draw(reply, &order);
	json_decref(reply);
	hv_client_close(&client);
	return hv_command_finish(argv[0], HV_STATUS_OK);
}
