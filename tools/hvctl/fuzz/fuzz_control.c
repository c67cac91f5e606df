// SPDX-License-Identifier: GPL-2.0-only
/* Lines to the control channel: whatever comes, each has one answer, in JSON. */
#include <stdlib.h>
#include <string.h>

#include "lib/lock.h"
#include "lib/util.h"
#include "vmm/debugger.h"

static struct hv_machine *machine;
static struct hv_control *control;

static uint64_t no_time(struct hv_clock *clock)
{
	(void)clock;
	return 1;
}

static void no_deadline(struct hv_clock *clock)
{
	(void)clock;
}

/* A bare machine without vCPUs: all that requests look at. */
static void make(void)
{
	struct hv_error err;

	machine = calloc(1, sizeof(*machine));
	control = calloc(1, sizeof(*control));
	if (!machine || !control || hv_loop_init(&machine->loop, &err))
		abort();
	hv_lock_init(&machine->lock);
	hv_lock_init(&machine->run_lock);
	hv_lock_init(&machine->end_lock);
	pthread_cond_init(&machine->run_changed, NULL);
	machine->clock.now_ns = no_time;
	machine->clock.rearm = no_deadline;
	machine->attention_fd = -1;
	machine->config.load.path = "image";
	hv_ring_init(&control->ring);
	strcpy(control->claim.name, "web");
	control->stops.fd = -1;
	control->machine = machine;
}

static void check_line(const char *line, size_t len)
{
	json_t *reply = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(reply) || !json_object_get(reply, "reply") ||
	    !json_is_boolean(json_object_get(reply, "ok")))
		abort();
	if (json_is_false(json_object_get(reply, "ok")) &&
	    (!json_string_value(json_object_get(reply, "code")) ||
	     !json_string_value(json_object_get(reply, "error"))))
		abort();
	json_decref(reply);
}

static void handle(struct hv_control_client *client, const char *line, size_t len)
{
	client->out_len = 0;
	client->attached = client->types = false;
	hv_control_handle(client, line, len);
	if (client->debugger)
		hv_debugger_leave(client->debugger);
	machine->debugger = NULL;
	hv_debugger_free(control->debugger);
	/* An id as long as a line can be has none of its own. */
	if (client->dropped && len < 1000)
		abort();
	client->dropped = false;
	if (!client->out_len)
		return;
	if (client->out[client->out_len - 1] != '\n' ||
	    memchr(client->out, '\n', client->out_len) != client->out + client->out_len - 1)
		abort();
	check_line(client->out, client->out_len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hv_control_client client;
	const char *at = (const char *)data, *end = at + size, *newline;

	if (!machine)
		make();
	if (control->paused) {
		control->paused = false;
		machine->time_stopped_ns = 0;
		hv_machine_resume(machine);
	}
	machine->attention = 0;
	machine->end.kind = HV_END_NONE;
	client.control = control;
	control->clients = &client;
	while (at < end && (newline = memchr(at, '\n', end - at))) {
		handle(&client, at, newline - at);
		at = newline + 1;
	}
	return 0;
}
