/* SPDX-License-Identifier: GPL-2.0-only */
/* The other end of a VM's console: this process' terminal. */
#ifndef HV_VMM_ATTACH_H
#define HV_VMM_ATTACH_H

#include "control/client.h"

enum hv_attach_end {
	HV_ATTACH_LEFT,			/* by the user */
	HV_ATTACH_ENDED,		/* the VM says no more */
	HV_ATTACH_FAILED		/* @err */
};

/**
 * hv_attach() - have the console of @client's VM on standard input and output
 * @client: that has just asked for it
 * @types: what is typed goes there
 * @resized: it is on a terminal, which we have now, or again, or which has another size; by the
 *	thread that calls
 * @err: filled in on failure
 *
 * A terminal is raw meanwhile, and as it was on every way out. Does not return after a signal
 * that kills.
 */
enum hv_attach_end hv_attach(struct hv_client *client, bool types,
			     void (*resized)(const struct hv_client *client), struct hv_error *err);

#endif
