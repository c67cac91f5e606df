/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands of hvctl. */
#ifndef HV_CMD_COMMAND_H
#define HV_CMD_COMMAND_H

#include <argp.h>
#include <stddef.h>

struct hv_command {
	const char *name;
	/*
	 * Gets its own argv, argv[0] being "hvctl COMMAND", which its messages begin with;
	 * returns the exit status.
	 */
	int (*run)(int argc, char **argv);
	const struct argp *argp;
	const char *summary;
};

/* All of them; main.c has the table. */
extern const struct hv_command hv_commands[];
extern const size_t hv_nr_commands;

int hv_cmd_run(int argc, char **argv);
int hv_cmd_up(int argc, char **argv);
int hv_cmd_ps(int argc, char **argv);
int hv_cmd_console(int argc, char **argv);
int hv_cmd_stop(int argc, char **argv);
int hv_cmd_reset(int argc, char **argv);
int hv_cmd_pause(int argc, char **argv);
int hv_cmd_resume(int argc, char **argv);
int hv_cmd_kill(int argc, char **argv);
int hv_cmd_nmi(int argc, char **argv);
int hv_cmd_balloon(int argc, char **argv);
int hv_cmd_regs(int argc, char **argv);
int hv_cmd_walk(int argc, char **argv);
int hv_cmd_mem(int argc, char **argv);
int hv_cmd_heat(int argc, char **argv);
int hv_cmd_gdb(int argc, char **argv);
int hv_cmd_trace(int argc, char **argv);
int hv_cmd_stat(int argc, char **argv);
int hv_cmd_why(int argc, char **argv);
int hv_cmd_dump(int argc, char **argv);
int hv_cmd_wait(int argc, char **argv);
int hv_cmd_info(int argc, char **argv);
int hv_cmd_doctor(int argc, char **argv);
int hv_cmd_explain(int argc, char **argv);
int hv_cmd_vmcs(int argc, char **argv);
int hv_cmd_lab(int argc, char **argv);
int hv_cmd_bench(int argc, char **argv);
int hv_cmd_completion(int argc, char **argv);

/*
 * What they take. Option arguments whose values are few are named by them ("pc|bare"), those
 * that are files FILE, DIR or IMAGE: completion is made from that.
 */
extern const struct argp hv_argp_up, hv_argp_ps, hv_argp_console, hv_argp_stop, hv_argp_reset;
extern const struct argp hv_argp_pause, hv_argp_resume, hv_argp_kill, hv_argp_nmi, hv_argp_wait;
extern const struct argp hv_argp_run, hv_argp_info, hv_argp_doctor, hv_argp_explain, hv_argp_bench;
extern const struct argp hv_argp_vmcs, hv_argp_completion, hv_argp_balloon, hv_argp_regs;
extern const struct argp hv_argp_gdb, hv_argp_lab, hv_argp_walk, hv_argp_mem, hv_argp_heat;
extern const struct argp hv_argp_why, hv_argp_dump, hv_argp_trace, hv_argp_stat;

/* argp_parse(), with options -h, --help and --usage; exits if what was given makes no sense. */
void hv_command_parse(const struct argp *argp, int argc, char **argv, void *input);

/*
 * The value of an option that is to be heeded before all others; NULL: it is not given. Exits as
 * hv_command_parse() does, and if it is given twice.
 */
const char *hv_command_first(const struct argp *argp, int argc, char **argv, int key);

/* In a parser: there must not be @arg, a word that is no option's. Exits. */
void hv_command_no_argument(struct argp_state *state, const char *arg);
/* ... a VM must be named. Exits. */
void hv_command_no_name(struct argp_state *state);

/* The status of a command that has written to stdout; what went wrong there is said. */
int hv_command_finish(const char *command, int status);

/**
 * hv_command_each_option - look at all options that a command's help shows
 * @argp: the command's, hv_command_parse()'s own are among them
 * @each: called for each
 * @context: passed on to @each
 */
void hv_command_each_option(const struct argp *argp,
			    void (*each)(const struct argp_option *option, void *context),
			    void *context);

#endif
