// SPDX-License-Identifier: GPL-2.0-only
/* hvctl: run guests on /dev/tinyvmx, and see what the CPU and the module can do. */
#include <argp.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "lib/status.h"
#include "lib/util.h"

static int cmd_help(int argc, char **argv);
static const struct argp argp_of_help = { .args_doc = "[COMMAND]" };

const struct hv_command hv_commands[] = {
	{ "run", hv_cmd_run, &hv_argp_run, "run a guest" },
	{ "up", hv_cmd_up, &hv_argp_up, "start several VMs that a file describes" },
	{ "ps", hv_cmd_ps, &hv_argp_ps, "list the VMs that run" },
	{ "console", hv_cmd_console, &hv_argp_console, "have a VM's console on this terminal" },
	{ "stop", hv_cmd_stop, &hv_argp_stop, "press a VM's power button, and wait for its end" },
	{ "reset", hv_cmd_reset, &hv_argp_reset, "press its reset button" },
	{ "pause", hv_cmd_pause, &hv_argp_pause, "have it stand still" },
	{ "resume", hv_cmd_resume, &hv_argp_resume, "have it go on" },
	{ "kill", hv_cmd_kill, &hv_argp_kill, "end it at once" },
	{ "nmi", hv_cmd_nmi, &hv_argp_nmi, "send it an NMI" },
	{ "balloon", hv_cmd_balloon, &hv_argp_balloon, "have its guest give memory back" },
	{ "regs", hv_cmd_regs, &hv_argp_regs, "show the registers of one of its vCPUs" },
	{ "walk", hv_cmd_walk, &hv_argp_walk, "show how it translates an address" },
	{ "mem", hv_cmd_mem, &hv_argp_mem, "show its memory, or disassemble it" },
	{ "heat", hv_cmd_heat, &hv_argp_heat, "map which of its memory its guest uses" },
	{ "gdb", hv_cmd_gdb, &hv_argp_gdb, "debug its guest" },
	{ "trace", hv_cmd_trace, &hv_argp_trace, "show its VM exits one by one" },
	{ "stat", hv_cmd_stat, &hv_argp_stat, "add up what its exits cost" },
	{ "why", hv_cmd_why, &hv_argp_why, "tell what it does that seems to hang" },
	{ "dump", hv_cmd_dump, &hv_argp_dump, "save its memory and registers, for gdb and crash" },
	{ "wait", hv_cmd_wait, &hv_argp_wait, "wait for its end" },
	{ "info", hv_cmd_info, &hv_argp_info, "show what VMX on this CPU and the module can do" },
	{ "doctor", hv_cmd_doctor, &hv_argp_doctor, "find what keeps VT-x from working here" },
	{ "explain", hv_cmd_explain, &hv_argp_explain,
	  "tell why a VM entry failed, from a VMCS dump" },
	{ "vmcs", hv_cmd_vmcs, &hv_argp_vmcs, "show, save, compare and watch the VMCS of a VM" },
	{ "lab", hv_cmd_lab, &hv_argp_lab, "mend VMCSs that the CPU refuses: exercises" },
	{ "bench", hv_cmd_bench, &hv_argp_bench, "measure what VM exits cost, here and on KVM" },
	{ "completion", hv_cmd_completion, &hv_argp_completion,
	  "print what makes a shell complete hvctl's command line" },
	{ "help", cmd_help, &argp_of_help, "explain hvctl, or one command: hvctl help COMMAND" },
};

const size_t hv_nr_commands = ARRAY_SIZE(hv_commands);

static const struct hv_command *find_command(const char *name)
{
	for (size_t i = 0; i < hv_nr_commands; i++)
		if (!strcmp(hv_commands[i].name, name))
			return &hv_commands[i];
	return NULL;
}

static void usage(FILE *out)
{
	fputs("usage: hvctl COMMAND [ARGUMENT...]\n\n", out);
	for (size_t i = 0; i < hv_nr_commands; i++)
		fprintf(out, "  %-10s  %s\n", hv_commands[i].name, hv_commands[i].summary);
	fputs("\n'hvctl help COMMAND' lists its options; hvctl(1) tells all.\n", out);
}

static int unknown_command(const char *name)
{
	fprintf(stderr, "hvctl: %s: no such command; 'hvctl help' lists them\n", name);
	return HV_STATUS_USAGE;
}

static int run_command(const struct hv_command *command, int argc, char **argv)
{
	char name[32];

	/* argp names the program in its messages by argv[0]. */
	snprintf(name, sizeof(name), "hvctl %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

static int cmd_help(int argc, char **argv)
{
	const struct hv_command *command;
	char option[] = "--help";
	char *sub_argv[] = { NULL, option, NULL };

	if (argc < 2) {
		usage(stdout);
		return HV_STATUS_OK;
	}
	command = find_command(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	if (command->run == cmd_help) {
		usage(stdout);
		return HV_STATUS_OK;
	}
	return run_command(command, 2, sub_argv);
}

/*
 * If we were started with a standard stream closed, the next open() would take
 * its place and guest output would go into it. Fill the hole so that use of the
 * stream fails, as it should.
 */
static void hold_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
	const struct hv_command *command;

	hold_standard_fds();
	/* Without one there is ASCII. */
	(void)setlocale(LC_CTYPE, "");
	argp_err_exit_status = HV_STATUS_USAGE;
	if (argc < 2) {
		usage(stderr);
		return HV_STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("hvctl " HV_VERSION);
		return HV_STATUS_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return HV_STATUS_OK;
	}
	command = find_command(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	return run_command(command, argc - 1, argv + 1);
}
