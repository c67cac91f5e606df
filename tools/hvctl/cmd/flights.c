// SPDX-License-Identifier: GPL-2.0-only
/* The exits of a VM that runs, a reply at a time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debug/flight.h"
#include "flights.h"
#include "lib/status.h"

#define BATCH 4096

/* What is known of a vCPU. */
struct hv_flight_track {
	uint64_t next;			/* number of the exit to ask for; 0: from now on */
	uint64_t wanted;		/* of the one that is to come; 0: any, it has just begun */
	bool has_held;
	struct tinyvmx_record held;
};

static void tell_held(struct hv_flights *flights, unsigned int vcpu,
		      const struct tinyvmx_record *next)
{
	struct hv_flight_track *track = &flights->tracks[vcpu];

	if (track->has_held)
		flights->reader->add(flights->reader->ctx, vcpu, &track->held,
				     hv_flight_outside(&track->held, next));
	track->has_held = false;
}

static void take(struct hv_flights *flights, unsigned int vcpu, const struct tinyvmx_record *record)
{
	struct hv_flight_track *track = &flights->tracks[vcpu];

	tell_held(flights, vcpu, record);
	if (track->wanted && record->sequence > track->wanted)
		flights->reader->miss(flights->reader->ctx, vcpu, record->sequence - track->wanted);
	track->wanted = record->sequence + 1;
	track->held = *record;
	track->has_held = true;
}

static int strange_answer(struct hv_error *err)
{
	return hv_fail(err, EPROTO, "it tells otherwise; use the hvctl that it was started with");
}

/* The first answer tells how many there are. */
static int make_tracks(struct hv_flights *flights, const char *name, const json_t *reply,
		       struct hv_error *err)
{
	json_int_t vcpus = json_integer_value(json_object_get(reply, "vcpus"));
	uint64_t from = flights->from_start ? 1 : 0;

	if (vcpus < 1 || vcpus > UINT16_MAX)
		return strange_answer(err);
	flights->tracks = calloc((size_t)vcpus, sizeof(*flights->tracks));
	if (!flights->tracks)
		return hv_fail(err, ENOMEM, "no memory; close something");
	flights->vcpus = (unsigned int)vcpus;
	for (unsigned int i = 0; i < flights->vcpus; i++)
		flights->tracks[i].next = flights->tracks[i].wanted = from;
	flights->reader->begin(flights->reader->ctx, name, flights->vcpus,
			       (uint64_t)json_integer_value(json_object_get(reply, "tsc_khz")));
	return 0;
}

/* What it says of a vCPU. Returns how many exits, or -errno. */
static int take_reply(struct hv_flights *flights, unsigned int vcpu, const json_t *reply,
		      struct hv_error *err)
{
	static struct tinyvmx_record records[BATCH];
	ssize_t n = hv_flight_unpack(records, BATCH, json_object_get(reply, "records"));
	json_int_t next = json_integer_value(json_object_get(reply, "next"));
	struct hv_flight_track *track = &flights->tracks[vcpu];

	if (n < 0 || next < 1)
		return strange_answer(err);
	for (ssize_t i = 0; i < n; i++)
		take(flights, vcpu, &records[i]);
	track->next = (uint64_t)next;
	return (int)n;
}

/* Ask for one; *@over: nothing comes any more. Returns how many exits came, or -errno. */
static int ask(struct hv_flights *flights, struct hv_client *client, unsigned int vcpu, bool *over,
	       struct hv_error *err)
{
	uint64_t from = flights->tracks ? flights->tracks[vcpu].next : flights->from_start ? 1 : 0;
	json_t *request = json_pack("{s:s, s:i}", "request", "record", "vcpu", vcpu), *reply;
	int n;

	if (from)
		json_object_set_new(request, "from", json_integer((json_int_t)from));
	n = hv_client_call(client, request, &reply, err);
	if (n)
		return n;
	if (!flights->tracks)
		n = make_tracks(flights, client->name, reply, err);
	if (!n)
		n = take_reply(flights, vcpu, reply, err);
	*over &= json_is_true(json_object_get(reply, "over"));
	json_decref(reply);
	return n;
}

int hv_flights_fetch(struct hv_flights *flights, struct hv_client *client, bool *over,
		     struct hv_error *err)
{
	int sum = 0;

	*over = true;
	for (unsigned int i = 0; !i || i < flights->vcpus; i++) {
		int n = ask(flights, client, i, over, err);

		if (n < 0)
			return n;
		sum += n;
	}
	return sum;
}

void hv_flights_end(struct hv_flights *flights)
{
	for (unsigned int i = 0; i < flights->vcpus; i++)
		tell_held(flights, i, NULL);
	free(flights->tracks);
	flights->tracks = NULL;
	flights->vcpus = 0;
}

int hv_flights_read(const char *path, const struct hv_flight_reader *reader, const char *command)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	struct hv_error err = { .subject = path };
	int error;

	error = in ? hv_flight_log_read(in, reader, &err) :
		     hv_fail(&err, errno, "%s; name one that can be read", strerror(errno));
	if (in && in != stdin)
		fclose(in);
	if (error)
		hv_error_print(command, &err);
	return error ? HV_STATUS_USAGE : HV_STATUS_OK;
}
