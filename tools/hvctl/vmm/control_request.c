// SPDX-License-Identifier: GPL-2.0-only
/* What clients of the control channel may ask for: a row each. */
#include <errno.h>
#include <string.h>

#include "control.h"
#include "debugger.h"
#include "lib/text.h"
#include "lib/tvx.h"
#include "lib/util.h"
#include "machine_pc.h"
#include "ports.h"

/* ------------------------------------------------------------------ status */

/*
 * Somebody else may have it paused, a reset that waits for a disk, for one: clients wait no longer
 * than that, in ms.
 */
#define STATUS_PATIENCE 100

/* Of all vCPUs; they count while nobody is in the guest. */
static uint64_t count_exits(struct hv_control *control)
{
	struct hv_machine *machine = control->machine;
	uint64_t sum = 0;

	if (!hv_control_begin_look(control, STATUS_PATIENCE))
		return control->exits;
	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		struct tinyvmx_exits exits;

		hv_vcpu_count_exits(&machine->vcpus[i], &exits);
		for (unsigned int j = 0; j < TINYVMX_NR_EXIT_COUNTS; j++)
			sum += exits.count[j];
	}
	hv_control_end_look(control);
	control->exits = sum;
	return sum;
}

const char *hv_control_state(const struct hv_control *control)
{
	if (hv_machine_has_ended(control->machine))
		return "ending";
	if (control->paused)
		return "paused";
	return control->stopping ? "stopping" : "running";
}

static int do_status(struct hv_control_client *client, const json_t *line, json_t *reply,
		     struct hv_error *err)
{
	struct hv_control *control = client->control;
	const struct hv_machine *machine = control->machine;
	const char *pty = machine->console_end.pty;
	uint64_t now = hv_monotonic_ns();
	char log[HV_CLAIM_FILE_MAX];
	json_t *facts;

	(void)line;
	facts = json_pack("{s:s, s:i, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:s}", "name",
			  control->claim.name, "pid", getpid(), "image", control->image, "vcpus",
			  machine->nr_vcpus, "clients", control->count, "memory",
			  (json_int_t)machine->memory.size, "resident",
			  (json_int_t)hv_memory_resident(&machine->memory), "uptime_ms",
			  (json_int_t)((now - control->started_ns) / 1000000), "exits",
			  (json_int_t)count_exits(control), "time_ns", (json_int_t)now, "state",
			  hv_control_state(control));
	if (!facts || json_object_update(reply, facts)) {
		json_decref(facts);
		return hv_fail(err, ENOMEM, "no memory");
	}
	json_decref(facts);
	if (*pty)
		json_object_set_new(reply, "pty", json_string(pty));
	snprintf(log, sizeof(log), "%s.log", control->claim.name);
	if (hv_debugger_is_used(control->debugger))
		json_object_set_new(reply, "debugger",
				    json_integer(hv_debugger_pid(control->debugger)));
	if (control->detached)
		json_object_set_new(reply, "log", json_sprintf("%s/%s", control->dir.path, log));
	return 0;
}

/* ----------------------------------------------------------------- console */

static int do_console(struct hv_control_client *client, const json_t *line, json_t *reply,
		      struct hv_error *err)
{
	struct hv_control *control = client->control;
	const struct hv_control_client *typist = hv_control_typist(control);

	(void)line;
	if (control->machine->config.display != HV_DISPLAY_NONE)
		return hv_fail(err, EOPNOTSUPP,
			       "its console is a screen (--display), on the terminal of process %d",
			       getpid());
	hv_control_join(client, !typist);
	json_object_set_new(reply, "types", json_boolean(client->types));
	if (typist)
		json_object_set_new(reply, "typist", json_integer(typist->pid));
	return 0;
}

/* Of who types there: the last one that tells it is right. */
static int do_size(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err)
{
	const json_t *terminal = json_object_get(line, "terminal");
	json_int_t columns = json_integer_value(json_array_get(terminal, 0)),
		   rows = json_integer_value(json_array_get(terminal, 1));

	(void)reply;
	if (json_array_size(terminal) != 2 || columns < 1 || columns > UINT16_MAX || rows < 1 ||
	    rows > UINT16_MAX)
		return hv_fail(err, EINVAL,
			       "\"terminal\" is not [columns, rows] from 1 to %d; mend it",
			       UINT16_MAX);
	if (hv_ports_set_size(client->control->machine, columns, rows))
		return 0;
	return hv_fail(err, EOPNOTSUPP,
		       "its console knows no size; start it with --device console");
}

