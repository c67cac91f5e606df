// SPDX-License-Identifier: GPL-2.0-only
/* How a run ended. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "debug/autopsy.h"
#include "emul/decode.h"
#include "examine.h"
#include "exit.h"
#include "explain/explain.h"
#include "lib/text.h"
#include "lib/tvx.h"
#include "lib/util.h"
#include "recorder.h"
#include "report.h"
#include "screen.h"
#include "vmx/names.h"
#include "vmx/vmcs_dump.h"

/* ------------------------------------------------------------------- VMCS */

/* When a field means something: others hold what an earlier exit left there. */
enum when { ALWAYS, IF_NOT_ZERO, IF_VALID, ON_EPT, ON_REFUSED_INSTRUCTION };

static const struct { uint32_t encoding; enum when when; } fields_that_matter[] = {
	{ VMCS_EXIT_REASON, ALWAYS },
	{ VMCS_EXIT_QUALIFICATION, ALWAYS },
	{ VMCS_GUEST_LINEAR_ADDR, ON_EPT },
	{ VMCS_GUEST_PHYSICAL_ADDR, ON_EPT },
	{ VMCS_EXIT_INTR_INFO, IF_VALID },
	{ VMCS_IDT_VECTORING_INFO, IF_VALID },
	{ VMCS_IDT_VECTORING_ERROR_CODE, IF_NOT_ZERO },
	{ VMCS_EXIT_INSTRUCTION_LEN, IF_NOT_ZERO },
	{ VMCS_EXIT_INSTRUCTION_INFO, IF_NOT_ZERO },
	{ VMCS_INSTRUCTION_ERROR, ON_REFUSED_INSTRUCTION },
	{ VMCS_GUEST_ACTIVITY, ALWAYS },
	{ VMCS_GUEST_INTERRUPTIBILITY, ALWAYS },
	{ VMCS_GUEST_PENDING_DEBUG, IF_NOT_ZERO },
};

#define EXIT_TRIPLE_FAULT 2
#define EXIT_EPT_VIOLATION 48
#define EXIT_EPT_MISCONFIGURATION 49

static bool matters(enum when when, uint64_t value, const struct tinyvmx_run *run)
{
	uint32_t basic = run->exit_reason & 0xffff;

	switch (when) {
	case ALWAYS:
		return true;
	case IF_NOT_ZERO:
		return value;
	case IF_VALID:
		return value >> 31 & 1;
	case ON_EPT:
		return basic == EXIT_EPT_VIOLATION || basic == EXIT_EPT_MISCONFIGURATION;
	case ON_REFUSED_INSTRUCTION:
		return run->reason == TINYVMX_EXIT_ENTRY_FAILED &&
		       run->entry_failed.instruction_error;
	}
	return false;
}

static void print_field(const struct tinyvmx_vmcs_field *field, const struct tinyvmx_run *run,
			FILE *out)
{
	char text[256] = "";

	if (field->encoding == VMCS_EXIT_QUALIFICATION)
		vmx_describe_qualification(run->exit_reason, field->value, text, sizeof(text));
	else if (field->encoding == VMCS_EXIT_REASON)
		snprintf(text, sizeof(text), "%s", vmx_exit_name(field->value & 0xffff));
	fprintf(out, "  %-40s 0x%llx%s%s\n", vmx_field_name(field->encoding), field->value,
		*text ? "  " : "", text);
}

