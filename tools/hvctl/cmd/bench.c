// SPDX-License-Identifier: GPL-2.0-only
/* hvctl bench: what an exit costs, on /dev/tinyvmx and on /dev/kvm. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/report.h"
#include "command.h"
#include "debug/flight.h"
#include "lib/status.h"
#include "lib/util.h"

enum {
	OPTION_SVG = 256,
	OPTION_WITH,
	OPTION_BASELINE,
	OPTION_LIST,
	OPTION_LINUX,
	OPTION_MARKDOWN,
	OPTION_RECORD
};

/* What "make bench" calls a regression. */
#define REGRESSION_PERCENT 3.0

struct request {
	bool json, list, markdown;
	const char *svg, *baseline;
	const char *with[4];
	unsigned int nr_with;
	const char *backend;
	const char *names[64];
	unsigned int nr_names;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "print JSON, for programs", 0 },
	{ "markdown", OPTION_MARKDOWN, NULL, 0, "print the table for docs/performance.md", 0 },
	{ "svg", OPTION_SVG, "FILE", 0, "draw the ratios into FILE", 0 },
	{ "case", 'c', "NAME", 0, "measure only this one; may be given again", 0 },
	{ "backend", 'b', "tinyvmx|kvm|both|none", 0,
	  "where to measure (default: both)", 0 },
	{ "with", OPTION_WITH, "FILE", 0,
	  "take what is not measured now from the JSON of an earlier run", 0 },
	{ "baseline", OPTION_BASELINE, "FILE", 0,
	  "show what that JSON says of tinyvmx, too, and fail if it is more than 3 % slower now",
	  0 },
	{ "linux", OPTION_LINUX, "DIR", 0,
	  "where guests/linux/build has put the Linux guest (/guests/linux)", 0 },
	{ "record", OPTION_RECORD, NULL, 0, "record each exit, on tinyvmx", 0 },
	{ "list", OPTION_LIST, NULL, 0, "list the cases", 0 },
	{ 0 }
};

static bool is_case(const char *name)
{
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++)
		if (!strcmp(hv_bench_cases[i].name, name))
			return true;
	return false;
}

static void add_case(struct request *request, const char *name, struct argp_state *state)
{
	if (!is_case(name))
		argp_failure(state, HV_STATUS_USAGE, 0, "%s: no such case; --list lists them",
			     name);
	if (request->nr_names == ARRAY_SIZE(request->names))
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "too many cases; without --case it is all of them");
	request->names[request->nr_names++] = name;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 'j':
		request->json = true;
		return 0;
	case 'c':
		add_case(request, arg, state);
		return 0;
	case 'b':
		if (strcmp(arg, "tinyvmx") && strcmp(arg, "kvm") && strcmp(arg, "both") &&
		    strcmp(arg, "none"))
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "%s: is no back end; choose tinyvmx, kvm, both or none", arg);
		request->backend = arg;
		return 0;
	case OPTION_SVG:
		request->svg = arg;
		return 0;
	case OPTION_WITH:
		if (request->nr_with == ARRAY_SIZE(request->with))
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "%s: too many files; four are the most", arg);
		request->with[request->nr_with++] = arg;
		return 0;
	case OPTION_BASELINE:
		request->baseline = arg;
		return 0;
	case OPTION_MARKDOWN:
		request->markdown = true;
		return 0;
	case OPTION_LINUX:
		hv_bench_linux_dir = arg;
		return 0;
	case OPTION_RECORD:
		hv_bench_records = HV_FLIGHT_RECORDS;
		return 0;
	case OPTION_LIST:
		request->list = true;
		return 0;
	case ARGP_KEY_ARG:
		hv_command_no_argument(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp hv_argp_bench = {
	options, parse_option, NULL,
	"Measure what VM exits and other operations cost, in TSC ticks of the guest.\n"
	"\vThe same guests run on /dev/tinyvmx and on /dev/kvm, with an equally thin loop\n"
	"around them. Each number is the median of several rounds; +- is the distance\n"
	"between quartiles.",
	NULL, NULL, NULL
};

static bool wants_case(const struct request *request, const char *name)
{
	for (unsigned int i = 0; i < request->nr_names; i++)
		if (!strcmp(request->names[i], name))
			return true;
	return !request->nr_names;
}

static const struct {
	const struct hv_bench_backend *backend;
	const char *device, *remedy;
} sides[HV_BENCH_NR_BACKENDS] = {
	[HV_BENCH_TINYVMX] = { &hv_bench_tinyvmx, "/dev/tinyvmx",
			       "load the module, or choose --backend kvm" },
	[HV_BENCH_KVM] = { &hv_bench_kvm, "/dev/kvm",
			   "modprobe kvm_intel, or choose --backend tinyvmx" },
};

static bool wants_backend(const struct request *request, unsigned int which)
{
	return !strcmp(request->backend, "both") ||
	       !strcmp(request->backend, sides[which].backend->name);
}

static bool devices_are_there(const struct request *request)
{
	for (unsigned int i = 0; i < HV_BENCH_NR_BACKENDS; i++) {
		int fd;

		if (!wants_backend(request, i))
			continue;
		fd = sides[i].backend->open();
		if (fd < 0) {
			fprintf(stderr, "hvctl bench: %s: %s; %s\n", sides[i].device, strerror(-fd),
				sides[i].remedy);
			return false;
		}
		close(fd);
	}
	return true;
}

static void measure(const struct request *request, unsigned int which,
		    struct hv_bench_result results[])
{
	if (!wants_backend(request, which))
		return;
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++)
		if (results[i].wanted)
			hv_bench_measure(&hv_bench_cases[i], sides[which].backend,
					 &results[i].number[which], &results[i].why[which]);
}