/* ---------------------------------------------------------------- deadline */

static void on_impatience(void *dev)
{
	struct hv_control *control = dev;

	hv_machine_end(control->machine, HV_END_KILLED, 0, "no answer to the power button in %u s",
		       control->patience);
}

/* The guest has so long, if it was not given less before: who pressed then was promised that. */
static void set_deadline(struct hv_control *control, unsigned int timeout)
{
	struct hv_clock *clock = &control->machine->loop.clock;
	uint64_t deadline_ns = hv_now_ns(clock) + timeout * HV_NSEC_PER_SEC;

	control->stopping = true;
	if (control->power_off.armed && control->power_off.deadline_ns <= deadline_ns)
		return;
	control->patience = timeout;
	control->power_off.fn = on_impatience;
	control->power_off.dev = control;
	hv_timer_arm(clock, &control->power_off, deadline_ns);
}

static uint64_t ns_left(const struct hv_control *control)
{
	uint64_t now = hv_monotonic_ns();

	return control->power_off.deadline_ns > now ? control->power_off.deadline_ns - now : 0;
}

static unsigned int seconds_left(const struct hv_control *control)
{
	return (ns_left(control) + HV_NSEC_PER_SEC - 1) / HV_NSEC_PER_SEC;
}

void hv_control_hold_deadline(struct hv_control *control)
{
	control->has_deadline = control->power_off.armed;
	control->left_ns = ns_left(control);
	hv_timer_cancel(&control->machine->loop.clock, &control->power_off);
}

void hv_control_continue_deadline(struct hv_control *control)
{
	struct hv_clock *clock = &control->machine->loop.clock;

	if (control->has_deadline)
		hv_timer_arm(clock, &control->power_off, hv_now_ns(clock) + control->left_ns);
	control->has_deadline = false;
}

/* --------------------------------------------------------------------- end */

static int do_wait(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err)
{
	(void)line;
	(void)reply;
	(void)err;
	client->waits = true;
	return 0;
}

static int do_kill(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err)
{
	(void)line;
	(void)reply;
	(void)err;
	hv_machine_end(client->control->machine, HV_END_KILLED, 0, "told so by process %d",
		       client->pid);
	/* Also when it has ended by itself, and waits for readers. */
	hv_loop_stop(&client->control->machine->loop);
	return 0;
}

static int read_timeout(const json_t *line, unsigned int *timeout, struct hv_error *err)
{
	const json_t *value = json_object_get(line, "timeout");

	*timeout = HV_CONTROL_STOP_DEFAULT;
	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > HV_CONTROL_STOP_MAX)
		return hv_fail(err, EINVAL, "\"timeout\" is not 0 to %u seconds; mend it",
			       HV_CONTROL_STOP_MAX);
	*timeout = json_integer_value(value);
	return 0;
}

static void press_power_button(struct hv_machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	hv_acpi_pm_power_button(&machine->pc->board.pm);
	pthread_mutex_unlock(&machine->lock);
}

static int is_held(const struct hv_control *control, struct hv_error *err)
{
	return hv_fail(err, EBUSY, "process %d has it stand still; wait for that, or end it",
		       control->holder->pid);
}

static int is_paused(const struct hv_control *control, struct hv_error *err)
{
	if (control->holder)
		return is_held(control, err);
	return hv_fail(err, EBUSY, "it is paused; %s",
		       control->debugger ? "a debugger has it, continue it there" :
					   "resume it first");
}

static int do_stop(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err)
{
	struct hv_control *control = client->control;
	struct hv_machine *machine = control->machine;
	unsigned int timeout;
	int error = read_timeout(line, &timeout, err);

	if (error)
		return error;
	if (control->paused)
		return is_paused(control, err);
	if (machine->pc) {
		press_power_button(machine);
		set_deadline(control, timeout);
	} else {
		hv_machine_end(machine, HV_END_KILLED, 0, "a bare machine has no power button");
	}
	json_object_set_new(reply, "button", json_boolean(machine->pc));
	json_object_set_new(reply, "timeout",
			    json_integer(machine->pc ? seconds_left(control) : 0));
	return 0;
}

