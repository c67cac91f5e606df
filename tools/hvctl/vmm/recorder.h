/* SPDX-License-Identifier: GPL-2.0-only */
/* The flight recorders of a machine: one a vCPU, all on or all off. */
#ifndef HV_VMM_RECORDER_H
#define HV_VMM_RECORDER_H

#include "machine.h"

/*
 * Rings come and go with machine->lock held: so who holds it reads the flight recorder of any
 * vCPU (struct hv_flight), also while the guest runs.
 */

/**
 * hv_vcpu_record() - have a vCPU record as its machine does (hv_machine.records)
 * @vcpu: it does not run
 * @err: filled in on failure
 *
 * Returns 0 or -errno.
 */
int hv_vcpu_record(struct hv_vcpu *vcpu, struct hv_error *err);

/* Its ring goes, and with it what was not read; what comes after goes on with the numbers. */
void hv_vcpu_forget_records(struct hv_vcpu *vcpu);

/**
 * hv_machine_record() - switch all recorders on or off
 * @machine: paused
 * @on: with as many records as it has had before, else as many as there can be
 * @err: filled in on failure: then those that were on are off
 *
 * Returns 0 or -errno. Context: machine->lock held.
 */
int hv_machine_record(struct hv_machine *machine, bool on, struct hv_error *err);

#endif
