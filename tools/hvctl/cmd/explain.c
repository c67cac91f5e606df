// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl explain: read a VMCS dump, tell which rules of VM entry it breaks.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "explain/explain.h"
#include "lib/error.h"
#include "lib/status.h"
#include "vmx/caps.h"
#include "vmx/vmcs_dump.h"

/* As for doctor: nothing is wrong, but something could not be found out. */
#define STATUS_UNCHECKED 1

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	const char **path = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*path)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "%s: one file only; see 'hvctl help explain'", arg);
		*path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!*path)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "no file given; name one, or - for standard input");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp hv_argp_explain = {
	NULL, parse_option, "FILE",
	"Hold a VMCS against the SDM's checks on VM entry, and tell which it does not pass.\n"
	"\vFILE (-: standard input) has a line a field: its encoding and its value, both\n"
	"hexadecimal; '#' begins a comment. It is held to be of this machine's CPU, if\n"
	"tinyvmx is loaded; else rules that need to know the CPU are not checked.\n"
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

static int explain(const char *path, FILE *in)
{
	struct tinyvmx_vmcs_field *fields;
	struct hv_error err = { .text = "" };
	struct explain_gaps gaps;
	struct vmx_cpu cpu;
	size_t n, count;

	if (vmcs_dump_read(in, &fields, &n, &err))
		return fail(path, err.text);
	count = explain_print(vmx_cpu_read(&cpu), NULL, fields, n, stdout, &gaps);
	free(fields);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "hvctl explain: writing: %s\n", strerror(errno));
		return HV_STATUS_ERROR;
	}
	if (count)
		return HV_STATUS_ENTRY_FAILED;
	return explain_has_gaps(&gaps) ? STATUS_UNCHECKED : HV_STATUS_OK;
}

int hv_cmd_explain(int argc, char **argv)
{
	const char *path = NULL;
	FILE *in;
	int status;

	hv_command_parse(&hv_argp_explain, argc, argv, &path);
	if (!strcmp(path, "-"))
		return explain("standard input", stdin);
	in = fopen(path, "re");
	if (!in) {
		fprintf(stderr,
			"hvctl explain: %s: %s; name a VMCS dump, or - for standard input\n", path,
			strerror(errno));
		return HV_STATUS_USAGE;
	}
	status = explain(path, in);
	fclose(in);
	return status;
}
