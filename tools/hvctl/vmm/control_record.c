// SPDX-License-Identifier: GPL-2.0-only
/*
 * The request "record" of the control channel: the exits of a vCPU, as its flight recorder has
 * them. The VM hands out what it is asked for, so that a client who is slow misses some, and
 * costs the guest nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "control.h"
#include "lib/util.h"
#include "recorder.h"

/* Of one reply, which stays below HV_CONTROL_REPLY_MAX. */
#define BATCH 1024

/* For as long as somebody wants it; but one that the user has switched on stays on. */
static int switch_record(struct hv_control *control, bool on, struct hv_error *err)
{
	struct hv_machine *machine = control->machine;
	int error;

	if (!hv_control_begin_look(control, HV_CONTROL_PATIENCE))
		return hv_fail(err, EBUSY, "it is ending, or in the middle of a reset; try again");
	pthread_mutex_lock(&machine->lock);
	error = hv_machine_record(machine, on, err);
	pthread_mutex_unlock(&machine->lock);
	hv_control_end_look(control);
	return error;
}

static bool is_recording(struct hv_machine *machine)
{
	bool on;

	pthread_mutex_lock(&machine->lock);
	on = machine->records;
	pthread_mutex_unlock(&machine->lock);
	return on;
}

static int start(struct hv_control_client *client, struct hv_error *err)
{
	struct hv_control *control = client->control;
	int error;

	if (!is_recording(control->machine)) {
		if (hv_machine_has_ended(control->machine))
			return hv_fail(err, EBUSY, "it has ended, and its exits were not recorded");
		error = switch_record(control, true, err);
		if (error)
			return error;
		control->recording = true;
	}
	client->records = true;
	return 0;
}

void hv_control_stop_record(struct hv_control *control)
{
	struct hv_error ignored;

	for (const struct hv_control_client *other = control->clients; other; other = other->next)
		if (other->records)
			return;
	if (!control->recording || !control->machine || hv_machine_has_ended(control->machine))
		return;
	/* In the middle of a reset it stays on: for the next client to switch off. */
	if (!switch_record(control, false, &ignored))
		control->recording = false;
}

static int parse_from(const json_t *line, uint64_t *from, struct hv_error *err)
{
	const json_t *value = json_object_get(line, "from");

	*from = (uint64_t)json_integer_value(value);
	if (!value || (json_is_integer(value) && json_integer_value(value) > 0))
		return 0;
	return hv_fail(err, EINVAL, "\"from\" is no number of an exit, from 1 on; mend it");
}

/*
 * From @next on, 0: none, from now on. The newest may still change: it is for later, unless that
 * was the last. Returns how many.
 */
static size_t look(struct hv_machine *machine, const struct hv_vcpu *vcpu, uint64_t *next,
		   struct tinyvmx_record *records, uint64_t *missed, bool *over)
{
	bool ended = hv_machine_has_ended(machine);
	uint64_t newest, last;
	size_t n = 0;

	*missed = 0;
	pthread_mutex_lock(&machine->lock);
	newest = hv_flight_newest(&vcpu->flight);
	last = newest && !ended ? newest - 1 : newest;
	if (*next)
		n = hv_flight_read(&vcpu->flight, next, last, records, BATCH, missed);
	else
		*next = newest + 1;
	pthread_mutex_unlock(&machine->lock);
	*over = ended && *next > last;
	return n;
}

int hv_control_record(struct hv_control_client *client, const json_t *line, json_t *reply,
		      struct hv_error *err)
{
	struct hv_machine *machine = client->control->machine;
	struct hv_vcpu *vcpu = hv_control_find_vcpu(machine, line, err);
	struct tinyvmx_record *records;
	uint64_t next, missed;
	json_t *facts;
	bool over;
	size_t n;
	int error = vcpu ? parse_from(line, &next, err) : -EINVAL;

	if (!error)
		error = start(client, err);
	if (error)
		return error;
	records = malloc(BATCH * sizeof(*records));
	if (!records)
		return hv_fail(err, ENOMEM, "no memory for a reply; close something");
	n = look(machine, vcpu, &next, records, &missed, &over);
	facts = json_pack("{s:i, s:i, s:I, s:I, s:I, s:b, s:o}", "vcpu", vcpu->id, "vcpus",
			  machine->nr_vcpus, "tsc_khz", (json_int_t)machine->vm.info.tsc_khz,
			  "next", (json_int_t)next, "missed", (json_int_t)missed, "over", over,
			  "records", hv_flight_pack(records, n));
	free(records);
	error = facts ? json_object_update(reply, facts) : -ENOMEM;
	json_decref(facts);
	return error ? hv_fail(err, ENOMEM, "no memory for a reply; close something") : 0;
}
