// SPDX-License-Identifier: GPL-2.0-only
/* The exit bill: adding up. */
#include <stdlib.h>
#include <string.h>

#include "bill.h"
#include "flight.h"
#include "vmx/names.h"

#define REASON_EXCEPTION 0
#define REASON_CR	 28

#define ROWS_MAX  256
#define STEPS	  120		/* of time */
/* A bucket of ticks: below 32 exact, then 16 for each power of two. */
#define SMALL	  32
#define BUCKETS	  (SMALL + 59 * 16)

struct row {
	uint32_t reason;
	bool rest;			/* of this reason, when there were too many rows */
	uint64_t detail;		/* port, MSR, device's page, CR and access, vector */
	uint64_t count;
	uint64_t timed;			/* those whose cost is known */
	uint64_t ticks, user, waiting;	/* all of it; in userspace; asleep */
	uint32_t step[STEPS];
	uint32_t bucket[BUCKETS];
};

struct hv_bill {
	uint32_t tsc_khz;
	uint64_t exits, missed;
	uint64_t inside;
	uint64_t cheapest;		/* what the module has of an exit, at the least */
	uint64_t begin, step_ticks;
	unsigned int rows;
	struct row *row[ROWS_MAX];
};

struct hv_bill *hv_bill_new(uint32_t tsc_khz)
{
	struct hv_bill *bill = calloc(1, sizeof(*bill));

	if (!bill)
		return NULL;
	bill->tsc_khz = tsc_khz;
	bill->step_ticks = tsc_khz ? tsc_khz : 1000000;
	return bill;
}

void hv_bill_free(struct hv_bill *bill)
{
	for (unsigned int i = 0; bill && i < bill->rows; i++)
		free(bill->row[i]);
	free(bill);
}

/* --------------------------------------------------------------------- rows */

/* What exits of one reason are told apart by. */
static uint64_t detail_of(const struct tinyvmx_record *record)
{
	unsigned int bytes;
	uint64_t gpa;
	uint32_t msr;
	uint16_t port;

	if (record->handled & TINYVMX_HANDLED_NO_ENTRY)
		return 0;
	if (hv_flight_port(record, &port, &bytes))
		return port;
	if (hv_flight_msr(record, &msr))
		return msr;
	/* Of guest RAM each page comes by once. */
	if (hv_flight_gpa(record, &gpa))
		return record->handled & TINYVMX_HANDLED_USER ? gpa & ~0xfffULL : 0;
	if (record->reason == REASON_EXCEPTION)
		return record->detail & 0xff;
	if (record->reason == REASON_CR)
		return record->qualification & 0x3f;
	return 0;
}

static struct row *find(const struct hv_bill *bill, uint32_t reason, bool rest, uint64_t detail)
{
	for (unsigned int i = 0; i < bill->rows; i++) {
		struct row *row = bill->row[i];

		if (row->reason == reason && row->rest == rest && row->detail == detail)
			return row;
	}
	return NULL;
}

static struct row *make(struct hv_bill *bill, uint32_t reason, bool rest, uint64_t detail)
{
	struct row *row = bill->rows < ROWS_MAX ? calloc(1, sizeof(*row)) : NULL;

	if (!row)
		return NULL;
	row->reason = reason;
	row->rest = rest;
	row->detail = detail;
	bill->row[bill->rows++] = row;
	return row;
}

/* The last quarter of the room is for what is left of each reason. */
static struct row *row_for(struct hv_bill *bill, const struct tinyvmx_record *record)
{
	uint64_t detail = detail_of(record);
	uint32_t reason = record->reason;
	struct row *row = find(bill, reason, false, detail);

	if (!row && bill->rows < ROWS_MAX * 3 / 4)
		row = make(bill, reason, false, detail);
	if (!row)
		row = find(bill, reason, true, 0);
	return row ? row : make(bill, reason, true, 0);
}

/* -------------------------------------------------------------- time and ticks */

