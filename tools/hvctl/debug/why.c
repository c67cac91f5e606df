// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verdicts on a guest that seems to hang: it is halted, and for what; it goes round in a small
 * circle; it exits over and over at one place; or it gets on.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "why.h"

/* Code that goes round within so many bytes spins. */
#define CIRCLE 64
/* So many exits a second, of one kind, are a storm. */
#define STORM 1000

static uint64_t address(const json_t *vcpu)
{
	return strtoull(hv_fact_string(vcpu, "rip"), NULL, 16);
}

static const json_t *vcpu_of(const json_t *sample, size_t n)
{
	return json_array_get(json_object_get(sample, "vcpus"), n);
}

/* One vCPU, through all samples. */
struct course {
	const json_t *first, *last;	/* what was seen of it */
	const char *exit_at;		/* of the last look that told; "": none did */
	double seconds;			/* in between */
	uint64_t low, high;		/* of RIP */
	bool halted, enabled;		/* always; interrupts, at any time */
};

static bool follow(const json_t *samples, size_t n, struct course *course)
{
	const json_t *begin = json_array_get(samples, 0);
	size_t count = json_array_size(samples);
	const json_t *end = json_array_get(samples, count - 1);

	*course = (struct course){ .exit_at = "", .low = UINT64_MAX, .halted = true };
	course->first = vcpu_of(begin, n);
	course->last = vcpu_of(end, n);
	course->seconds =
		(hv_fact_integer(end, "time_ns") - hv_fact_integer(begin, "time_ns")) / 1e9;
	if (course->seconds <= 0)
		course->seconds = 0.001;
	for (size_t i = 0; i < count; i++) {
		const json_t *vcpu = vcpu_of(json_array_get(samples, i), n);
		const char *at = hv_fact_string(vcpu, "exit_at");
		uint64_t rip = address(vcpu);

		if (!vcpu)
			return false;
		course->low = rip < course->low ? rip : course->low;
		course->high = rip > course->high ? rip : course->high;
		course->exit_at = *at ? at : course->exit_at;
		course->halted &= !strcmp(hv_fact_string(vcpu, "activity"), "halted");
		course->enabled |= json_is_true(json_object_get(vcpu, "interrupts"));
	}
	return true;
}

/* -------------------------------------------------------------------- exits */

/* Those that are the host's own affair, our looks among them. */
static bool is_of_host(const char *reason)
{
	return !strcmp(reason, "external interrupt") ||
	       !strcmp(reason, "VMX-preemption timer expired");
}

/* The kind of exit that came most, and how often a second. */
static const char *most_exits(const struct course *course, double *rate)
{
	json_t *now = json_object_get(course->last, "exits"), *value;
	const json_t *before = json_object_get(course->first, "exits");
	const char *reason, *most = NULL;
	json_int_t times, best = 0;

	json_object_foreach(now, reason, value) {
		times = json_integer_value(value) - hv_fact_integer(before, reason);
		if (times <= best || is_of_host(reason))
			continue;
		best = times;
		most = reason;
	}
	*rate = best / course->seconds;
	return most;
}

/* ------------------------------------------------------------------ verdicts */

static const char *place(const json_t *vcpu, char *text, size_t len)
{
	const char *symbol = hv_fact_string(vcpu, "symbol");

	snprintf(text, len, "%s%s%s", hv_fact_string(vcpu, "rip"), *symbol ? ", " : "", symbol);
	return text;
}

static json_t *verdict(const char *kind, json_t *text)
{
	return json_pack("{s:s, s:o}", "verdict", kind, "text", text);
}

static const char *interrupts(const struct course *course)
{
	return course->enabled ? "" : ", with interrupts disabled";
}

/* What it waits for, and whether that will come. */
static json_t *halted(const struct course *course)
{
	const char *requested = hv_fact_string(course->last, "requested");
	json_t *timer = json_object_get(course->last, "timer_ms");
	char where[300], what[120];

	place(course->last, where, sizeof(where));
	if (!course->enabled)
		return verdict("halted",
			       json_sprintf("halted with interrupts disabled, RIP %s: %s", where,
					    "only an NMI, an INIT or a reset wakes it"));
	if (*requested)
		snprintf(what, sizeof(what), "vector %s is requested, but its priority is too low",
			 requested);
	else if (timer)
		snprintf(what, sizeof(what), "the local APIC's timer goes off in %lld ms",
			 (long long)json_integer_value(timer));
	else
		snprintf(what, sizeof(what),
			 "nothing is requested, and the local APIC's timer is not armed");
	return verdict("waits",
		       json_sprintf("halted, waits for an interrupt, RIP %s: %s", where, what));
}

static json_t *storm(const struct course *course, const char *reason, double rate)
{
	const char *at = course->exit_at;
	char where[300];

	return verdict("storm",
		       json_sprintf("exit storm: %.0f a second of %s%s%s, last at RIP %s%s", rate,
				    reason, *at ? ", " : "", at,
				    place(course->last, where, sizeof(where)), interrupts(course)));
}

static json_t *running(const struct course *course)
{
	char where[300];

	place(course->last, where, sizeof(where));
	if (course->high - course->low < CIRCLE)
		return verdict("spins",
			       json_sprintf("spins at %s (within %llu bytes)%s", where,
					    (unsigned long long)(course->high - course->low) + 1,
					    interrupts(course)));
	return verdict("executes",
		       json_sprintf("executes, last at %s, between 0x%llx and 0x%llx%s", where,
				    (unsigned long long)course->low,
				    (unsigned long long)course->high, interrupts(course)));
}

static json_t *judge(const struct course *course)
{
	const char *activity = hv_fact_string(course->last, "activity"), *reason;
	double rate;

	if (!strcmp(activity, "waits for a start-up IPI"))
		return verdict(
			"parked",
			json_string("waits for a start-up IPI: no other CPU has started it"));
	reason = most_exits(course, &rate);
	/* One that halts over and over is woken as often: that is a storm, too. */
	if (reason && rate >= STORM)
		return storm(course, reason, rate);
	return course->halted ? halted(course) : running(course);
}

/* What holds for the whole VM; NULL: its vCPUs are to be looked at. */
static const char *of_vm(const json_t *sample)
{
	const char *state = hv_fact_string(sample, "state");

	if (!strcmp(state, "paused"))
		return "paused: 'hvctl resume' has it go on";
	if (!strcmp(state, "ending"))
		return "has ended, and waits for its console's reader: read it, or 'hvctl kill'";
	if (json_is_true(json_object_get(sample, "held_back")))
		return "held back: the reader of its console takes nothing, read it";
	return NULL;
}

json_t *hv_why(const json_t *samples)
{
	const json_t *last = json_array_get(samples, json_array_size(samples) - 1);
	json_t *vcpus = json_array();
	const char *whole = of_vm(last);

	if (whole)
		return json_pack("{s:s, s:s, s:o}", "state", hv_fact_string(last, "state"), "text",
				 whole, "vcpus", vcpus);
	for (size_t n = 0; n < json_array_size(json_object_get(last, "vcpus")); n++) {
		struct course course;
		json_t *one;

		if (!follow(samples, n, &course)) {
			json_decref(vcpus);
			return NULL;
		}
		one = judge(&course);
		json_object_set_new(one, "vcpu", json_integer(n));
		json_array_append_new(vcpus, one);
	}
	return json_pack("{s:s, s:o}", "state", hv_fact_string(last, "state"), "vcpus", vcpus);
}
