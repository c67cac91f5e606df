// SPDX-License-Identifier: GPL-2.0-only
/* hvctl lab: exercises in VMCSs, which the CPU itself marks. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "lib/error.h"
#include "lib/status.h"
#include "vmm/lab.h"

struct order {
	unsigned int number;		/* 0: list them */
	bool solution;
};

enum { OPT_SOLUTION = 's' };

static const struct argp_option options[] = {
	{ "solution", OPT_SOLUTION, NULL, 0, "print one, as commands", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;
	char *end;

	switch (key) {
	case OPT_SOLUTION:
		order->solution = true;
		return 0;
	case ARGP_KEY_ARG:
		if (order->number)
			hv_command_no_argument(state, arg);
		order->number = (unsigned int)strtoul(arg, &end, 10);
		if (*end || !order->number || order->number > hv_nr_exercises)
			argp_failure(state, HV_STATUS_USAGE, 0, "%s: there are exercises 1 to %u",
				     arg, hv_nr_exercises);
		return 0;
	case ARGP_KEY_END:
		if (order->solution && !order->number)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "--solution of which exercise? 'hvctl lab' lists them");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp hv_argp_lab = {
	.options = options,
	.parser = parse,
	.args_doc = "[N]",
	.doc = "Learn what the CPU wants of a VMCS: exercise N is one that it refuses, to be mended by "
	       "setting its fields. Without N: list the exercises, and which are solved.\v"
	       "Commands are read from standard input; 'help' lists them. The CPU says whether it is "
	       "solved, so root is needed, and the module in lab mode (insmod tinyvmx.ko lab=1). "
	       "What is solved is kept in $XDG_STATE_HOME/hvctl/lab, or ~/.local/state/hvctl/lab.\n\n"
	       "Exit status: 0: solved; 1: not solved; 2: wrong use; else as of hvctl run.",
};

/* ---------------------------------------------------------------- progress */

/* Where it is kept. False if nobody says where. */
static bool progress_path(char *path, size_t len)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return snprintf(path, len, "%s/hvctl/lab", state) < (int)len;
	if (home && *home == '/')
		return snprintf(path, len, "%s/.local/state/hvctl/lab", home) < (int)len;
	return false;
}

/* The directories that it lies in; what fails is seen when it is opened. */
static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0700);
		*slash = '/';
	}
}

/* Which are solved: bit n - 1 for exercise n. */
static uint64_t read_progress(void)
{
	unsigned int number;
	uint64_t solved = 0;
	char path[4096];
	FILE *file = progress_path(path, sizeof(path)) ? fopen(path, "re") : NULL;

	if (!file)
		return 0;
	while (fscanf(file, "%u", &number) == 1)
		if (number && number <= hv_nr_exercises)
			solved |= 1ULL << (number - 1);
	fclose(file);
	return solved;
}

static void keep_progress(unsigned int number)
{
	char path[4096];
	FILE *file;

	if (!progress_path(path, sizeof(path))) {
		fputs("hvctl lab: set HOME to keep what is solved\n", stderr);
		return;
	}
	make_parents(path);
	file = fopen(path, "ae");
	if (file && fprintf(file, "%u\n", number) > 0 && !fclose(file))
		return;
	fprintf(stderr, "hvctl lab: %s: %s; that it is solved is not kept\n", path,
		strerror(errno));
}

static int list(void)
{
	uint64_t solved = read_progress();

	for (unsigned int i = 0; i < hv_nr_exercises; i++)
		printf("%2u  %-8s  %-34s %s\n", i + 1, solved >> i & 1 ? "solved" : "",
		       hv_exercises[i].title, hv_exercises[i].goal);
	return HV_STATUS_OK;
}

static int work(unsigned int number)
{
	struct hv_error err = { .text = "" };
	static struct hv_lab lab;
	bool solved = false;
	int ret;

	ret = hv_lab_open(&lab, &err);
	if (!ret)
		ret = hv_lab_session(&lab, number, stdin, stdout,
				     isatty(STDIN_FILENO) && isatty(STDOUT_FILENO), &solved, &err);
	hv_lab_close(&lab);
	if (ret) {
		fprintf(stderr, "hvctl lab: %s\n", err.text);
		return HV_STATUS_ERROR;
	}
	if (solved && !(read_progress() >> (number - 1) & 1))
		keep_progress(number);
	return solved ? HV_STATUS_OK : 1;
}

int hv_cmd_lab(int argc, char **argv)
{
	struct order order = { .number = 0 };

	hv_command_parse(&hv_argp_lab, argc, argv, &order);
	if (!order.number)
		return list();
	if (!order.solution)
		return work(order.number);
	hv_lab_print_solution(order.number, stdout);
	return HV_STATUS_OK;
}
