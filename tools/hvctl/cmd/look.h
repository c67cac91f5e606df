/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands share that look at a VM by one request. */
#ifndef HV_CMD_LOOK_H
#define HV_CMD_LOOK_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/error.h"

struct hv_look {
	const char *name;
	int vcpu;			/* -1: the first */
	bool json;
};

/* --json, --vcpu and NAME, into a struct hv_look. */
extern const struct argp_option hv_look_options[];
error_t hv_look_parse(int key, char *arg, struct argp_state *state);

/**
 * hv_look() - ask and show the answer
 * @command: "hvctl COMMAND"
 * @look: whom, and how it is to be shown
 * @request: without "vcpu"; it goes
 * @print: for people; 0, or -errno with the error filled in
 *
 * Returns the command's status.
 */
int hv_look(const char *command, const struct hv_look *look, json_t *request,
	    int (*print)(const json_t *reply, struct hv_error *err));

#endif
