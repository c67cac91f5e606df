// SPDX-License-Identifier: GPL-2.0-only
/* hvctl stat: what a VM's exits cost, and what would save most of it. */
#include <argp.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "command.h"
#include "debug/bill.h"
#include "debug/flight.h"
#include "flights.h"
#include "lib/args.h"
#include "lib/loop.h"
#include "lib/status.h"
#include "look.h"
#include "reach.h"
#include "vmm/live.h"

#define SECONDS_DEFAULT 5
#define SECONDS_MAX 86400
/*
 * So often a second records are fetched: a ring has room for 4,096. If many come there are more, of
 * which a guest that does nothing but exit makes no end.
 */
#define FETCHES 20
#define MANY	256
#define ROUNDS	16

struct order {
	const char *name;		/* NULL: the one that runs */
	const char *html;
	const char *file;		/* of hvctl trace --save */
	uint64_t seconds;		/* 0: not said */
	bool json;
};

enum { OPT_JSON = 'j', OPT_SECONDS = 's', OPT_HTML = 256, OPT_READ };

static const struct argp_option options[] = {
	{ "json", OPT_JSON, NULL, 0, "for programs: an object", 0 },
	{ "seconds", OPT_SECONDS, "N", 0, "watch so long (default 5; on a terminal, until q)", 0 },
	{ "html", OPT_HTML, "FILE", 0, "write a page with plots there", 0 },
	{ "read", OPT_READ, "FILE", 0, "of what 'hvctl trace --save' has written, not of a VM", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;

	switch (key) {
	case OPT_JSON:
		order->json = true;
		return 0;
	case OPT_HTML:
		order->html = arg;
		return 0;
	case OPT_READ:
		order->file = arg;
		return 0;
	case OPT_SECONDS:
		if (!hv_parse_size(arg, 1, &order->seconds) || !order->seconds ||
		    order->seconds > SECONDS_MAX)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "--seconds %s: is no time; give 1 to %d seconds", arg,
				     SECONDS_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (order->name)
			hv_command_no_argument(state, arg);
		order->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (order->name && order->file)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "a VM and --read: only one of them; leave the other out");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp hv_argp_stat = {
	.options = options,
	.parser = parse,
	.args_doc = "[NAME]",
	.doc = "Add up what a VM's exits cost: for each kind how many, how often, how many ticks, and where "
	       "they went: the switch of worlds, the kernel, hvctl.\v"
	       "Without NAME the VM that runs, if there is one. On a terminal it is shown anew each second, "
	       "until q. The VM's flight recorder is on meanwhile.",
};

/* -------------------------------------------------------------- gathering */

struct gathering {
	pthread_mutex_t lock;		/* of what the reader fills, up to @last */
	char name[HV_NAME_MAX + 1];
	struct hv_bill *bill;
	uint64_t begin_ns;
	/* Of a file: of its first and last exit. */
	uint64_t khz, first, last;
	/* Of who fetches: */
	struct hv_client client;
	struct hv_flights flights;
	bool over;
	int error;
	struct hv_error err;
	atomic_bool done, left;		/* it has ended; it is to end */
};

static void begin(void *ctx, const char *name, unsigned int vcpus, uint64_t khz)
{
	struct gathering *gathering = ctx;

	(void)vcpus;
	pthread_mutex_lock(&gathering->lock);
	snprintf(gathering->name, sizeof(gathering->name), "%s", name);
	gathering->khz = khz;
	hv_bill_free(gathering->bill);
	gathering->bill = hv_bill_new(khz);
	gathering->begin_ns = hv_monotonic_ns();
	pthread_mutex_unlock(&gathering->lock);
}

static bool add(void *ctx, unsigned int vcpu, const struct tinyvmx_record *record, uint64_t outside)
{
	struct gathering *gathering = ctx;

	(void)vcpu;
	if (!gathering->bill)
		return false;
	pthread_mutex_lock(&gathering->lock);
	hv_bill_add(gathering->bill, record, outside);
	if (!gathering->first || record->entered < gathering->first)
		gathering->first = record->entered;
	if (record->exited > gathering->last)
		gathering->last = record->exited;
	pthread_mutex_unlock(&gathering->lock);
	return true;
}

static void miss(void *ctx, unsigned int vcpu, uint64_t missed)
{
	struct gathering *gathering = ctx;

	(void)vcpu;
	pthread_mutex_lock(&gathering->lock);
	if (gathering->bill)
		hv_bill_miss(gathering->bill, missed);
	pthread_mutex_unlock(&gathering->lock);
}

/* Returns whether there may be more. */
static bool fetch(struct gathering *gathering)
{
	int n, rounds = 0;

	do
		n = hv_flights_fetch(&gathering->flights, &gathering->client, &gathering->over,
				     &gathering->err);
	while (n >= MANY && ++rounds < ROUNDS);
	gathering->error = n < 0 ? n : 0;
	if (!gathering->error && !gathering->bill)
		gathering->error = hv_fail(&gathering->err, ENOMEM, "no memory; close something");
	return !gathering->error && !gathering->over;
}

/* Of what was saved somebody else knows how long it took. */
static double seconds(const struct gathering *gathering, bool saved)
{
	if (!saved)
		return (hv_monotonic_ns() - gathering->begin_ns) / 1e9;
	return gathering->khz ? (gathering->last - gathering->first) / 1e3 / gathering->khz : 0;
}

/* ------------------------------------------------------------------ showing */

static void draw(void *ctx, unsigned int rows, unsigned int columns, FILE *out)
{
	struct gathering *gathering = ctx;
	json_t *bill = NULL;

	pthread_mutex_lock(&gathering->lock);
	if (gathering->bill)
		bill = hv_bill_json(gathering->bill, gathering->name, seconds(gathering, false));
	pthread_mutex_unlock(&gathering->lock);
	if (!bill)
		return;
	/* The summary takes two lines, as do the head and the advice. */
	hv_bill_print(bill, rows > 5 ? rows - 4 : 1, columns, out);
	json_decref(bill);
}

static int write_page(const json_t *bill, const char *path, const char *command)
{
	FILE *out = fopen(path, "we");
	bool good = out;

	if (out) {
		hv_bill_print_html(bill, out);
		good = !ferror(out);
		good &= !fclose(out);
	}
	if (good)
		return HV_STATUS_OK;
	fprintf(stderr, "%s: %s: %s; name a file that can be written\n", command, path,
		strerror(errno));
	return HV_STATUS_ERROR;
}

#define ALL_ROWS 40
#define WIDTH	 120

static int show(const struct gathering *gathering, const struct order *order, const char *command)
{
	json_t *bill =
		hv_bill_json(gathering->bill, gathering->name, seconds(gathering, order->file));
	int status = order->html ? write_page(bill, order->html, command) : HV_STATUS_OK;

	if (order->json)
		hv_look_print_json(bill);
	else if (!order->html)
		hv_bill_print(bill, ALL_ROWS, WIDTH, stdout);
	json_decref(bill);
	return status ? status : hv_command_finish(command, HV_STATUS_OK);
}

/* ------------------------------------------------------------------ command */

static void watch(struct gathering *gathering, uint64_t seconds_wanted)
{
	const struct timespec pause = { .tv_nsec = 1000000000 / FETCHES };

	while (fetch(gathering) && seconds(gathering, false) < seconds_wanted)
		nanosleep(&pause, NULL);
}

static void *keep_fetching(void *ctx)
{
	const struct timespec pause = { .tv_nsec = 1000000000 / FETCHES };
	struct gathering *gathering = ctx;

	while (!atomic_load(&gathering->left) && fetch(gathering))
		nanosleep(&pause, NULL);
	atomic_store(&gathering->done, true);
	return NULL;
}

/* Signals are the main thread's. 0 or -errno. */
static int start_fetching(struct gathering *gathering, pthread_t *thread)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = -pthread_create(thread, NULL, keep_fetching, gathering);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static bool is_there_more(void *ctx)
{
	return !atomic_load(&((struct gathering *)ctx)->done);
}

/*
 * The terminal does not wait for the VM, which may be stopped. Who leaves does not either: what is
 * being asked for has no answer then, which is no failure.
 */
static void watch_live(struct gathering *gathering)
{
	const struct hv_live view = { .tick = is_there_more, .draw = draw, .ctx = gathering };
	struct hv_error err;
	pthread_t thread;
	bool left;
	int error = start_fetching(gathering, &thread);

	if (error) {
		gathering->error = hv_fail(&gathering->err, -error, "no thread: %s; see ulimit -u",
					   strerror(-error));
		return;
	}
	error = hv_live_run(&view, &err);
	left = !atomic_load(&gathering->done);
	atomic_store(&gathering->left, true);
	if (left)
		shutdown(gathering->client.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	if (left || error)
		gathering->error = error;
	if (error)
		gathering->err = err;
}

static int of_vm(struct gathering *gathering, const struct order *order, const char *command)
{
	bool live = !order->json && !order->html && !order->seconds && hv_live_is_possible();
	int status = HV_STATUS_OK;

	if (hv_reach(&gathering->client, order->name, &gathering->err))
		return hv_reach_fail(command, order->name, &gathering->err);
	if (live)
		watch_live(gathering);
	else
		watch(gathering, order->seconds ? order->seconds : SECONDS_DEFAULT);
	hv_flights_end(&gathering->flights);
	/* One that ends while it is watched is no failure: what there was is told. */
	if (gathering->error) {
		hv_reach_fail(command, gathering->client.name, &gathering->err);
		status = HV_STATUS_ERROR;
	} else if (gathering->bill) {
		status = show(gathering, order, command);
	}
	hv_client_close(&gathering->client);
	return status;
}

static int of_file(struct gathering *gathering, const struct order *order, const char *command)
{
	int status = hv_flights_read(order->file, gathering->flights.reader, command);

	if (!status && !gathering->bill) {
		fprintf(stderr, "%s: no memory; close something\n", command);
		status = HV_STATUS_ERROR;
	}
	return status ? status : show(gathering, order, command);
}

int hv_cmd_stat(int argc, char **argv)
{
	static struct gathering gathering = { .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct hv_flight_reader reader = { &gathering, begin, add, miss };
	struct order order = { 0 };
	int status;

	hv_command_parse(&hv_argp_stat, argc, argv, &order);
	gathering.client.fd = -1;
	gathering.flights.reader = &reader;
	if (order.file)
		status = of_file(&gathering, &order, argv[0]);
	else
		status = of_vm(&gathering, &order, argv[0]);
	hv_bill_free(gathering.bill);
	return status;
}
