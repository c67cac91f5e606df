// SPDX-License-Identifier: GPL-2.0-only
/* hvctl up: start all VMs of a file, or none. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "lib/status.h"
#include "lib/util.h"
#include "reach.h"
#include "vmm/config_file.h"
#include "vmm/dry_run.h"
#include "vmm/session.h"

struct up {
	const char *path;
	bool dry_run;
};

static const struct hv_session_options detached = { .detach = true };

enum { OPT_DRY_RUN = 'n' };

static const struct argp_option options[] = {
	{ "dry-run", OPT_DRY_RUN, NULL, 0, "check all, say what would run, and start nothing", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct up *up = state->input;

	switch (key) {
	case OPT_DRY_RUN:
		up->dry_run = true;
		return 0;
	case ARGP_KEY_ARG:
		if (up->path)
			hv_command_no_argument(state, arg);
		up->path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_failure(state, HV_STATUS_USAGE, 0,
			     "no file named; give one with a table [vm.NAME] for each VM");
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp hv_argp_up = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Start the VMs that FILE describes, as 'hvctl run -d' does, and tell their names.\v"
	       "FILE (-: standard input) is TOML with a table [vm.NAME] for each VM, whose keys are "
	       "those of 'hvctl run --config'. All are checked before the first one starts; if one "
	       "does not start all the same, those before it are ended.",
};

static int fail(const struct hv_error *err)
{
	hv_error_print("hvctl up", err);
	return HV_STATUS_USAGE;
}

static int check(const struct hv_config *config, struct hv_error *err)
{
	char before[HV_NAME_MAX + 3];

	snprintf(before, sizeof(before), "%s: ", config->name);
	return hv_dry_run(config, before, stdout, err);
}

/* Of all of them, before any starts. */
static int check_names(const struct hv_config *configs, int count, struct hv_error *err)
{
	struct hv_runtime_dir dir;
	int error = hv_runtime_dir_open(&dir, true, err);

	for (int i = 0; i < count && !error; i++) {
		if (!hv_claim_is_alive(&dir, configs[i].name))
			continue;
		err->subject = configs[i].name;
		error = hv_fail(err, EBUSY, "runs already, in process %d; 'hvctl stop %s' first",
				hv_claim_pid(&dir, configs[i].name), configs[i].name);
	}
	hv_runtime_dir_close(&dir);
	return error;
}

/* What each of them asks for: that of the last must not end the others when its turn comes. */
static int check_machines(const struct hv_config *configs, int count, struct hv_error *err)
{
	static char subject[HV_NAME_MAX + 200];

	for (int i = 0; i < count; i++) {
		int error = hv_session_check(&configs[i], &detached, err);

		if (!error)
			continue;
		snprintf(subject, sizeof(subject), "%s%s%s", configs[i].name,
			 err->subject ? ": " : "", err->subject ?: "");
		err->subject = subject;
		return error;
	}
	return 0;
}

/* In a process each: that of the VM comes back from there, too, at its end. Returns the status. */
static int start(const struct hv_config *config)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		exit(hv_session_run(config, &detached));
	if (pid < 0) {
		fprintf(stderr, "hvctl up: no process: %s; see ulimit -u\n", strerror(errno));
		return HV_STATUS_ERROR;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return HV_STATUS_ERROR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Whoever has this very name; then it is free again. One that has ended by itself is no error. */
static void end(const char *name)
{
	static const char *const requests[] = { "wait", "kill" };
	struct hv_client client;
	struct hv_error err;
	int status, error = hv_reach_named(&client, name, &err);

	for (unsigned int i = 0; i < ARRAY_SIZE(requests) && !error; i++) {
		json_t *reply = NULL;

		error = hv_client_call(&client, json_pack("{s:s}", "request", requests[i]), &reply,
				       &err);
		json_decref(reply);
	}
	if (!error)
		(void)hv_reach_end(&client, &status, &err);
	hv_client_close(&client);
}

static void take_back(const struct hv_config *configs, int count)
{
	for (int i = 0; i < count; i++)
		end(configs[i].name);
}

static int start_all(const struct hv_config *configs, int count)
{
	for (int i = 0; i < count; i++) {
		int status = start(&configs[i]);

		if (!status)
			continue;
		fprintf(stderr, "hvctl up: %s does not start%s\n", configs[i].name,
			i ? "; those before it are ended" : "");
		take_back(configs, i);
		return status;
	}
	return HV_STATUS_OK;
}

static int check_all(const struct hv_config *configs, int count, struct hv_error *err)
{
	for (int i = 0; i < count; i++)
		if (check(&configs[i], err))
			return fail(err);
	return hv_command_finish("hvctl up", HV_STATUS_OK);
}

int hv_cmd_up(int argc, char **argv)
{
	struct up up = { 0 };
	struct hv_config_file file = { 0 };
	struct hv_config *configs = NULL;
	struct hv_error err;
	int count, status;

	hv_command_parse(&hv_argp_up, argc, argv, &up);
	err.subject = up.path;
	count = hv_config_file_open(&file, up.path, &err);
	if (!count)
		count = hv_config_file_read_vms(&file, &configs, &err);
	if (count < 0 || (!up.dry_run && (check_names(configs, count, &err) ||
					  check_machines(configs, count, &err))))
		status = fail(&err);
	else
		status = up.dry_run ? check_all(configs, count, &err) : start_all(configs, count);
	free(configs);
	hv_config_file_close(&file);
	return status;
}