/* ------------------------------------------------------------- pause, reset */

int hv_control_keep_paused(struct hv_control *control)
{
	struct hv_machine *machine = control->machine;
	int error;

	pthread_mutex_lock(&machine->lock);
	error = hv_machine_stop_time(machine);
	pthread_mutex_unlock(&machine->lock);
	control->paused = !error;
	if (error)
		hv_machine_resume(machine);
	else
		hv_control_hold_deadline(control);
	return error;
}

void hv_control_let_go(struct hv_control *control)
{
	struct hv_machine *machine = control->machine;
	int error;

	pthread_mutex_lock(&machine->lock);
	error = hv_machine_start_time(machine);
	pthread_mutex_unlock(&machine->lock);
	if (error)
		hv_machine_end(machine, HV_END_ERROR, 0, "cannot start the guest's time: %s",
			       strerror(-error));
	control->paused = false;
	hv_machine_resume(machine);
	hv_control_continue_deadline(control);
}

static int has_debugger(struct hv_error *err)
{
	return hv_fail(err, EBUSY, "a debugger has it; stop and continue it there");
}

int hv_control_stand_still(struct hv_control *control, struct hv_error *err)
{
	int error;

	if (!hv_machine_try_pause(control->machine, HV_CONTROL_PATIENCE))
		return hv_fail(err, EBUSY, "it is ending, or in the middle of a reset");
	error = hv_control_keep_paused(control);
	return error ? hv_fail(err, -error, "its time cannot be stopped: %s; see 'dmesg | tail'",
			       strerror(-error)) :
		       0;
}

/* One that a client holds stays so when that lets it go. */
static int do_pause(struct hv_control_client *client, const json_t *line, json_t *reply,
		    struct hv_error *err)
{
	struct hv_control *control = client->control;

	(void)line;
	(void)reply;
	if (control->debugger)
		return has_debugger(err);
	if (!control->paused)
		return hv_control_stand_still(control, err);
	if (!control->goes_on)
		return hv_fail(err, EBUSY, "it is paused already");
	control->goes_on = false;
	return 0;
}

static int do_resume(struct hv_control_client *client, const json_t *line, json_t *reply,
		     struct hv_error *err)
{
	struct hv_control *control = client->control;

	(void)line;
	(void)reply;
	if (control->debugger)
		return has_debugger(err);
	if (control->holder)
		return is_held(control, err);
	if (!control->paused)
		return hv_fail(err, EBUSY, "it is not paused");
	hv_control_let_go(control);
	return 0;
}

static int do_reset(struct hv_control_client *client, const json_t *line, json_t *reply,
		    struct hv_error *err)
{
	struct hv_control *control = client->control;

	(void)line;
	(void)reply;
	if (!control->machine->pc)
		return hv_fail(err, EOPNOTSUPP, "a bare machine has no reset; start it anew");
	if (control->paused)
		return is_paused(control, err);
	hv_machine_pc_press_reset(control->machine);
	control->stopping = false;
	hv_timer_cancel(&control->machine->loop.clock, &control->power_off);
	return 0;
}

#define MSI_ADDRESS	0xfee00000u
#define MSI_DEST_SHIFT 12
#define MSI_NMI		0x400u

/* As a PC's NMI button does: each CPU gets one. */
static int do_nmi(struct hv_control_client *client, const json_t *line, json_t *reply,
		  struct hv_error *err)
{
	struct hv_machine *machine = client->control->machine;
	int error = 0;

	(void)line;
	(void)reply;
	if (!machine->pc)
		return hv_fail(err, EOPNOTSUPP, "a bare machine has nothing that sends an NMI");
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++)
		error = tvx_msi(machine->vm.fd, MSI_ADDRESS | i << MSI_DEST_SHIFT, MSI_NMI);
	if (!error)
		return 0;
	return hv_fail(err, -error, "%s; see 'dmesg | tail'", strerror(-error));
}

/* ------------------------------------------------------------------- table */