static void print_fields(const struct hv_vcpu *vcpu, FILE *out)
{
	struct hv_vmcs vmcs;

	if (hv_vcpu_vmcs(vcpu, &vmcs))
		return;
	fputs("VMCS:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(fields_that_matter); i++)
		for (size_t j = 0; j < vmcs.n; j++)
			if (vmcs.fields[j].encoding == fields_that_matter[i].encoding &&
			    matters(fields_that_matter[i].when, vmcs.fields[j].value, vcpu->run))
				print_field(&vmcs.fields[j], vcpu->run, out);
	hv_vmcs_free(&vmcs);
}

static bool has_shut_down(const struct hv_vcpu *vcpu)
{
	return (vcpu->run->exit_reason & 0xffff) == EXIT_TRIPLE_FAULT;
}

static void print_autopsy(const struct hv_vcpu *vcpu, const struct hv_view *view, FILE *out)
{
	struct hv_autopsy autopsy;

	if (!has_shut_down(vcpu))
		return;
	hv_autopsy(&autopsy, view);
	hv_autopsy_print(&autopsy, view, out);
}

void hv_report_vcpu(const struct hv_vcpu *vcpu, FILE *out)
{
	struct hv_registers registers;
	struct hv_view view;

	if (hv_vcpu_registers(vcpu, &registers))
		return;
	view = hv_vcpu_view(vcpu, &registers);
	print_autopsy(vcpu, &view, out);
	fprintf(out, "registers of vCPU %u:\n", vcpu->id);
	hv_registers_print(&registers, out);
	hv_view_print_code(&view, out);
	hv_view_print_backtrace(&view, out);
	print_fields(vcpu, out);
}

bool hv_report_place(const struct hv_vcpu *vcpu, char *text, size_t len)
{
	struct tinyvmx_events events;
	struct tinyvmx_sregs sregs;
	struct tinyvmx_regs regs;
	char symbol[200] = "";

	if (tvx_get_regs(vcpu->fd, &regs) || tvx_get_sregs(vcpu->fd, &sregs) ||
	    tvx_get_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)))
		return false;
	if (events.activity == TINYVMX_ACTIVITY_WAIT_FOR_SIPI) {
		snprintf(text, len, "vCPU %u waits for a start-up IPI", vcpu->id);
		return true;
	}
	hv_payload_find_symbol(&vcpu->machine->payload, regs.rip, symbol, sizeof(symbol));
	snprintf(text, len, "vCPU %u %s 0x%llx%s%s, %u-bit code, interrupts %s", vcpu->id,
		 events.activity == TINYVMX_ACTIVITY_HLT ? "halts, with RIP" : "executes at",
		 regs.rip, *symbol ? ", " : "", symbol,
		 hv_code_bits(sregs.efer, sregs.seg[TINYVMX_CS].ar),
		 regs.rflags & X86_RFLAGS_IF ? "enabled" : "disabled");
	return true;
}

void hv_report_entry_failure(const struct hv_vcpu *vcpu, FILE *out)
{
	struct explain_gaps gaps;
	struct hv_vmcs vmcs;
	struct vmx_cpu cpu;

	if (hv_vcpu_vmcs(vcpu, &vmcs))
		return;
	vmx_cpu_from_info(&cpu, &vcpu->machine->vm.info);
	explain_print(&cpu, vcpu->run, vmcs.fields, vmcs.n, out, &gaps);
	hv_vmcs_free(&vmcs);
}

/* By itself, or as it was told: then there is nothing to look at. */
static bool is_abnormal(const struct hv_end *end)
{
	switch (end->kind) {
	case HV_END_ENTRY_FAILED:
	case HV_END_TRIPLE_FAULT:
	case HV_END_UNSUPPORTED:
	case HV_END_ERROR:
	case HV_END_HALTED:
	case HV_END_PANIC:
	case HV_END_RESETS:
		return true;
	default:
		return false;
	}
}

/* ----------------------------------------------------------- its last exits */

#define TAIL 16

/* Its last records, up to TAIL; returns how many. */
static size_t read_tail(const struct hv_vcpu *vcpu, struct tinyvmx_record records[TAIL])
{
	uint64_t newest = hv_flight_newest(&vcpu->flight), missed;
	uint64_t next = newest > TAIL ? newest - TAIL + 1 : 1;

	return hv_flight_read(&vcpu->flight, &next, newest, records, TAIL, &missed);
}

/* Of the one at @i of @n: what the next one's entry tells. */
static uint64_t outside(const struct tinyvmx_record *records, size_t i, size_t n)
{
	return hv_flight_outside(&records[i], i + 1 < n ? &records[i + 1] : NULL);
}

