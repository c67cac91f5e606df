/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands of hvctl. Each gets its own argv (argv[0] is its name) and returns the exit status. */
#ifndef HV_COMMAND_H
#define HV_COMMAND_H

int hv_cmd_run(int argc, char **argv);
int hv_cmd_info(int argc, char **argv);
int hv_cmd_doctor(int argc, char **argv);
int hv_cmd_explain(int argc, char **argv);
int hv_cmd_bench(int argc, char **argv);

#endif
