/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flight recorder of a vCPU: its ring, which the module writes while others read, and what
 * stands in it, in words and in JSON.
 */
#ifndef HV_DEBUG_FLIGHT_H
#define HV_DEBUG_FLIGHT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "tinyvmx.h"

/* How many exits are kept where nothing else is said. */
#define HV_FLIGHT_RECORDS 1024

/* A ring, as TINYVMX_SET_RECORD makes one. */
struct hv_flight {
	const struct tinyvmx_record *ring;	/* NULL: nothing is recorded */
	uint32_t records;			/* in the ring, a power of two */
	uint64_t before;			/* exits of rings before: the first has one more */
};

/* Can a ring have so many? */
bool hv_flight_is_size(uint64_t records);

/* The number of the newest exit that stands there; 0 or hv_flight.before: there is none. */
uint64_t hv_flight_newest(const struct hv_flight *flight);

/**
 * hv_flight_read() - read whole records, in their order, while the module writes others
 * @flight: the ring
 * @next: in: the number of the first that is wanted; out: of the one behind the last
 * @last: the number of the last that is wanted, hv_flight_newest() at the most
 * @records: filled in; their @sequence goes on where that of the rings before has ended
 * @room: how many fit
 * @missed: out: how many from @next on have been overwritten, or were never recorded
 *
 * Until the next entry @handled and @user_ticks of the newest one may change.
 *
 * Returns how many were read. Context: any thread; @ring must stay mapped.
 */
size_t hv_flight_read(const struct hv_flight *flight, uint64_t *next, uint64_t last,
		      struct tinyvmx_record *records, size_t room, uint64_t *missed);

/* TSC ticks in the guest up to this exit. */
uint64_t hv_flight_inside(const struct tinyvmx_record *record);

/*
 * TSC ticks from this exit to the entry of @next, which is NULL or any later record: 0 if that is
 * not the one behind it.
 */
uint64_t hv_flight_outside(const struct tinyvmx_record *record, const struct tinyvmx_record *next);

/* What the exit was about. False: nothing of that kind. */
bool hv_flight_port(const struct tinyvmx_record *record, uint16_t *port, unsigned int *bytes);
bool hv_flight_msr(const struct tinyvmx_record *record, uint32_t *msr);
bool hv_flight_gpa(const struct tinyvmx_record *record, uint64_t *gpa);

/**
 * hv_flight_describe() - an entry and its exit in words: why, what with, what the entry has
 *	delivered, where it was handled
 * @record: any bytes
 * @buf: gets a NUL-terminated text
 * @len: size of @buf; HV_FLIGHT_WORDS is enough
 *
 * Returns the length of the whole text, as snprintf() does.
 */
#define HV_FLIGHT_WORDS 400
size_t hv_flight_describe(const struct tinyvmx_record *record, char *buf, size_t len);

/* A line of a table, and its head: number, ticks inside and outside (0: not known), RIP, words. */
void hv_flight_print_head(FILE *out);
void hv_flight_print(const struct tinyvmx_record *record, uint64_t outside, FILE *out);

/* @n records as one string, two digits a byte, as they lie in memory. NULL: no memory. */
json_t *hv_flight_pack(const struct tinyvmx_record *records, size_t n);
/* What that has made, again: how many, of which up to @room are filled in; -1: it has not. */
ssize_t hv_flight_unpack(struct tinyvmx_record *records, size_t room, const json_t *string);

/* The same as an object, for programs and to be read again. NULL: no memory. */
json_t *hv_flight_json(const struct tinyvmx_record *record, uint64_t outside);
/* What that has made, again, without @outside. False: it has not. */
bool hv_flight_from_json(struct tinyvmx_record *record, const json_t *object);

#endif
