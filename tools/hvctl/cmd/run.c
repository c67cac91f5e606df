// SPDX-License-Identifier: GPL-2.0-only
/* hvctl run: load a guest, run it to its end, say how it ended. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "lib/args.h"
#include "lib/sandbox.h"
#include "lib/status.h"
#include "run_devices.h"
#include "run_load.h"
#include "vmm/config_file.h"
#include "vmm/dry_run.h"
#include "vmm/session.h"

/* Its command line, as what it means. */
struct run {
	struct hv_config config;
	struct hv_session_options options;
	struct hv_payload_words words;
	struct hv_device_words devices;
	struct hv_address gdb;
	bool cpu;			/* said on the command line */
	bool dry_run, print_config;
};

/* --------------------------------------------------------------- arguments */

enum {
	OPT_DETACH = 'd',
	OPT_MEM = 'm',
	OPT_STOPPED = 'S',
	OPT_VERBOSE = 'v',
	OPT_MACHINE = 0x100,
	OPT_CPU,
	OPT_CPUS,
	OPT_NO_REBOOT,
	OPT_JSON,
	OPT_DUMP_VMCS,
	OPT_RECORD,
	OPT_GDB,
	OPT_CLIENT,
	OPT_NAME,
	OPT_CONSOLE,
	OPT_SERIAL,
	OPT_DISPLAY,
	OPT_STATS,
	OPT_CONFIG,
	OPT_DRY_RUN,
	OPT_PRINT_CONFIG,
	OPT_NO_SANDBOX,
	OPT_TEST_RELOAD
};

/* A line each on a screen of 80 columns: hvctl(1) tells more. */
static const struct argp_option options[] = {
	{ "config", OPT_CONFIG, "FILE", 0, "a file of TOML that describes the VM", 0 },
	{ "dry-run", OPT_DRY_RUN, NULL, 0, "check all, say what would run, start nothing", 0 },
	{ "print-config", OPT_PRINT_CONFIG, NULL, 0, "write a file of TOML, start nothing", 0 },
	{ "mem", OPT_MEM, "SIZE", 0, "guest RAM, in MiB or like 2G (default 128M)", 0 },
	{ "machine", OPT_MACHINE, "pc|bare", 0, "with the chips of a PC, or without", 0 },
	{ "cpus", OPT_CPUS, "N", 0, "how many CPUs a pc has, 1 to 64", 0 },
	{ "cpu", OPT_CPU, "[+-]FEATURE,...", 0, "take CPUID features away, or insist on them", 0 },
	{ "no-reboot", OPT_NO_REBOOT, NULL, 0, "end when the guest reboots", 0 },
	{ "name", OPT_NAME, "NAME", 0, "what the VM is called", 0 },
	{ "console", OPT_CONSOLE, "BACKEND", 0,
	  "stdio (default), pty, file:NAME, unix:PATH, null", 0 },
	{ "detach", OPT_DETACH, NULL, 0, "return as soon as it runs; see 'hvctl console'", 0 },
	{ "stopped", OPT_STOPPED, NULL, 0, "wait for 'hvctl resume', or a debugger", 0 },
	{ "gdb", OPT_GDB, "ADDRESS", 0, "unix:PATH or a port, to which gdb may connect", 0 },
	{ "serial", OPT_SERIAL, "COMn:BACKEND", 0, "stdio (the console), pty, file:NAME, null", 0 },
	{ "display", OPT_DISPLAY, "none|text", 0, "show a pc's screen on the terminal", 0 },
	{ "verbose", OPT_VERBOSE, NULL, 0, "tell the life of the VM, a line a step", 0 },
	{ "no-sandbox", OPT_NO_SANDBOX, NULL, 0, "hvctl may do what its user may", 0 },
	{ "stats", OPT_STATS, NULL, 0, "count VM exits, tell them at the end", 0 },
	{ "json", OPT_JSON, NULL, 0, "report the end as a line of JSON", 0 },
	{ "dump-vmcs", OPT_DUMP_VMCS, "FILE", 0, "at an abnormal end write the VMCS there", 0 },
	{ "record", OPT_RECORD, "N", OPTION_ARG_OPTIONAL,
	  "keep the last N exits, tell them at a bad end", 0 },
	{ "client", OPT_CLIENT, "FD", OPTION_HIDDEN, "a socket, of which a client asks", 0 },
	{ "test-reload", OPT_TEST_RELOAD, "COUNT[@SECONDS]", OPTION_HIDDEN,
	  "save, destroy and restore the machine at random times, from then on", 0 },
	{ 0 }
};

static void bad_size(struct argp_state *state, const char *arg)
{
	argp_failure(state, HV_STATUS_USAGE, 0,
		     "--mem %s: not a size; give a number of MiB, or one like 2G", arg);
}

/* What @err says of the option that @arg was given to. */
static void refuse(struct argp_state *state, const char *option, const char *arg,
		   const struct hv_error *err)
{
	argp_failure(state, HV_STATUS_USAGE, 0, "--%s %s: %s", option, arg, err->text);
}

/* Not what the machine is, but what is done with it. */
static error_t parse_session_option(int key, const char *arg, struct run *run,
				    struct argp_state *state)
{
	struct hv_error err;

