/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -d: the VM lives in a process of its own, without terminal, in a session of its own. Who has
 * started it waits until it runs, and tells what went wrong before.
 */
#ifndef HV_VMM_DETACH_H
#define HV_VMM_DETACH_H

#include "control.h"

struct hv_detach {
	int told_fd;			/* a pipe to who waits; -1: nobody does */
	int stderr_fd;			/* of who waits */
	int log_fd;			/* of the VM; -1: none yet */
};

#define HV_DETACH_NONE { .told_fd = -1, .stderr_fd = -1, .log_fd = -1 }

/**
 * hv_detach_fork() - go on in a process of our own
 * @detach: filled in
 * @status: in the process that was: how it ended, the exit status
 * @err: filled in on failure
 *
 * Returns 0 in the new process; 1 in the old one, when the VM runs or does not; or -errno.
 */
int hv_detach_fork(struct hv_detach *detach, int *status, struct hv_error *err);

/* From here on what we say goes into the VM's log. Returns 0 or -errno. Not detached: nothing. */
int hv_detach_open_log(struct hv_detach *detach, struct hv_control *control, struct hv_error *err);

/* It runs: tell so, and all that was said. False: nobody waits for it any more. */
bool hv_detach_tell(struct hv_detach *detach, const struct hv_control *control);

/* It does not run: tell what was said, and that may be why. */
void hv_detach_fail(struct hv_detach *detach);

/* At the end: a log that says nothing goes. */
void hv_detach_close_log(struct hv_detach *detach, const struct hv_control *control);

#endif
