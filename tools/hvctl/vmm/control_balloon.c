// SPDX-License-Identifier: GPL-2.0-only
/* The control channel's request "balloon": how it is, and how it shall be. */
#include <errno.h>

#include "control.h"
#include "lib/tvx.h"
#include "virtio/balloon.h"
#include "virtio/pci.h"

/* Machines have one; of several it is the first. */
static struct hv_virtio *find(const struct hv_machine *machine)
{
	for (unsigned int n = 0; n < machine->nr_devices; n++)
		if (hv_is_balloon(machine->devices[n].dev))
			return machine->devices[n].dev;
	return NULL;
}

static int set_target(struct hv_virtio *balloon, uint64_t memory, const json_t *target,
		      struct hv_error *err)
{
	if (!json_is_integer(target) || json_integer_value(target) < 0)
		return hv_fail(err, EINVAL, "\"target\" is no number of bytes; mend it");
	if ((uint64_t)json_integer_value(target) > memory)
		return hv_fail(err, EINVAL,
			       "%llu MiB are more than the guest's RAM, %llu MiB; ask for less",
			       (unsigned long long)(json_integer_value(target) / HV_MIB),
			       (unsigned long long)(memory / HV_MIB));
	hv_balloon_set(balloon, json_integer_value(target));
	return 0;
}

/* What the guest has counted: memory in bytes. */
static json_t *counts(const struct hv_balloon_facts *facts)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < HV_BALLOON_COUNTS; i++) {
		const struct hv_balloon_count *row = &hv_balloon_counts[i];

		/* What a guest claims may be any number; those of JSON have a sign. */
		if (facts->known >> i & 1)
			json_object_set_new(object, row->name,
					    json_integer(facts->count[i] & INT64_MAX));
	}
	return object;
}

int hv_control_balloon(struct hv_control_client *client, const json_t *line, json_t *reply,
		       struct hv_error *err)
{
	const struct hv_machine *machine = client->control->machine;
	const json_t *target = json_object_get(line, "target");
	struct hv_virtio *balloon = find(machine);
	struct hv_balloon_facts facts;
	int error = 0;

	if (!balloon)
		return hv_fail(err, EOPNOTSUPP,
			       "it has no balloon; start it with --device balloon");
	if (target)
		error = set_target(balloon, machine->memory.size, target, err);
	if (error)
		return error;
	hv_balloon_look(balloon, &facts);
	/* For the next who asks. */
	hv_balloon_ask(balloon);
	json_object_set_new(reply, "target", json_integer(facts.target));
	json_object_set_new(reply, "actual", json_integer(facts.actual));
	json_object_set_new(reply, "resident", json_integer(hv_memory_resident(&machine->memory)));
	if (!facts.told_ns)
		return 0;
	json_object_set_new(reply, "counts", counts(&facts));
	json_object_set_new(reply, "counts_time_ns", json_integer(facts.told_ns));
	return 0;
}
