// SPDX-License-Identifier: GPL-2.0-only
/* hvctl console: a VM's console on this terminal. */
#include <argp.h>
#include <string.h>

#include "command.h"
#include "lib/status.h"
#include "reach.h"
#include "vmm/attach.h"
#include "vmm/term.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **word = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*word)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "%s: one VM only; see 'hvctl help console'", arg);
		*word = arg;
		return 0;
	case ARGP_KEY_END:
		if (!*word)
			hv_command_no_name(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp hv_argp_console = {
	.parser = parse,
	.args_doc = "NAME",
	.doc = "Show a VM's console, with what was missed of it, and type there. Ctrl-A D or Ctrl-] "
	       "leaves it, and the VM goes on.\v"
	       "NAME is a VM's name, the beginning of it, or the number of its process. Whoever comes "
	       "while another is there can only look.",
};

static int ask(struct hv_client *client, const char *request, json_t **reply, struct hv_error *err)
{
	return hv_client_call(client, json_pack("{s:s}", "request", request), reply, err);
}

/* By a channel of its own: that of the console has no lines any more. */
static int open_waiter(struct hv_client *waiter, const char *word, struct hv_error *err)
{
	json_t *reply = NULL;
	int error = hv_reach(waiter, word, err);

	if (!error)
		error = ask(waiter, "wait", &reply, err);
	json_decref(reply);
	return error;
}

/*
 * By a channel of its own, too: neither of the others is free for a reply. A VM whose console knows
 * no size says so, and that is all.
 */
static void tell_size(const struct hv_client *client)
{
	struct hv_client teller = { .fd = -1 };
	unsigned int rows, columns;
	json_t *reply = NULL;
	struct hv_error err;

	hv_term_size(&rows, &columns);
	if (!hv_reach_named(&teller, client->name, &err))
		(void)hv_client_call(
			&teller,
			json_pack("{s:s, s:[i, i]}", "request", "size", "terminal", columns, rows),
			&reply, &err);
	json_decref(reply);
	hv_client_close(&teller);
}

static int attach(const char *command, struct hv_client *client, struct hv_client *waiter,
		  const json_t *reply)
{
	bool types = json_is_true(json_object_get(reply, "types"));
	struct hv_error err;
	int status;

	if (!types)
		fprintf(stderr, "%s: %s: process %lld types there; here you can only look\n",
			command, client->name,
			(long long)json_integer_value(json_object_get(reply, "typist")));
	switch (hv_attach(client, types, tell_size, &err)) {
	case HV_ATTACH_LEFT:
		return HV_STATUS_OK;
	case HV_ATTACH_ENDED:
		if (!hv_reach_end(waiter, &status, &err))
			return HV_STATUS_OK;
		break;
	case HV_ATTACH_FAILED:
		break;
	}
	hv_reach_fail(command, client->name, &err);
	return HV_STATUS_ERROR;
}

int hv_cmd_console(int argc, char **argv)
{
	struct hv_client client = { .fd = -1 }, waiter = { .fd = -1 };
	const char *word = NULL;
	struct hv_error err;
	json_t *reply;
	int status;

	hv_command_parse(&hv_argp_console, argc, argv, &word);
	if (open_waiter(&waiter, word, &err) || hv_reach_named(&client, waiter.name, &err)) {
		status = hv_reach_fail(argv[0], word, &err);
	} else if (ask(&client, "console", &reply, &err)) {
		hv_reach_fail(argv[0], client.name, &err);
		status = HV_STATUS_ERROR;
	} else {
		status = attach(argv[0], &client, &waiter, reply);
		json_decref(reply);
	}
	hv_client_close(&client);
	hv_client_close(&waiter);
	return status;
}