void hv_report_last_exits(const struct hv_machine *machine, FILE *out)
{
	const struct hv_vcpu *vcpu = &machine->vcpus[machine->end.vcpu];
	struct tinyvmx_record records[TAIL];
	size_t n = is_abnormal(&machine->end) ? read_tail(vcpu, records) : 0;

	if (!n)
		return;
	fprintf(out,
		"the last VM exits of vCPU %u, with TSC ticks inside and outside of the guest:\n",
		vcpu->id);
	hv_flight_print_head(out);
	for (size_t i = 0; i < n; i++)
		hv_flight_print(&records[i], outside(records, i, n), out);
}

/* NULL: none were recorded. */
static json_t *json_last_exits(const struct hv_vcpu *vcpu)
{
	struct tinyvmx_record records[TAIL];
	size_t n = read_tail(vcpu, records);
	json_t *array = n ? json_array() : NULL;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, hv_flight_json(&records[i], outside(records, i, n)));
	return array;
}

int hv_report_dump_vmcs(const struct hv_machine *machine, FILE *out)
{
	const struct hv_vcpu *vcpu = &machine->vcpus[machine->end.vcpu];
	struct hv_vmcs vmcs;
	char text[300];
	int error;

	if (!is_abnormal(&machine->end))
		return 0;
	error = hv_vcpu_vmcs(vcpu, &vmcs);
	if (error)
		return error;
	hv_end_describe(&machine->end, text, sizeof(text));
	fprintf(out, "# %s\n# the VMCS of vCPU %u\n", text, vcpu->id);
	vmcs_dump_write(vmcs.fields, vmcs.n, out);
	hv_vmcs_free(&vmcs);
	return fflush(out) || ferror(out) ? -errno : 0;
}

/* One that could not be made again after a reset has nothing to tell. */
static bool is_there(const struct hv_vcpu *vcpu)
{
	return vcpu->run;
}

/* ------------------------------------------------------------- statistics */

static void print_exits(const struct tinyvmx_exits *exits, FILE *out)
{
	for (unsigned int i = 0; i < TINYVMX_NR_EXIT_COUNTS; i++)
		if (exits->count[i])
			fprintf(out, "%10llu  exits: %u %s\n", exits->count[i], i,
				vmx_exit_name(i));
}

/* ... and add its exits to @sum. */
static void print_stats(const struct hv_vcpu *vcpu, struct tinyvmx_exits *sum, FILE *out)
{
	uint64_t now = hv_vcpu_tsc(vcpu);
	struct tinyvmx_exits exits;

	hv_vcpu_count_exits(vcpu, &exits);
	for (unsigned int i = 0; i < TINYVMX_NR_EXIT_COUNTS; i++)
		sum->count[i] += exits.count[i];
	fprintf(out,
		"vCPU %u: guest TSC %llu at the first entry, %llu at the end, %llu ticks later\n",
		vcpu->id, (unsigned long long)vcpu->first_tsc, (unsigned long long)now,
		(unsigned long long)(now - vcpu->first_tsc));
	print_exits(&exits, out);
}

void hv_report_stats(const struct hv_machine *machine, FILE *out)
{
	struct tinyvmx_exits sum = { 0 };

	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		if (is_there(&machine->vcpus[i]))
			print_stats(&machine->vcpus[i], &sum, out);
	if (machine->nr_vcpus == 1)
		return;
	fprintf(out, "all %u vCPUs:\n", machine->nr_vcpus);
	print_exits(&sum, out);
}

/* ------------------------------------------------------------------- JSON */

static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%llx", (unsigned long long)value);
}

/* NULL: it has not shut down. */
static json_t *json_autopsy(const struct hv_vcpu *vcpu)
{
	struct hv_registers registers;
	struct hv_autopsy autopsy;
	struct hv_view view;

	if (!has_shut_down(vcpu) || hv_vcpu_registers(vcpu, &registers))
		return NULL;
	view = hv_vcpu_view(vcpu, &registers);
	hv_autopsy(&autopsy, &view);
	return hv_autopsy_json(&autopsy, &view);
}