	switch (key) {
	case OPT_CONFIG: /* was read before */
		return 0;
	case OPT_DRY_RUN:
		run->dry_run = true;
		return 0;
	case OPT_PRINT_CONFIG:
		run->print_config = true;
		return 0;
	case OPT_DETACH:
		run->options.detach = true;
		return 0;
	case OPT_STOPPED:
		run->options.stopped = true;
		return 0;
	case OPT_GDB:
		if (hv_address_parse(&run->gdb, arg, &err))
			refuse(state, "gdb", arg, &err);
		run->options.gdb = &run->gdb;
		return 0;
	case OPT_STATS:
		run->options.stats = true;
		return 0;
	case OPT_JSON:
		run->options.json = true;
		return 0;
	case OPT_CLIENT:
		run->options.client = atoi(arg);
		return 0;
	case OPT_DUMP_VMCS:
		run->options.dump_vmcs = arg;
		return 0;
	case OPT_TEST_RELOAD:
		run->options.reloads = atoi(arg);
		run->options.reload_after = strchr(arg, '@') ? atoi(strchr(arg, '@') + 1) : 0;
		run->config.shared_memory = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Those of the command line instead of the file's. */
static int add_cpu(struct run *run, const char *arg, struct hv_error *err)
{
	if (!run->cpu)
		*run->config.cpu = '\0';
	run->cpu = true;
	return hv_config_add_cpu(&run->config, arg, err);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct run *run = state->input;
	struct hv_error err;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &run->words;
		state->child_inputs[1] = &run->devices;
		return 0;
	case OPT_MEM:
		if (!hv_parse_size(arg, HV_MIB, &run->config.memory))
			bad_size(state, arg);
		return 0;
	case OPT_MACHINE:
		if (!hv_machine_kind_find(arg, &run->config.machine))
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "--machine %s: no such machine; use pc or bare", arg);
		return 0;
	case OPT_DISPLAY:
		if (!hv_display_kind_find(arg, &run->config.display))
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "--display %s: no such display; use none or text", arg);
		return 0;
	case OPT_CPU:
		if (add_cpu(run, arg, &err))
			refuse(state, "cpu", arg, &err);
		return 0;
	case OPT_CPUS:
		if (hv_config_set_cpus(&run->config, arg, &err))
			refuse(state, "cpus", arg, &err);
		return 0;
	case OPT_NO_REBOOT:
		run->config.no_reboot = true;
		return 0;
	case OPT_RECORD:
		if (hv_config_set_records(&run->config, arg, &err))
			refuse(state, "record", arg, &err);
		return 0;
	case OPT_NO_SANDBOX:
		run->config.sandbox = false;
		return 0;
	case OPT_VERBOSE:
		run->config.verbose++;
		return 0;
	case OPT_NAME:
		if (hv_config_set_name(&run->config, arg, &err))
			refuse(state, "name", arg, &err);
		return 0;
	case OPT_CONSOLE:
		if (hv_config_set_console(&run->config, arg, &err))
			refuse(state, "console", arg, &err);
		return 0;
	case OPT_SERIAL:
		if (hv_config_set_serial(&run->config, arg, &err))
			refuse(state, "serial", arg, &err);
		return 0;
	}
	return parse_session_option(key, arg, run, state);
}

static const struct argp_child children[] = {
	{ &hv_payload_argp, 0, NULL, 0 },
	{ &hv_devices_argp, 0, NULL, 0 },
	{ 0 }
};

const struct argp hv_argp_run = {
	.options = options,
	.parser = parse_option,
	.children = children,
	.args_doc = "IMAGE",
	.doc = "Run IMAGE (-: standard input): a kernel, a disk image. Ctrl-A X ends it.\n"
	       "Exit status: 0 powered off; 2N + 1 of N written to port 0xf4; see hvctl(1).",
};

/* ----------------------------------------------------------------- command */

static int fail(const struct hv_error *err)
{
	hv_error_print("hvctl run", err);
	return HV_STATUS_USAGE;
}

/* What is printed with it is a comment there. */
static int start_nothing(const struct run *run)
{
	struct hv_error err = { .subject = "--print-config" };
	const char *before = run->print_config ? "# " : "";
	char *text = NULL;

	if (run->dry_run && hv_dry_run(&run->config, before, stdout, &err))
		return fail(&err);
	if (run->print_config) {
		text = hv_config_to_toml(&run->config, &err);
		if (!text)
			return fail(&err);
		fputs(text, stdout);
		free(text);
	}
	return hv_command_finish("hvctl run", HV_STATUS_OK);
}

int hv_cmd_run(int argc, char **argv)
{
	struct run run = { .config = HV_CONFIG_DEFAULT,
			   .words.config = &run.config.load,
			   .devices.config = &run.config };
	const char *path = hv_command_first(&hv_argp_run, argc, argv, OPT_CONFIG);
	struct hv_config_file file = { 0 };
	struct hv_error err = { .subject = path };
	int status;

	hv_sandbox_remember_strangers();
	if (path && (hv_config_file_open(&file, path, &err) ||
		     hv_config_file_read(&file, &run.config, &err))) {
		hv_config_file_close(&file);
		return fail(&err);
	}
	hv_command_parse(&hv_argp_run, argc, argv, &run);
	status = run.dry_run || run.print_config ? start_nothing(&run) :
						   hv_session_run(&run.config, &run.options);
	hv_config_file_close(&file);
	return status;
}
