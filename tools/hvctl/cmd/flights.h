/* SPDX-License-Identifier: GPL-2.0-only */
/* The exits of a VM that runs, fetched from its flight recorders over its control channel. */
#ifndef HV_CMD_FLIGHTS_H
#define HV_CMD_FLIGHTS_H

#include "control/client.h"
#include "debug/flight_log.h"

struct hv_flight_track;

struct hv_flights {
	const struct hv_flight_reader *reader;	/* is told what comes; as of a saved file */
	bool from_start;			/* all that there are, not those from now on */
	unsigned int vcpus;			/* 0: nothing is known yet */
	struct hv_flight_track *tracks;
};

/**
 * hv_flights_fetch() - what has come since the last time, of all vCPUs
 * @flights: @reader and @from_start are set, the rest is 0 at first
 * @client: connected; with the first call its VM begins to record, until it is closed
 * @over: filled in: the VM has ended, and nothing comes any more
 * @err: filled in on failure
 *
 * An exit is told when the next one of its vCPU tells what it has cost. Returns how many have come,
 * or -errno.
 */
int hv_flights_fetch(struct hv_flights *flights, struct hv_client *client, bool *over,
		     struct hv_error *err);

/* Read a file of hvctl trace --save ("-": standard input) instead. Returns the command's status. */
int hv_flights_read(const char *path, const struct hv_flight_reader *reader, const char *command);

/* The last ones, whose cost is not known; then forget all. */
void hv_flights_end(struct hv_flights *flights);

#endif
