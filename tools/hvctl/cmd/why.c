// SPDX-License-Identifier: GPL-2.0-only
/* hvctl why: what a guest does that seems to hang. */
#include <argp.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "debug/why.h"
#include "lib/status.h"
#include "look.h"
#include "reach.h"

#define INTERVAL_NS 10000000L

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "for programs: an object", 0 },
	{ 0 }
};

const struct argp hv_argp_why = {
	.options = options,
	.parser = hv_look_parse,
	.args_doc = "NAME",
	.doc = "Tell what a VM does that seems to hang, a line for each vCPU.\v"
	       "It is looked at some times within a tenth of a second: does it halt, and for what, does it "
	       "go round at one place, does it exit over and over?",
};

/* An array of replies; NULL: @err says why. */
static json_t *look_often(struct hv_client *client, struct hv_error *err)
{
	const struct timespec interval = { .tv_nsec = INTERVAL_NS };
	json_t *samples = json_array(), *reply;

	for (unsigned int i = 0; i < HV_WHY_SAMPLES; i++) {
		if (hv_client_call(client, json_pack("{s:s}", "request", "why"), &reply, err)) {
			json_decref(samples);
			return NULL;
		}
		json_array_append_new(samples, reply);
		nanosleep(&interval, NULL);
	}
	return samples;
}

static void print(const char *name, const json_t *why)
{
	json_t *vcpus = json_object_get(why, "vcpus"), *vcpu;
	const char *text = json_string_value(json_object_get(why, "text"));
	size_t i;

	if (text)
		printf("%s: %s\n", name, text);
	json_array_foreach(vcpus, i, vcpu)
		printf("vCPU %zu %s\n", i, json_string_value(json_object_get(vcpu, "text")) ?: "");
}

static int command(struct hv_client *client, const struct hv_look *look, struct hv_error *err)
{
	json_t *samples = look_often(client, err), *why;

	if (!samples)
		return -1;
	why = hv_why(samples);
	json_decref(samples);
	if (!why)
		return hv_fail(err, EPROTO,
			       "it tells otherwise; use the hvctl that it was started with");
	if (look->json) {
		json_dumpf(why, stdout, JSON_INDENT(1));
		putchar('\n');
	} else {
		print(client->name, why);
	}
	json_decref(why);
	return 0;
}

int hv_cmd_why(int argc, char **argv)
{
	struct hv_look look = { .vcpu = -1 };
	struct hv_client client;
	struct hv_error err;
	int status = HV_STATUS_OK;

	hv_command_parse(&hv_argp_why, argc, argv, &look);
	if (hv_reach(&client, look.name, &err)) {
		status = hv_reach_fail(argv[0], look.name, &err);
	} else if (command(&client, &look, &err)) {
		hv_reach_fail(argv[0], client.name, &err);
		status = HV_STATUS_ERROR;
	}
	hv_client_close(&client);
	return status ? status : hv_command_finish(argv[0], HV_STATUS_OK);
}