static int fail(const char *what, const char *text)
{
	fprintf(stderr, "hvctl bench: %s: %s\n", what, text);
	return HV_STATUS_ERROR;
}

static int refuse(const char *path, const char *text)
{
	fprintf(stderr, "hvctl bench: %s: %s; it must be from 'hvctl bench --json'\n", path, text);
	return HV_STATUS_USAGE;
}

static int merge(const struct request *request, struct hv_bench_result results[])
{
	struct hv_error err;

	for (unsigned int i = 0; i < request->nr_with; i++)
		if (hv_bench_merge(request->with[i], results, &err))
			return refuse(request->with[i], err.text);
	return HV_STATUS_OK;
}

/* Before minutes of measuring: will the files do? */
static int check_files(const struct request *request)
{
	struct hv_error err;
	FILE *file;

	for (unsigned int i = 0; i < request->nr_with; i++)
		if (hv_bench_check(request->with[i], &err))
			return refuse(request->with[i], err.text);
	if (request->baseline && hv_bench_check(request->baseline, &err))
		return refuse(request->baseline, err.text);
	if (!request->svg)
		return HV_STATUS_OK;
	file = fopen(request->svg, "a");
	if (!file) {
		fprintf(stderr, "hvctl bench: --svg %s: %s; check the path\n", request->svg,
			strerror(errno));
		return HV_STATUS_USAGE;
	}
	fclose(file);
	return HV_STATUS_OK;
}

static int draw(const char *path, const struct hv_bench_result results[])
{
	FILE *file = fopen(path, "w");
	int error;

	if (!file)
		return fail(path, strerror(errno));
	error = hv_bench_print_svg(file, results);
	if (fclose(file) || error)
		return fail(path, "cannot be written");
	return HV_STATUS_OK;
}

static void print_results(const struct request *request, const struct hv_bench_result results[])
{
	struct hv_bench_result *before =
		request->baseline ? calloc(hv_bench_nr_cases, sizeof(*before)) : NULL;
	struct hv_error err;

	for (unsigned int i = 0; before && i < hv_bench_nr_cases; i++)
		before[i].wanted = true;
	/* What is wrong with the file, comparing will tell. */
	if (before)
		(void)hv_bench_merge(request->baseline, before, &err);
	if (request->json)
		hv_bench_print_json(stdout, results);
	else if (request->markdown)
		hv_bench_print_markdown(stdout, results);
	else
		hv_bench_print_table(stdout, results, before);
	hv_bench_print_failures(stderr, results);
	free(before);
}

static int report(const struct request *request, const struct hv_bench_result results[])
{
	struct hv_error err;
	int status = HV_STATUS_OK, slower;

	print_results(request, results);
	if (request->svg)
		status = draw(request->svg, results);
	if (!status && request->baseline) {
		slower = hv_bench_compare(request->baseline, results, REGRESSION_PERCENT, stderr,
					  &err);
		if (slower < 0)
			return refuse(request->baseline, err.text);
		if (slower)
			status = HV_STATUS_ERROR;
	}
	if (fflush(stdout) || ferror(stdout))
		return fail("writing", strerror(errno));
	return status;
}

static int list(void)
{
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++)
		printf("%-13s %s\n", hv_bench_cases[i].name, hv_bench_cases[i].what);
	return fflush(stdout) ? fail("writing", strerror(errno)) : HV_STATUS_OK;
}

static void ignore(int sig)
{
	(void)sig;
}

int hv_cmd_bench(int argc, char **argv)
{
	struct request request = { .backend = "both" };
	struct sigaction action = { .sa_handler = ignore };
	struct hv_bench_result *results;
	int status;

	hv_command_parse(&hv_argp_bench, argc, argv, &request);
	if (request.list)
		return list();
	status = check_files(&request);
	if (status)
		return status;
	if (!devices_are_there(&request))
		return HV_STATUS_USAGE;
	results = calloc(hv_bench_nr_cases, sizeof(*results));
	if (!results)
		return fail("memory", strerror(ENOMEM));
	sigaction(SIGUSR1, &action, NULL);
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++)
		results[i].wanted = wants_case(&request, hv_bench_cases[i].name);
	measure(&request, HV_BENCH_TINYVMX, results);
	measure(&request, HV_BENCH_KVM, results);
	status = merge(&request, results);
	if (!status)
		status = report(&request, results);
	free(results);
	return status;
}
