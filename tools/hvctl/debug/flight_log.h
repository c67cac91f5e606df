/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exits of a VM one after the other: as lines for people, as a file to be read again, or as
 * one that Perfetto and Chrome show.
 */
#ifndef HV_DEBUG_FLIGHT_LOG_H
#define HV_DEBUG_FLIGHT_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/error.h"
#include "tinyvmx.h"

enum hv_flight_form {
	HV_FLIGHT_TEXT,			/* a line an exit */
	HV_FLIGHT_SAVED,		/* lines of JSON: hv_flight_log_read() */
	HV_FLIGHT_CHROME,		/* trace events, one JSON document */
};

struct hv_flight_log {
	FILE *out;
	enum hv_flight_form form;
	uint64_t khz;			/* of the host's TSC; 0: not known, a tick is 1 ns then */
	uint64_t missed;		/* exits, so far */
	uint64_t first;			/* TSC of the first exit that was told; 0: none was */
};

/**
 * hv_flight_log_begin() - what stands at its beginning
 * @log: @out, @form and @khz are set
 * @name: the VM's
 * @vcpus: how many it has
 *
 * Whether all could be written ferror() tells.
 */
void hv_flight_log_begin(struct hv_flight_log *log, const char *name, unsigned int vcpus);

/* One more exit of a vCPU; @outside: hv_flight_outside(). */
void hv_flight_log_add(struct hv_flight_log *log, unsigned int vcpu,
		       const struct tinyvmx_record *record, uint64_t outside);

/* Before the next one so many were missed. */
void hv_flight_log_miss(struct hv_flight_log *log, unsigned int vcpu, uint64_t missed);

void hv_flight_log_end(struct hv_flight_log *log);

/* What a saved file says; a line is one of these. */
struct hv_flight_reader {
	void *ctx;
	void (*begin)(void *ctx, const char *name, unsigned int vcpus, uint64_t khz);
	/* Returns whether to go on. */
	bool (*add)(void *ctx, unsigned int vcpu, const struct tinyvmx_record *record,
		    uint64_t outside);
	void (*miss)(void *ctx, unsigned int vcpu, uint64_t missed);
};

/* Read one: 0 or -errno, with the line in @err. Context: any file, whoever made it. */
int hv_flight_log_read(FILE *in, const struct hv_flight_reader *reader, struct hv_error *err);

#endif
