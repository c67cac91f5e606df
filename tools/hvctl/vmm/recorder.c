// SPDX-License-Identifier: GPL-2.0-only
/* The flight recorders of a machine. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/lock.h"
#include "lib/tvx.h"
#include "recorder.h"

int hv_vcpu_record(struct hv_vcpu *vcpu, struct hv_error *err)
{
	uint32_t records = vcpu->machine->records;
	struct hv_flight *flight = &vcpu->flight;
	int error;

	if (!records && !flight->ring)
		return 0;
	error = tvx_set_record(vcpu->fd, records);
	if (!error && !flight->ring) {
		error = tvx_map_record(vcpu->fd, records, &flight->ring);
		flight->records = records;
	}
	if (error == -ENOTTY)
		return hv_fail(err, ENOTTY,
			       "this module has no flight recorder; load that of this hvctl");
	return error ? hv_fail(err, -error, "cannot record the exits of vCPU %u: %s", vcpu->id,
			       strerror(-error)) :
		       0;
}

void hv_vcpu_forget_records(struct hv_vcpu *vcpu)
{
	struct hv_flight *flight = &vcpu->flight;

	if (!flight->ring)
		return;
	flight->before = hv_flight_newest(flight);
	munmap((void *)flight->ring, flight->records * sizeof(*flight->ring));
	flight->ring = NULL;
}

static int record(struct hv_machine *machine, uint32_t records, struct hv_error *err)
{
	int error = 0;

	machine->records = records;
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++)
		error = hv_vcpu_record(&machine->vcpus[i], err);
	return error;
}

int hv_machine_record(struct hv_machine *machine, bool on, struct hv_error *err)
{
	/* A ring keeps its size. */
	uint32_t had = hv_machine_bsp(machine)->flight.records;
	struct hv_error ignored;
	int error;

	hv_lock_assert_held(&machine->lock);
	if (!on)
		return record(machine, 0, err);
	error = record(machine, had ?: TINYVMX_MAX_RECORDS, err);
	if (error)
		(void)record(machine, 0, &ignored);
	return error;
}
