/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands on running VMs share. */
#ifndef HV_CMD_REACH_H
#define HV_CMD_REACH_H

#include "control/client.h"

/* "COMMAND: NAME: why" on standard error; @name may be NULL. Returns the exit status. */
int hv_reach_fail(const char *command, const char *name, const struct hv_error *err);

/**
 * hv_reach() - connect to the VM that @word means
 * @client: filled in; hv_client_close() it, also on failure
 * @word: what the user calls it by
 * @err: filled in on failure
 *
 * Returns 0 or -errno.
 */
int hv_reach(struct hv_client *client, const char *word, struct hv_error *err);

/* The same, by its whole name: one that has ended is not taken for another whose name begins so. */
int hv_reach_named(struct hv_client *client, const char *name, struct hv_error *err);

/**
 * hv_reach_end() - wait until it has ended, and tell how on standard output
 * @client: which has asked for "wait"
 * @status: filled in: its exit status; that of an error if it has not said any
 * @err: filled in on failure
 *
 * Returns 0 or -errno.
 */
int hv_reach_end(struct hv_client *client, int *status, struct hv_error *err);

#endif
