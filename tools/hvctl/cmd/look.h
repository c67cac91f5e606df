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
	/* Words behind the name, from @least to @most of them; what is said if one is not there. */
	const char *word[2];
	unsigned int words, least, most;
	const char *missing;
};

#define HV_LOOK_OPTIONS                                                         \
	{ "json", 'j', NULL, 0, "for programs: an object", 0 },                 \
	{ "vcpu", 'c', "N", 0, "of that vCPU, from 0 on (default 0)", 0 }

/* A reply's facts, as an object on stdout. */
void hv_look_print_json(json_t *reply);

/* These, NAME and the words, into a struct hv_look. */
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