/* Twice as wide, so that more fit. */
static void widen_steps(struct hv_bill *bill)
{
	bill->step_ticks *= 2;
	for (unsigned int i = 0; i < bill->rows; i++) {
		uint32_t *step = bill->row[i]->step;

		for (unsigned int j = 0; j < STEPS / 2; j++)
			step[j] = step[2 * j] + step[2 * j + 1];
		memset(step + STEPS / 2, 0, STEPS / 2 * sizeof(*step));
	}
}

static unsigned int step_at(struct hv_bill *bill, uint64_t tsc)
{
	if (!bill->exits)
		bill->begin = tsc;
	/* Of another vCPU, which was read later. */
	if (tsc < bill->begin)
		return 0;
	while ((tsc - bill->begin) / bill->step_ticks >= STEPS)
		widen_steps(bill);
	return (tsc - bill->begin) / bill->step_ticks;
}

static unsigned int bucket_of(uint64_t ticks)
{
	unsigned int power;

	if (ticks < SMALL)
		return ticks;
	power = 63 - __builtin_clzll(ticks);
	return SMALL + (power - 5) * 16 + (ticks >> (power - 4) & 15);
}

/* The middle of a bucket. */
static uint64_t ticks_of(unsigned int bucket)
{
	unsigned int power = (bucket - SMALL) / 16 + 5, part = (bucket - SMALL) % 16;

	if (bucket < SMALL)
		return bucket;
	return (1ULL << power) + part * (1ULL << (power - 4)) + (1ULL << (power - 4)) / 2;
}

static uint64_t percentile(const struct row *row, unsigned int percent)
{
	uint64_t wanted = (row->timed * percent + 99) / 100, seen = 0;

	for (unsigned int i = 0; i < BUCKETS && row->timed; i++) {
		seen += row->bucket[i];
		if (seen >= wanted)
			return ticks_of(i);
	}
	return 0;
}

/* Returns what the module has had of it, 0 if that is not known. */
static uint64_t add_ticks(struct row *row, const struct tinyvmx_record *record, uint64_t outside)
{
	/* All ones: that or more. */
	uint64_t user = record->handled & TINYVMX_HANDLED_USER ? record->user_ticks : 0;

	if (user == UINT32_MAX || user > outside)
		user = outside;
	row->timed++;
	row->ticks += outside;
	row->user += user;
	if (record->handled & TINYVMX_HANDLED_WAITED)
		row->waiting += outside - user;
	row->bucket[bucket_of(outside)]++;
	return record->handled & TINYVMX_HANDLED_WAITED ? 0 : outside - user;
}

void hv_bill_add(struct hv_bill *bill, const struct tinyvmx_record *record, uint64_t outside)
{
	unsigned int step = step_at(bill, record->exited);
	struct row *row = row_for(bill, record);
	uint64_t kernel;

	bill->exits++;
	bill->inside += hv_flight_inside(record);
	if (!row)
		return;
	row->count++;
	row->step[step]++;
	if (!outside)
		return;
	kernel = add_ticks(row, record, outside);
	if (kernel && (!bill->cheapest || kernel < bill->cheapest))
		bill->cheapest = kernel;
}

void hv_bill_miss(struct hv_bill *bill, uint64_t count)
{
	bill->missed += count;
}

/* --------------------------------------------------------------------- JSON */

static json_t *name_of(const struct row *row)
{
	const char *reason = vmx_exit_name(row->reason);
	char text[200];

	if (row->rest)
		return json_sprintf("%s, others", reason);
	switch (row->reason) {
	case 30:
		return json_sprintf("%s, port 0x%llx", reason, (unsigned long long)row->detail);
	case 31:
	case 32:
		vmx_describe_msr(row->detail, text, sizeof(text));
		return json_sprintf("%s, 0x%llx%s%s", reason, (unsigned long long)row->detail,
				    *text ? " " : "", text);
	case 48:
	case 49:
		if (!row->detail)
			break;
		return json_sprintf("%s, device at 0x%llx", reason,
				    (unsigned long long)row->detail);
	case REASON_CR:
		if (row->detail >> 4 > 1)
			return json_sprintf("%s, %s", reason,
					    row->detail >> 4 == 2 ? "CLTS" : "LMSW");
		return json_sprintf("%s, MOV %s CR%u", reason, row->detail >> 4 ? "from" : "to",
				    (unsigned int)row->detail & 15);
	case REASON_EXCEPTION:
		return json_sprintf("%s, vector %u", reason, (unsigned int)row->detail);
	}
	return json_string(reason);
}