/* NULL: they cannot be had. */
static json_t *json_registers(const struct hv_vcpu *vcpu)
{
	struct hv_registers registers;

	return hv_vcpu_registers(vcpu, &registers) ? NULL : hv_registers_json(&registers);
}

static json_t *json_last_exit(const struct tinyvmx_run *run)
{
	return json_pack("{s:o, s:i, s:s, s:o, s:o, s:i}", "reason", hex(run->exit_reason),
			 "basic_reason", run->exit_reason & 0xffff, "name",
			 vmx_exit_name(run->exit_reason & 0xffff), "qualification",
			 hex(run->exit_qualification), "rip", hex(run->rip), "instruction_length",
			 run->instruction_len);
}

static json_t *json_counts(const struct hv_vcpu *vcpu)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < HV_NR_EXITS; i++)
		if (vcpu->exits[i])
			json_object_set_new(object, hv_exit_reason_name(i),
					    json_integer(vcpu->exits[i]));
	return object;
}

static json_t *json_vcpu(const struct hv_vcpu *vcpu)
{
	json_t *by_reason = json_object();
	struct tinyvmx_exits exits;
	json_int_t total = 0;

	hv_vcpu_count_exits(vcpu, &exits);
	for (unsigned int i = 0; i < TINYVMX_NR_EXIT_COUNTS; i++) {
		total += exits.count[i];
		if (exits.count[i])
			json_object_set_new(by_reason, vmx_exit_name(i),
					    json_integer(exits.count[i]));
	}
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o*, s:o*, s:o*}", "id",
			 vcpu->id, "first_tsc", (json_int_t)vcpu->first_tsc, "last_tsc",
			 (json_int_t)hv_vcpu_tsc(vcpu), "unknown_msrs",
			 (json_int_t)vcpu->run->unknown_msrs, "exits", total, "exits_by_reason",
			 by_reason, "exits_to_hvctl", json_counts(vcpu), "last_exit",
			 json_last_exit(vcpu->run), "registers", json_registers(vcpu), "autopsy",
			 json_autopsy(vcpu), "last_exits", json_last_exits(vcpu));
}

/* JSON is UTF-8; a file name, and what a guest has said, is any bytes. */
static json_t *json_text(const char *text)
{
	size_t room = strlen(text) + 1;
	char *copy = malloc(room);
	json_t *string;

	if (!copy)
		return NULL;
	hv_text_clean(copy, room, text, strlen(text));
	string = json_string(copy);
	free(copy);
	return string;
}

/* Its rows down to the last with something in it; NULL: there is nothing. */
static json_t *json_screen(const struct hv_machine *machine)
{
	struct hv_screen screen;
	char text[HV_SCREEN_ROW_MAX];
	unsigned int rows = hv_screen_look(machine, &screen) ? hv_screen_rows_used(&screen) : 0;
	json_t *array = rows ? json_array() : NULL;

	for (unsigned int row = 0; row < rows; row++) {
		hv_screen_row(&screen, row, hv_screen_utf8, text);
		json_array_append_new(array, json_string(text));
	}
	return array;
}

int hv_report_json(const struct hv_machine *machine, FILE *out)
{
	json_t *vcpus = json_array(), *report;
	char text[300];
	int err;

	hv_end_describe(&machine->end, text, sizeof(text));
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		if (is_there(&machine->vcpus[i]))
			json_array_append_new(vcpus, json_vcpu(&machine->vcpus[i]));
	report = json_pack("{s:o, s:s, s:i, s:o, s:I, s:o, s:o*}", "image",
			   json_text(machine->config.load.path), "end", hv_end_name(&machine->end),
			   "status", hv_end_status(&machine->end), "message", json_text(text),
			   "memory", (json_int_t)machine->memory.size, "vcpus", vcpus, "screen",
			   json_screen(machine));
	err = report ? json_dumpf(report, out, JSON_COMPACT) : -1;
	json_decref(report);
	if (!err)
		fputc('\n', out);
	return err || fflush(out);
}
