// SPDX-License-Identifier: GPL-2.0-only
/* "monitor ..." of a debugger: what gdb has no words for. */
#include <string.h>

#include "debug/page_walk.h"
#include "debugger.h"
#include "examine.h"
#include "lib/util.h"
#include "report.h"

static void show_help(struct hv_vcpu *vcpu, const char *text, FILE *out)
{
	(void)vcpu;
	(void)text;
	fputs("These are about the vCPU of the current thread:\n"
	      "  monitor regs          all registers, with their flags by name\n"
	      "  monitor vmcs          its VMCS\n"
	      "  monitor walk ADDRESS  how it translates a linear address\n"
	      "... and of all vCPUs:\n"
	      "  monitor exits         how often each VM exit came\n",
	      out);
}

static void show_registers(struct hv_vcpu *vcpu, const char *text, FILE *out)
{
	struct hv_registers registers;

	(void)text;
	if (hv_vcpu_registers(vcpu, &registers)) {
		fputs("The module does not give its registers; see 'dmesg | tail'.\n", out);
		return;
	}
	hv_registers_print(&registers, out);
	hv_registers_print_rest(&registers, out);
}

static void show_vmcs(struct hv_vcpu *vcpu, const char *text, FILE *out)
{
	struct hv_vmcs vmcs;

	(void)text;
	if (hv_vcpu_vmcs(vcpu, &vmcs)) {
		fputs("The module does not give its VMCS; see 'dmesg | tail'.\n", out);
		return;
	}
	hv_vmcs_print(&vmcs, out);
	hv_vmcs_free(&vmcs);
}

static void show_walk(struct hv_vcpu *vcpu, const char *text, FILE *out)
{
	json_t *line = json_pack("{s:s}", "address", text), *reply = json_object();
	struct hv_error err = { .text = "no memory" };

	if (line && reply && !hv_control_look_at_walk(vcpu->machine, vcpu, line, reply, &err))
		hv_page_walk_print(reply, out);
	else
		fprintf(out, "walk: %s\n", err.text);
	json_decref(line);
	json_decref(reply);
}

static void show_exits(struct hv_vcpu *vcpu, const char *text, FILE *out)
{
	(void)text;
	hv_report_stats(vcpu->machine, out);
}

static const struct {
	const char *name;
	void (*show)(struct hv_vcpu *vcpu, const char *text, FILE *out);
} commands[] = {
	{ "help", show_help },
	{ "regs", show_registers },
	{ "vmcs", show_vmcs },
	{ "walk", show_walk },
	{ "exits", show_exits },
};

void hv_debugger_monitor(struct hv_debugger *debugger, struct hv_vcpu *vcpu, const char *text,
			 FILE *out)
{
	size_t len = strcspn(text, " ");

	(void)debugger;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strlen(commands[i].name) == len && !memcmp(text, commands[i].name, len)) {
			commands[i].show(vcpu, text + len + strspn(text + len, " "), out);
			return;
		}
	fputs("No such command; 'monitor help' lists them.\n", out);
}
