/* SPDX-License-Identifier: GPL-2.0-only */
/* The sandbox around a machine that is about to run. */
#ifndef HV_VMM_CONFINE_H
#define HV_VMM_CONFINE_H

#include "control.h"
#include "machine.h"

/**
 * hv_confine_others() - have all threads but the caller's give up what they do not need
 * @machine: with all that it opens open, and none of its vCPUs' threads started: they begin with it
 * @control: its channel, or NULL; there until the process ends
 * @err: filled in on failure
 *
 * The main thread, which calls it, has then to call hv_sandbox_enter(HV_SANDBOX_LOOP). Returns 0 or
 * -errno.
 */
int hv_confine_others(struct hv_machine *machine, struct hv_control *control, struct hv_error *err);

#endif
