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
#include "doctor/doctor.h"
#include "lib/status.h"

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	argp_failure(state, HV_STATUS_USAGE, 0, "%s: no argument expected; see 'hvctl help doctor'",
		     arg);
	return 0;
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

static void print(const struct doctor_result *results)
{
	static const char *const states[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_NOT_OK] = "not ok",
		[DOCTOR_UNKNOWN] = "unknown",
	};

	for (size_t i = 0; i < doctor_nr_checks; i++) {
		const struct doctor_result *r = &results[i];

		printf("%-7s  %s: %s\n", states[r->state], doctor_checks[i].name, r->text);
		if (r->remedy[0])
			printf("         -> %s\n", r->remedy);
	}
}

const struct argp hv_argp_doctor = {
	.parser = parse_option,
	.doc = "Check everything that can keep VT-x from working here, and print for each\n"
	       "ok, not ok or unknown, and the remedy.",
	.help_filter = list_checks,
};

int hv_cmd_doctor(int argc, char **argv)
{
	struct doctor_env env = {
		.root = "",
		.cpuid = vmx_cpuid,
		.from_module = vmx_info_from_module,
	};
	struct doctor_result *results;
	struct doctor_facts facts;
	struct utsname uts;
	int status;

	hv_command_parse(&hv_argp_doctor, argc, argv, NULL);
	results = calloc(doctor_nr_checks, sizeof(*results));
	if (uname(&uts) || !results) {
		fprintf(stderr, "hvctl doctor: %s\n", strerror(errno));
		free(results);
		return HV_STATUS_ERROR;
	}
	env.release = uts.release;
	doctor_examine(&env, &facts);
	status = doctor_run(&facts, results);
	print(results);
	free(results);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "hvctl doctor: writing: %s\n", strerror(errno));
		return HV_STATUS_ERROR;
	}
	return status;
}
