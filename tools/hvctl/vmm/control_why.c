// SPDX-License-Identifier: GPL-2.0-only
/* The request "why" of the control channel: a look at each vCPU, for debug/why.c. */
#include "control.h"
#include "emul/decode.h"
#include "examine.h"
#include "lib/tvx.h"
#include "lib/util.h"
#include "vmx/names.h"

#define APIC_IRR	(0x200 / 16)
#define APIC_VECTORS	8	/* registers of 32 vectors each */

static bool is_held_back(const struct hv_machine *machine)
{
	for (const struct hv_console *console = machine->consoles; console; console = console->next)
		if (hv_console_is_behind(console))
			return true;
	return false;
}

static json_t *count_exits(const struct hv_vcpu *vcpu)
{
	json_t *counts = json_object();
	struct tinyvmx_exits exits;

	hv_vcpu_count_exits(vcpu, &exits);
	for (unsigned int i = 0; i < TINYVMX_NR_EXIT_COUNTS; i++)
		if (exits.count[i])
			json_object_set_new(counts, vmx_exit_name(i),
					    json_integer(exits.count[i] & INT64_MAX));
	return counts;
}

/* What the last exit that has come to us was about; NULL: nothing that has an address. */
static json_t *exit_at(const struct tinyvmx_run *run)
{
	switch (run->reason) {
	case TINYVMX_EXIT_IO:
		return json_sprintf("port 0x%x", run->io.port);
	case TINYVMX_EXIT_MMIO:
		return json_sprintf("guest-physical 0x%llx", run->mmio.gpa);
	default:
		return NULL;
	}
}

static uint64_t guest_tsc_khz(const struct hv_machine *machine)
{
	return machine->vm.info.tsc_khz;
}

/* Of the local APIC: the highest vector that is requested, and when its timer goes off. */
static void look_at_apic(const struct hv_vcpu *vcpu, json_t *object)
{
	uint64_t khz = guest_tsc_khz(vcpu->machine), now = hv_vcpu_tsc(vcpu), left;
	struct tinyvmx_lapic lapic;

	if (!vcpu->machine->pc ||
	    tvx_get_state(vcpu->fd, TINYVMX_STATE_LAPIC, &lapic, sizeof(lapic)))
		return;
	for (int i = APIC_VECTORS - 1; i >= 0; i--) {
		uint32_t bits = lapic.regs[APIC_IRR + i];

		if (!bits)
			continue;
		json_object_set_new(object, "requested",
				    json_sprintf("0x%x", 32 * i + 31 - __builtin_clz(bits)));
		break;
	}
	left = lapic.timer_left;
	if (lapic.deadline)
		left = lapic.deadline > now ? lapic.deadline - now : 0;
	if ((lapic.timer_left || lapic.deadline) && khz)
		json_object_set_new(object, "timer_ms", json_integer(left / khz & INT64_MAX));
}

/* NULL: its registers cannot be had. */
static json_t *look_at(const struct hv_vcpu *vcpu)
{
	struct hv_registers registers;
	json_t *object;

	if (hv_vcpu_registers(vcpu, &registers))
		return NULL;
	object = json_pack("{s:o, s:s, s:b, s:o, s:o*}", "rip",
			   json_sprintf("0x%llx", registers.regs.rip), "activity",
			   hv_activity_name(registers.events.activity), "interrupts",
			   !!(registers.regs.rflags & X86_RFLAGS_IF), "exits", count_exits(vcpu),
			   "exit_at", exit_at(vcpu->run));
	look_at_apic(vcpu, object);
	return object;
}

static int look_at_all(struct hv_machine *machine, struct hv_vcpu *first, const json_t *line,
		       json_t *reply, struct hv_error *err)
{
	json_t *vcpus = json_array();

	(void)first;
	(void)line;
	json_object_set_new(reply, "vcpus", vcpus);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		if (json_array_append_new(vcpus, look_at(&machine->vcpus[i])))
			return hv_fail(err, EIO, "its registers cannot be had; see 'dmesg | tail'");
	return 0;
}

int hv_control_why(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err)
{
	struct hv_control *control = client->control;
	int error;

	json_object_set_new(reply, "state", json_string(hv_control_state(control)));
	json_object_set_new(reply, "time_ns", json_integer(hv_monotonic_ns()));
	if (hv_machine_has_ended(control->machine))
		return 0;
	json_object_set_new(reply, "held_back", json_boolean(is_held_back(control->machine)));
	error = hv_control_examine(control, line, reply, look_at_all, err);
	if (!error)
		hv_control_add_symbols(control, json_object_get(reply, "vcpus"), "rip");
	return error;
}
