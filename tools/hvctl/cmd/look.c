// SPDX-License-Identifier: GPL-2.0-only
/* A look at a VM: one request, and its answer for people or for programs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "lib/status.h"
#include "look.h"
#include "reach.h"

enum { OPT_JSON = 'j', OPT_VCPU = 'c' };

const struct argp_option hv_look_options[] = {
	HV_LOOK_OPTIONS,
	{ 0 }
};

static int parse_vcpu(struct argp_state *state, const char *arg)
{
	char *end;
	long value = strtol(arg, &end, 10);

	if (end == arg || *end || value < 0 || value > 0xffff)
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "--vcpu %s: is no number; give one from 0 on", arg);
	return value;
}

error_t hv_look_parse(int key, char *arg, struct argp_state *state)
{
	struct hv_look *look = state->input;

	switch (key) {
	case OPT_JSON:
		look->json = true;
		return 0;
	case OPT_VCPU:
		look->vcpu = parse_vcpu(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (!look->name)
			look->name = arg;
		else if (look->words < look->most)
			look->word[look->words++] = arg;
		else
			hv_command_no_argument(state, arg);
		return 0;
	case ARGP_KEY_END:
		if (!look->name)
			hv_command_no_name(state);
		if (look->words < look->least)
			argp_failure(state, HV_STATUS_USAGE, 0, "%s given; see --help",
				     look->missing);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

void hv_look_print_json(json_t *reply)
{
	json_object_del(reply, "reply");
	json_object_del(reply, "ok");
	json_dumpf(reply, stdout, JSON_INDENT(1));
	putchar('\n');
}

/* @request goes. 0 or -errno. */
static int ask(struct hv_client *client, const struct hv_look *look, json_t *request,
	       int (*print)(const json_t *reply, struct hv_error *err), struct hv_error *err)
{
	json_t *reply;
	int error = hv_client_call(client, request, &reply, err);

	if (error)
		return error;
	if (look->json)
		hv_look_print_json(reply);
	else
		error = print(reply, err);
	json_decref(reply);
	return error;
}

int hv_look(const char *command, const struct hv_look *look, json_t *request,
	    int (*print)(const json_t *reply, struct hv_error *err))
{
	struct hv_client client;
	struct hv_error err;
	int status = HV_STATUS_OK;

	/* JSON is UTF-8. */
	if (!request) {
		fprintf(stderr, "%s: that address is no text; give a number or a register\n",
			command);
		return HV_STATUS_USAGE;
	}
	if (look->vcpu >= 0)
		json_object_set_new(request, "vcpu", json_integer(look->vcpu));
	if (hv_reach(&client, look->name, &err)) {
		json_decref(request);
		status = hv_reach_fail(command, look->name, &err);
	} else if (ask(&client, look, request, print, &err)) {
		hv_reach_fail(command, client.name, &err);
		status = HV_STATUS_ERROR;
	}
	hv_client_close(&client);
	return status ? status : hv_command_finish(command, HV_STATUS_OK);
}
