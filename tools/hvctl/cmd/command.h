/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subcommands of hvctl. Each gets its own argv, argv[0] being "hvctl COMMAND", which
 * its messages begin with; and returns the exit status.
 */
#ifndef HV_CMD_COMMAND_H
#define HV_CMD_COMMAND_H

#include <argp.h>

int hv_cmd_run(int argc, char **argv);
int hv_cmd_info(int argc, char **argv);
int hv_cmd_doctor(int argc, char **argv);
int hv_cmd_explain(int argc, char **argv);
int hv_cmd_bench(int argc, char **argv);

/* argp_parse(), with options -h, --help and --usage; exits if what was given makes no sense. */
void hv_command_parse(const struct argp *argp, int argc, char **argv, void *input);

#endif
