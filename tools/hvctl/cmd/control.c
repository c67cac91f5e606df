// SPDX-License-Identifier: GPL-2.0-only
/* hvctl stop, reset, pause, resume, kill, nmi, wait: a word to VMs that run. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "lib/status.h"
#include "reach.h"

struct words {
	char **name;
	unsigned int count;
	int timeout;			/* in seconds; -1: not said */
};

enum { OPT_TIMEOUT = 't' };

static const struct argp_option stop_options[] = {
	{ "timeout", OPT_TIMEOUT, "SECONDS", 0,
	  "power it off if the guest has not done so by then (default 30)", 0 },
	{ 0 }
};

static int parse_timeout(struct argp_state *state, const char *arg)
{
	char *end;
	long value = strtol(arg, &end, 10);

	if (end == arg || *end || value < 0 || value > HV_CONTROL_STOP_MAX)
		argp_failure(state, HV_STATUS_USAGE, 0, "--timeout %s: give 0 to %u seconds", arg,
			     HV_CONTROL_STOP_MAX);
	return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct words *words = state->input;

	switch (key) {
	case OPT_TIMEOUT:
		words->timeout = parse_timeout(state, arg);
		return 0;
	case ARGP_KEY_ARGS:
		words->name = state->argv + state->next;
		words->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		hv_command_no_name(state);
	}
	return ARGP_ERR_UNKNOWN;
}

#define VERB(options_, doc_)                                                          \
	{                                                                             \
		.options = options_, .parser = parse, .args_doc = "NAME...", .doc = doc_ \
	}

const struct argp hv_argp_stop = VERB(
	stop_options,
	"Press the power button of VMs, and wait until they have ended.\v"
	"NAME is a VM's name, the beginning of it, or the number of its process. One that does not "
	"react is powered off. The status is 0 when they have ended.");
const struct argp hv_argp_reset = VERB(NULL, "Press the reset button of VMs.");
const struct argp hv_argp_pause = VERB(NULL, "Have VMs stand still, and their time.");
const struct argp hv_argp_resume = VERB(NULL, "Have paused VMs go on.");
const struct argp hv_argp_kill =
	VERB(NULL, "End VMs at once, as if their plug was pulled; the guests are not asked.");
const struct argp hv_argp_nmi = VERB(NULL, "Send an NMI to each CPU of VMs.");
const struct argp hv_argp_wait = VERB(NULL, "Wait until VMs have ended.\v"
					    "The status is that of 'hvctl run', of the last.");

static json_t *request_of(const char *verb, const struct words *words)
{
	if (words->timeout < 0)
		return json_pack("{s:s}", "request", verb);
	return json_pack("{s:s, s:i}", "request", verb, "timeout", words->timeout);
}

/* Who waits says so first: else it may have ended before. */
static int tell(struct hv_client *client, const char *verb, const struct words *words, bool wait,
		struct hv_error *err)
{
	json_t *reply = NULL;
	int error = 0;

	if (wait)
		error = hv_client_call(client, json_pack("{s:s}", "request", "wait"), &reply, err);
	json_decref(reply);
	reply = NULL;
	if (!error && strcmp(verb, "wait"))
		error = hv_client_call(client, request_of(verb, words), &reply, err);
	if (!error && !strcmp(verb, "stop") && json_is_true(json_object_get(reply, "button")))
		fprintf(stderr, "%s: power button pressed; power-off in %lld s at the latest\n",
			client->name,
			(long long)json_integer_value(json_object_get(reply, "timeout")));
	json_decref(reply);
	return error;
}

/* Ours; @end is the VM's own, if it was waited for. */
static int to_one(const char *command, const char *verb, const struct words *words,
		  const char *word, bool wait, int *end)
{
	struct hv_client client;
	struct hv_error err;
	int status = HV_STATUS_OK, error = hv_reach(&client, word, &err);

	if (error) {
		status = hv_reach_fail(command, word, &err);
	} else if (tell(&client, verb, words, wait, &err) ||
		   (wait && hv_reach_end(&client, end, &err))) {
		hv_reach_fail(command, client.name, &err);
		status = HV_STATUS_ERROR;
	}
	hv_client_close(&client);
	return status;
}

/* The first that fails has the status; of those that are waited for the last. */
static int verb(const struct argp *argp, int argc, char **argv)
{
	const char *name = strrchr(argv[0], ' ') + 1;
	bool wait = argp == &hv_argp_wait || argp == &hv_argp_stop || argp == &hv_argp_kill;
	struct words words = { .timeout = -1 };
	int status = HV_STATUS_OK;

	hv_command_parse(argp, argc, argv, &words);
	for (unsigned int i = 0; i < words.count; i++) {
		int end = HV_STATUS_OK;
		int one = to_one(argv[0], name, &words, words.name[i], wait, &end);

		/* How a guest ends that was told to is no failure of ours. */
		if (argp == &hv_argp_wait)
			status = one ? one : end;
		else
			status = status ? status : one;
	}
	return status;
}

int hv_cmd_stop(int argc, char **argv)
{
	return verb(&hv_argp_stop, argc, argv);
}

int hv_cmd_reset(int argc, char **argv)
{
	return verb(&hv_argp_reset, argc, argv);
}

int hv_cmd_pause(int argc, char **argv)
{
	return verb(&hv_argp_pause, argc, argv);
}

int hv_cmd_resume(int argc, char **argv)
{
	return verb(&hv_argp_resume, argc, argv);
}

int hv_cmd_kill(int argc, char **argv)
{
	return verb(&hv_argp_kill, argc, argv);
}

int hv_cmd_nmi(int argc, char **argv)
{
	return verb(&hv_argp_nmi, argc, argv);
}

int hv_cmd_wait(int argc, char **argv)
{
	return verb(&hv_argp_wait, argc, argv);
}