/* What the exits of a row cost beyond waiting. */
static uint64_t cost(const struct row *row)
{
	return row->ticks - row->waiting;
}

static int dearer(const void *a, const void *b)
{
	const struct row *one = *(struct row *const *)a, *other = *(struct row *const *)b;

	if (cost(one) != cost(other))
		return cost(one) < cost(other) ? 1 : -1;
	return one->count < other->count ? 1 : one->count > other->count ? -1 : 0;
}

static json_t *ticks_json(const struct hv_bill *bill, const struct row *row)
{
	uint64_t kernel = row->ticks - row->user - row->waiting;
	uint64_t floor = bill->cheapest * row->timed;

	/* Those that slept have switched, too, but nobody knows apart from waiting. */
	if (floor > kernel)
		floor = kernel;
	return json_pack("{s:I, s:I, s:I, s:I}", "switch", (json_int_t)floor, "kernel",
			 (json_int_t)(kernel - floor), "user", (json_int_t)row->user, "waiting",
			 (json_int_t)row->waiting);
}

static json_t *over_time(const struct row *row, unsigned int steps)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < steps; i++)
		json_array_append_new(array, json_integer(row->step[i]));
	return array;
}

static json_t *row_json(const struct hv_bill *bill, const struct row *row, double seconds,
			uint64_t all, unsigned int steps)
{
	return json_pack("{s:o, s:s, s:I, s:f, s:f, s:I, s:I, s:o, s:o}", "what", name_of(row),
			 "reason", vmx_exit_name(row->reason), "count", (json_int_t)row->count,
			 "per_second", seconds > 0 ? row->count / seconds : 0.0, "share",
			 all ? (double)cost(row) / all : 0.0, "p50",
			 (json_int_t)percentile(row, 50), "p99", (json_int_t)percentile(row, 99),
			 "ticks", ticks_json(bill, row), "over_time", over_time(row, steps));
}

static unsigned int count_steps(const struct hv_bill *bill)
{
	unsigned int last = 0;

	for (unsigned int i = 0; i < bill->rows; i++)
		for (unsigned int j = last; j < STEPS; j++)
			if (bill->row[i]->step[j])
				last = j + 1;
	return last;
}

json_t *hv_bill_json(const struct hv_bill *bill, const char *name, double seconds)
{
	struct row *sorted[ROWS_MAX];
	json_t *rows = json_array(), *object;
	uint64_t all = 0, waiting = 0;
	unsigned int steps = count_steps(bill);

	memcpy(sorted, bill->row, sizeof(sorted));
	qsort(sorted, bill->rows, sizeof(*sorted), dearer);
	for (unsigned int i = 0; i < bill->rows; i++) {
		all += cost(sorted[i]);
		waiting += sorted[i]->waiting;
	}
	for (unsigned int i = 0; i < bill->rows; i++)
		json_array_append_new(rows, row_json(bill, sorted[i], seconds, all, steps));
	object = json_pack("{s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "name", name,
			   "seconds", seconds, "tsc_khz", (json_int_t)bill->tsc_khz, "exits",
			   (json_int_t)bill->exits, "missed", (json_int_t)bill->missed,
			   "inside_ticks", (json_int_t)bill->inside, "outside_ticks",
			   (json_int_t)all, "waiting_ticks", (json_int_t)waiting, "switch_ticks",
			   (json_int_t)bill->cheapest, "rows", rows);
	if (object && bill->tsc_khz)
		json_object_set_new(object, "step_ms",
				    json_real((double)bill->step_ticks / bill->tsc_khz));
	if (object && bill->rows && all)
		json_object_set_new(
			object, "advice",
			json_pack("{s:o, s:s}", "what", name_of(sorted[0]), "text",
				  hv_bill_advice(sorted[0]->reason, sorted[0]->detail)));
	return object;
}