static const struct hv_control_request requests[] = {
	{ "status", { NULL }, true, do_status },
	{ "console", { NULL }, true, do_console },
	{ "size", { "terminal" }, false, do_size },
	{ "wait", { NULL }, true, do_wait },
	{ "stop", { "timeout" }, false, do_stop },
	{ "kill", { NULL }, true, do_kill },
	{ "pause", { NULL }, false, do_pause },
	{ "resume", { NULL }, false, do_resume },
	{ "reset", { NULL }, false, do_reset },
	{ "nmi", { NULL }, false, do_nmi },
	{ "balloon", { "target" }, false, hv_control_balloon },
	{ "record", { "vcpu", "from" }, true, hv_control_record },
	{ "use", { "forget", "cells" }, false, hv_control_use },
	{ "gdb", { "arch" }, false, hv_control_gdb },
};

static const struct hv_control_request *find_in(const struct hv_control_request *rows, size_t count,
						const char *name)
{
	for (size_t i = 0; name && i < count; i++)
		if (!strcmp(name, rows[i].name))
			return &rows[i];
	return NULL;
}

static const struct hv_control_request *find(const char *name)
{
	return find_in(requests, ARRAY_SIZE(requests), name) ?:
		       find_in(hv_control_examinations, hv_control_nr_examinations, name);
}

static bool has_argument(const struct hv_control_request *request, const char *key)
{
	for (size_t i = 0; i < HV_CONTROL_ARGUMENTS && request->argument[i]; i++)
		if (!strcmp(key, request->argument[i]))
			return true;
	return false;
}

/* The first key of @line that is nobody's, or NULL. */
static const char *find_stranger(const struct hv_control_request *request, json_t *line)
{
	const char *key;
	json_t *value;

	json_object_foreach(line, key, value)
		if (strcmp(key, "request") && strcmp(key, "id") && !has_argument(request, key))
			return key;
	return NULL;
}

static const char *code_of(int error)
{
	switch (error) {
	case -EINVAL:
		return "bad-argument";
	case -EBUSY:
		return "wrong-state";
	case -EOPNOTSUPP:
		return "unsupported";
	default:
		return "failed";
	}
}

static void run(struct hv_control_client *client, const struct hv_control_request *request,
		const json_t *line, json_t *id)
{
	json_t *reply = json_pack("{s:s, s:O*, s:b}", "reply", request->name, "id", id, "ok", 1);
	struct hv_error err;
	int error;

	if (!request->to_the_dead && hv_machine_has_ended(client->control->machine))
		error = hv_fail(
			&err, EBUSY,
			"it has ended, and its last output waits to be read; read it, or kill it");
	else
		error = request->run(client, line, reply, &err);
	if (!error) {
		hv_control_send(client, reply);
		return;
	}
	json_decref(reply);
	hv_control_refuse(client, request->name, id, code_of(error), err.text);
}

static void refuse_stranger(struct hv_control_client *client,
			    const struct hv_control_request *request, json_t *id,
			    const char *stranger)
{
	char text[100];

	snprintf(text, sizeof(text), "\"%.40s\" is no argument of it; leave it out", stranger);
	hv_text_clean(text, sizeof(text), text, strlen(text));
	hv_control_refuse(client, request->name, id, "bad-argument", text);
}

/* @line is an object. */
static void dispatch(struct hv_control_client *client, json_t *line)
{
	const struct hv_control_request *request =
		find(json_string_value(json_object_get(line, "request")));
	json_t *id = json_object_get(line, "id");
	const char *stranger = request ? find_stranger(request, line) : NULL;

	if (id && !json_is_string(id) && !json_is_integer(id))
		hv_control_refuse(client, NULL, NULL, "bad-argument",
				  "\"id\" is no string and no integer; mend it");
	else if (!request)
		hv_control_refuse(client, NULL, id, "unknown-request",
				  "\"request\" names none; see docs/control.md");
	else if (stranger)
		refuse_stranger(client, request, id, stranger);
	else
		run(client, request, line, id);
}

void hv_control_handle(struct hv_control_client *client, const char *text, size_t len)
{
	json_error_t where;
	json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);

	if (json_is_object(line))
		dispatch(client, line);
	else
		hv_control_refuse(client, NULL, NULL, "malformed",
				  line ? "no object; send one a line" : where.text);
	json_decref(line);
}
