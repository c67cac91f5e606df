// SPDX-License-Identifier: GPL-2.0-only
/* The exits of a VM one after the other, in three forms. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"
#include "flight_log.h"
#include "lib/text.h"
#include "vmx/names.h"

/* Of what HV_FLIGHT_SAVED writes; its first line says so. */
#define VERSION 1
#define VCPUS_MAX 4096
#define LINE_MAX_BYTES 4096

static double us_of(const struct hv_flight_log *log, uint64_t ticks)
{
	return (double)(int64_t)ticks * 1000 / (double)(log->khz ?: 1000000);
}

static void put(const struct hv_flight_log *log, json_t *object)
{
	if (!object || json_dumpf(object, log->out, JSON_COMPACT | JSON_REAL_PRECISION(15)))
		fputs("{}", log->out);
	json_decref(object);
}

static void put_line(const struct hv_flight_log *log, json_t *object)
{
	put(log, object);
	fputc('\n', log->out);
}

/* An element behind another one: the first is in hv_flight_log_begin(). */
static void put_event(const struct hv_flight_log *log, json_t *object)
{
	fputs(",\n", log->out);
	put(log, object);
}

/* -------------------------------------------------------------------- begin */

static json_t *name_event(const char *what, unsigned int thread, json_t *name)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:{s:o}}", "ph", "M", "name", what, "pid", 1, "tid",
			 thread, "args", "name", name);
}

static void begin_chrome(const struct hv_flight_log *log, const char *name, unsigned int vcpus)
{
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", log->out);
	put(log, name_event("process_name", 0, json_string(name)));
	for (unsigned int i = 0; i < vcpus; i++)
		put_event(log, name_event("thread_name", i, json_sprintf("vCPU %u", i)));
}

void hv_flight_log_begin(struct hv_flight_log *log, const char *name, unsigned int vcpus)
{
	switch (log->form) {
	case HV_FLIGHT_TEXT:
		fprintf(log->out, "%4s %14s ", "vCPU", "us");
		hv_flight_print_head(log->out);
		break;
	case HV_FLIGHT_SAVED:
		put_line(log, json_pack("{s:i, s:s, s:i, s:I}", "hvctl-trace", VERSION, "name",
					name, "vcpus", vcpus, "tsc_khz", (json_int_t)log->khz));
		break;
	case HV_FLIGHT_CHROME:
		begin_chrome(log, name, vcpus);
		break;
	}
}

/* ---------------------------------------------------------------------- add */

static void add_chrome(const struct hv_flight_log *log, unsigned int vcpu,
		       const struct tinyvmx_record *record, uint64_t outside)
{
	char words[HV_FLIGHT_WORDS];

	hv_flight_describe(record, words, sizeof(words));
	put_event(log, json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f}", "ph", "X", "name", "guest",
				 "cat", "guest", "pid", 1, "tid", vcpu, "ts",
				 us_of(log, record->entered), "dur",
				 us_of(log, hv_flight_inside(record))));
	put_event(log,
		  json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:{s:I, s:s, s:o, s:f}}", "ph",
			    "X", "name", vmx_exit_name(record->reason), "cat", "exit", "pid", 1,
			    "tid", vcpu, "ts", us_of(log, record->exited), "dur",
			    us_of(log, outside), "args", "exit", (json_int_t)record->sequence,
			    "why", words, "rip", json_sprintf("0x%" PRIx64, (uint64_t)record->rip),
			    "hvctl_us", us_of(log, record->user_ticks)));
}

static void add_saved(const struct hv_flight_log *log, unsigned int vcpu,
		      const struct tinyvmx_record *record, uint64_t outside)
{
	json_t *object = hv_flight_json(record, outside);

	json_object_set_new(object, "vcpu", json_integer(vcpu));
	put_line(log, object);
}

