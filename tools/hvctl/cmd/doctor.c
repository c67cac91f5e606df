// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl doctor: find what keeps VT-x from working here, and how to mend it.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "command.h"
#include "doctor_report.h"
#include "lib/status.h"

struct request {
	const char *report, *selftests;
};

enum { OPT_REPORT = 0x100, OPT_SELFTESTS };

static const struct argp_option options[] = {
	{ "report", OPT_REPORT, "FILE", 0,
	  "write all that is worth knowing of this machine to FILE, to be sent; with the module loaded it measures, for minutes",
	  0 },
	{ "selftests", OPT_SELFTESTS, "DIR", 0,
	  "run what 'make' has put there (build/selftests), for the report; as root", 0 },
	{ 0 }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case OPT_REPORT:
		request->report = arg;
		return 0;
	case OPT_SELFTESTS:
		request->selftests = arg;
		return 0;
	case ARGP_KEY_ARG:
		hv_command_no_argument(state, arg);
		return 0;
	case ARGP_KEY_END:
		if (request->selftests && !request->report)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "--selftests: is for a report; give --report FILE, too");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The list of checks is part of the help, behind the options. */
static char *list_checks(int key, const char *before, void *input)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	(void)input;
	out = key == ARGP_KEY_HELP_POST_DOC ? open_memstream(&text, &size) : NULL;
	if (!out)
		return (char *)before;
	fputs("Exit status: that of the first check that is not ok:\n", out);
	for (size_t i = 0; i < doctor_nr_checks; i++)
		fprintf(out, "  %d  %-10s  %s\n", doctor_checks[i].status, doctor_checks[i].name,
			doctor_checks[i].about);
	fprintf(out,
		"   0  all is well\n   %d  nothing is wrong, but something could not be found out",
		DOCTOR_STATUS_UNKNOWN);
	fclose(out);
	return text;
}

const struct argp hv_argp_doctor = {
	.options = options,
	.parser = parse_option,
	.doc = "Check everything that can keep VT-x from working here, and print for each\n"
	       "ok, not ok or unknown, and the remedy.",
	.help_filter = list_checks,
};

/* Closes @out. */
static int write_report(const char *path, FILE *out, const struct doctor_facts *facts,
			const struct doctor_result *results, const char *selftests)
{
	bool bad;

	doctor_report(out, facts, results, selftests);
	bad = ferror(out);
	if (!fclose(out) && !bad)
		return HV_STATUS_OK;
	fprintf(stderr, "hvctl doctor: --report %s: cannot be written; is there room?\n", path);
	return HV_STATUS_ERROR;
}

/* Before anything is looked at, for minutes perhaps */
static FILE *open_report(const char *path)
{
	FILE *out = fopen(path, "we");

	if (!out)
		fprintf(stderr, "hvctl doctor: --report %s: %s; check the path\n", path,
			strerror(errno));
	return out;
}

int hv_cmd_doctor(int argc, char **argv)
{
	struct doctor_env env = {
		.root = "",
		.cpuid = vmx_cpuid,
		.from_module = vmx_info_from_module,
	};
	struct request request = { 0 };
	struct doctor_result *results;
	struct doctor_facts facts;
	struct utsname uts;
	FILE *out = NULL;
	int status, failed = HV_STATUS_OK;

	hv_command_parse(&hv_argp_doctor, argc, argv, &request);
	if (request.report) {
		out = open_report(request.report);
		if (!out)
			return HV_STATUS_USAGE;
	}
	results = calloc(doctor_nr_checks, sizeof(*results));
	if (uname(&uts) || !results) {
		fprintf(stderr, "hvctl doctor: %s\n", strerror(errno));
		free(results);
		return HV_STATUS_ERROR;
	}
	env.release = uts.release;
	doctor_examine(&env, &facts);
	status = doctor_run(&facts, results);
	doctor_print(stdout, results);
	if (request.report)
		failed = write_report(request.report, out, &facts, results, request.selftests);
	free(results);
	return hv_command_finish("hvctl doctor", failed ? failed : status);
}
