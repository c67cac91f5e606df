// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl explain: read a VMCS dump, tell which rules of VM entry it breaks.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "explain_json.h"
#include "lib/error.h"
#include "lib/status.h"
#include "vmx/caps.h"
#include "vmx/vmcs_dump.h"

/* As for doctor: nothing is wrong, but something could not be found out. */
#define STATUS_UNCHECKED 1

enum { OPT_CPU = 'c', OPT_JSON = 'j', OPT_RULES = 0x100 };

/* Whose CPU it was. */
enum whose { AS_IT_IS, THIS_CPU, UNKNOWN_CPU };

struct order {
	const char *path;
	enum whose cpu;
	bool json, rules;
};

static const struct argp_option options[] = {
	{ "cpu", OPT_CPU, "this|unknown", 0,
	  "the CPU that refused it; default: this one for a dump of ours, unknown for a log", 0 },
	{ "json", OPT_JSON, NULL, 0, "for programs: an object", 0 },
	{ "rules", OPT_RULES, NULL, 0, "list the rules that are checked; takes no FILE", 0 },
	{ 0 }
};

static void parse_cpu(struct argp_state *state, struct order *order, const char *arg)
{
	if (!strcmp(arg, "this"))
		order->cpu = THIS_CPU;
	else if (!strcmp(arg, "unknown"))
		order->cpu = UNKNOWN_CPU;
	else
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "--cpu %s: no such CPU; use this or unknown", arg);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;

	switch (key) {
	case OPT_CPU:
		parse_cpu(state, order, arg);
		return 0;
	case OPT_JSON:
		order->json = true;
		return 0;
	case OPT_RULES:
		order->rules = true;
		return 0;
	case ARGP_KEY_ARG:
		if (order->path)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "%s: one file only; see 'hvctl help explain'", arg);
		order->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (order->path && order->rules)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "--rules takes no file; leave %s out", order->path);
		if (!order->path && !order->rules)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "no file given; name one, or - for standard input");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp hv_argp_explain = {
	options, parse_option, "FILE",
	"Hold a VMCS against the SDM's checks on VM entry, and tell which it does not pass.\n"
	"\vFILE (-: standard input) is a dump of hvctl, which has a line a field: its encoding and\n"
	"its value, both hexadecimal. Or it is a log: the kernel's with what KVM writes into it if\n"
	"kvm_intel has dump_invalid_vmcs=1, Xen's, or VirtualBox'; the last VMCS in it is taken.\n"
	"What a log does not have is not checked, nor, but for --cpu=this, what hangs on the CPU.\n"
	"\n"
	"Exit status:\n"
	"  0  all rules were checked, none is violated\n"
	"  1  no violated rule found, but not all could be checked; it tells which\n"
	"  8  violated rules found\n"
	"  2  bad input",
	NULL, NULL, NULL
};

static int fail(const char *path, const char *why)
{
	fprintf(stderr, "hvctl explain: %s: %s\n", path, why);
	return HV_STATUS_USAGE;
}

/* A log may come from anywhere: the CPU at hand need not be the one that refused it. */
static const struct vmx_cpu *find_cpu(struct vmx_cpu *cpu, enum whose whose,
				      const struct vmcs_source *source)
{
	if (whose == UNKNOWN_CPU || (whose == AS_IT_IS && source->name))
		return NULL;
	return vmx_cpu_read(cpu);
}

static void print_source(const struct vmcs_source *source)
{
	if (source->dumps > 1)
		printf("the last of %u VMCSs in a log of %s\n", source->dumps, source->name);
	else if (source->name)
		printf("a VMCS in a log of %s\n", source->name);
}

static int explain(const char *path, const struct order *order, FILE *in)
{
	struct tinyvmx_vmcs_field *fields;
	struct hv_error err = { .text = "" };
	struct vmcs_source source;
	struct explain_report report;
	struct vmx_cpu cpu;
	size_t n;

	if (vmcs_dump_read(in, &fields, &n, &source, &err))
		return fail(path, err.text);
	explain_report(find_cpu(&cpu, order->cpu, &source), NULL, fields, n, &report);
	free(fields);
	if (order->json) {
		hv_explain_json(&report, &source);
	} else {
		print_source(&source);
		explain_report_print(&report, stdout);
	}
	if (report.count)
		return HV_STATUS_ENTRY_FAILED;
	return explain_has_gaps(&report.gaps) ? STATUS_UNCHECKED : HV_STATUS_OK;
}

static int list_rules(const struct order *order)
{
	if (order->json)
		hv_explain_rules_json();
	else
		hv_explain_rules();
	return HV_STATUS_OK;
}

int hv_cmd_explain(int argc, char **argv)
{
	struct order order = { .path = NULL };
	FILE *in;
	int status;

	hv_command_parse(&hv_argp_explain, argc, argv, &order);
	if (order.rules)
		return hv_command_finish(argv[0], list_rules(&order));
	if (!strcmp(order.path, "-"))
		return hv_command_finish(argv[0], explain("standard input", &order, stdin));
	in = fopen(order.path, "re");
	if (!in) {
		fprintf(stderr,
			"hvctl explain: %s: %s; name a VMCS dump, or - for standard input\n",
			order.path, strerror(errno));
		return HV_STATUS_USAGE;
	}
	status = explain(order.path, &order, in);
	fclose(in);
	return hv_command_finish(argv[0], status);
}
