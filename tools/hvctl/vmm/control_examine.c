// SPDX-License-Identifier: GPL-2.0-only
/* Requests of the control channel that look at a VM while its vCPUs stand still. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "debug/gdb_packet.h"
#include "debugger.h"
#include "examine.h"
#include "lib/util.h"

/* ------------------------------------------------------------------ frame */

struct hv_vcpu *hv_control_find_vcpu(struct hv_machine *machine, const json_t *line,
				     struct hv_error *err)
{
	const json_t *which = json_object_get(line, "vcpu");
	json_int_t id = json_integer_value(which);

	if ((!which || json_is_integer(which)) && id >= 0 && id < machine->nr_vcpus)
		return &machine->vcpus[id];
	hv_fail(err, EINVAL, "\"vcpu\" is none of its %u, from 0 on; mend it", machine->nr_vcpus);
	return NULL;
}

/* In ms: how long a vCPU's stop for the debugger waits for us, who wait for that vCPU, at most. */
#define TURN 10

bool hv_control_begin_look(struct hv_control *control, unsigned int ms)
{
	for (unsigned int waited = 0; waited < ms; waited += TURN) {
		if (!control->paused)
			hv_debugger_take_stop(control);
		if (control->paused || hv_machine_try_pause(control->machine, TURN))
			return true;
	}
	return false;
}

void hv_control_end_look(struct hv_control *control)
{
	if (!control->paused)
		hv_machine_resume(control->machine);
}

int hv_control_examine(struct hv_control *control, const json_t *line, json_t *reply,
		       hv_control_look_fn look, struct hv_error *err)
{
	struct hv_machine *machine = control->machine;
	struct hv_vcpu *vcpu = hv_control_find_vcpu(machine, line, err);
	int error;

	if (!vcpu)
		return -EINVAL;
	if (!hv_control_begin_look(control, HV_CONTROL_PATIENCE))
		return hv_fail(err, EBUSY, "it is ending, or in the middle of a reset; try again");
	json_object_set_new(reply, "vcpu", json_integer(vcpu->id));
	error = look(machine, vcpu, line, reply, err);
	hv_control_end_look(control);
	return error;
}

void hv_control_add_symbols(const struct hv_control *control, json_t *array, const char *key)
{
	json_t *object;
	size_t i;

	json_array_foreach(array, i, object) {
		const char *address = json_string_value(json_object_get(object, key)) ?: "";
		char symbol[200] = "";

		hv_payload_find_symbol(&control->machine->payload, strtoull(address, NULL, 16),
				       symbol, sizeof(symbol));
		json_object_set_new(object, "symbol", json_string(symbol));
	}
}

static int refused(int error, struct hv_error *err)
{
	return hv_fail(err, -error,
		       "the module does not give its registers: %s; see 'dmesg | tail'",
		       strerror(-error));
}

/* -------------------------------------------------------------- registers */

static int look_at_registers(struct hv_machine *machine, struct hv_vcpu *vcpu, const json_t *line,
			     json_t *reply, struct hv_error *err)
{
	struct hv_registers registers;
	int error = hv_vcpu_registers(vcpu, &registers);

	(void)machine;
	(void)line;
	if (error)
		return refused(error, err);
	if (json_object_set_new(reply, "registers", hv_registers_json(&registers)))
		return hv_fail(err, ENOMEM, "no memory for a reply; close something");
	return 0;
}

static int do_registers(struct hv_control_client *client, const json_t *line, json_t *reply,
			struct hv_error *err)
{
	return hv_control_examine(client->control, line, reply, look_at_registers, err);
}

/* -------------------------------------------------------------------- FPU */

static json_t *image_json(const struct tinyvmx_xsave *xsave, size_t bytes)
{
	char *text = malloc(2 * bytes + 1);
	json_t *json = NULL;

	if (text) {
		hv_gdb_hex(text, xsave->image, bytes);
		json = json_stringn(text, 2 * bytes);
	}
	free(text);
	return json;
}

static int look_at_fpu(struct hv_machine *machine, struct hv_vcpu *vcpu, const json_t *line,
		       json_t *reply, struct hv_error *err)
{
	struct tinyvmx_xsave *xsave;
	int error = hv_vcpu_xsave(vcpu, &xsave);

	(void)line;
	if (error)
		return refused(error, err);
	error = json_object_set_new(reply, "xcr0", json_sprintf("0x%llx", xsave->xcr0)) ||
		json_object_set_new(reply, "image",
				    image_json(xsave, machine->vm.info.xsave_bytes));
	free(xsave);
	return error ? hv_fail(err, ENOMEM, "no memory for a reply; close something") : 0;
}

static int do_fpu(struct hv_control_client *client, const json_t *line, json_t *reply,
		  struct hv_error *err)
{
	return hv_control_examine(client->control, line, reply, look_at_fpu, err);
}

/* ------------------------------------------------------------------- copy */

static int do_copy(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err)
{
	/* Its breakpoints are none of the guest's bytes. */
	if (client->control->debugger)
		return hv_fail(err, EBUSY, "a debugger has it; detach that first");
	return hv_control_copy(client, line, reply, err);
}

/* ------------------------------------------------------------------- VMCS */

static int look_at_vmcs(struct hv_machine *machine, struct hv_vcpu *vcpu, const json_t *line,
			json_t *reply, struct hv_error *err)
{
	struct hv_vmcs vmcs;
	int error = hv_vcpu_vmcs(vcpu, &vmcs);

	(void)machine;
	(void)line;
	if (error)
		return hv_fail(err, -error,
			       "the module does not give its VMCS: %s; see 'dmesg | tail'",
			       strerror(-error));
	error = json_object_set_new(reply, "fields", hv_vmcs_pack(&vmcs));
	hv_vmcs_free(&vmcs);
	if (error)
		return hv_fail(err, ENOMEM, "no memory for a reply; close something");
	return 0;
}

static int do_vmcs(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err)
{
	return hv_control_examine(client->control, line, reply, look_at_vmcs, err);
}

/* ------------------------------------------------------------------- table */

const struct hv_control_request hv_control_examinations[] = {
	{ "registers", { "vcpu" }, false, do_registers },
	{ "fpu", { "vcpu" }, false, do_fpu },
	{ "vmcs", { "vcpu" }, false, do_vmcs },
	{ "why", { NULL }, true, hv_control_why },
	{ "hold", { NULL }, false, hv_control_hold },
	{ "copy", { "address", "bytes", "offset" }, false, do_copy },
	{ "walk", { "vcpu", "address" }, false, hv_control_walk },
	{ "memory", { "vcpu", "address", "count", "physical", "disassemble" }, false,
	  hv_control_memory },
};

const size_t hv_control_nr_examinations = ARRAY_SIZE(hv_control_examinations);