void hv_flight_log_add(struct hv_flight_log *log, unsigned int vcpu,
		       const struct tinyvmx_record *record, uint64_t outside)
{
	if (!log->first)
		log->first = record->exited;
	switch (log->form) {
	case HV_FLIGHT_TEXT:
		fprintf(log->out, "%4u %14.3f ", vcpu, us_of(log, record->exited - log->first));
		hv_flight_print(record, outside, log->out);
		break;
	case HV_FLIGHT_SAVED:
		add_saved(log, vcpu, record, outside);
		break;
	case HV_FLIGHT_CHROME:
		add_chrome(log, vcpu, record, outside);
		break;
	}
}

/* Trace events have a time, what was missed has none that is known: that is told at the end. */
void hv_flight_log_miss(struct hv_flight_log *log, unsigned int vcpu, uint64_t missed)
{
	log->missed += missed;
	if (log->form == HV_FLIGHT_SAVED)
		put_line(log, json_pack("{s:i, s:I}", "vcpu", vcpu, "missed", (json_int_t)missed));
	else if (log->form == HV_FLIGHT_TEXT)
		fprintf(log->out, "%4u %14s (%" PRIu64 " exits were missed)\n", vcpu, "-", missed);
}

void hv_flight_log_end(struct hv_flight_log *log)
{
	if (log->form == HV_FLIGHT_CHROME)
		fprintf(log->out, "\n],\"otherData\":{\"missed\":%" PRIu64 "}}\n", log->missed);
}

/* --------------------------------------------------------------------- read */

static bool read_number(const json_t *object, const char *key, json_int_t max, json_int_t *value)
{
	const json_t *integer = json_object_get(object, key);

	*value = json_integer_value(integer);
	return json_is_integer(integer) && *value >= 0 && *value <= max;
}

static bool read_begin(const json_t *line, const struct hv_flight_reader *reader)
{
	const char *name = json_string_value(json_object_get(line, "name"));
	json_int_t version, vcpus, khz;
	char clean[100];

	if (!read_number(line, "hvctl-trace", VERSION, &version) || version != VERSION || !name ||
	    !read_number(line, "vcpus", VCPUS_MAX, &vcpus) ||
	    !read_number(line, "tsc_khz", UINT32_MAX, &khz))
		return false;
	hv_text_clean(clean, sizeof(clean), name, strlen(name));
	reader->begin(reader->ctx, clean, (unsigned int)vcpus, (uint64_t)khz);
	return true;
}

/* Of the lines behind the first. False: it is none of ours. *@more: whether to go on. */
static bool read_line(const json_t *line, const struct hv_flight_reader *reader, bool *more)
{
	json_int_t vcpu, missed, outside = 0;
	struct tinyvmx_record record;

	if (!read_number(line, "vcpu", VCPUS_MAX, &vcpu))
		return false;
	if (json_object_get(line, "missed")) {
		if (!read_number(line, "missed", INT64_MAX, &missed))
			return false;
		reader->miss(reader->ctx, (unsigned int)vcpu, (uint64_t)missed);
		return true;
	}
	if (!hv_flight_from_json(&record, line) ||
	    (json_object_get(line, "outside_ticks") &&
	     !read_number(line, "outside_ticks", INT64_MAX, &outside)))
		return false;
	*more = reader->add(reader->ctx, (unsigned int)vcpu, &record, (uint64_t)outside);
	return true;
}

int hv_flight_log_read(FILE *in, const struct hv_flight_reader *reader, struct hv_error *err)
{
	char text[LINE_MAX_BYTES];
	bool good = true, more = true;

	err->line = 0;
	while (good && more && fgets(text, sizeof(text), in)) {
		json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

		err->line++;
		good = err->line == 1 ? read_begin(line, reader) : read_line(line, reader, &more);
		json_decref(line);
	}
	if (ferror(in))
		return hv_fail(err, errno, "%s", strerror(errno));
	if (good && err->line)
		return 0;
	return hv_fail_at(err, err->line ?: 1, EINVAL,
			  "is none that 'hvctl trace --save' has written; give it one, whole");
}
