/* SPDX-License-Identifier: GPL-2.0-only */
/* Machines described in a file of TOML: "hvctl run --config", "hvctl up". */
#ifndef HV_VMM_CONFIG_FILE_H
#define HV_VMM_CONFIG_FILE_H

#include "config.h"

struct hv_value;

struct hv_config_file {
	char *dir;			/* that its paths are relative to; NULL: the current one */
	struct hv_value *root;		/* what the strings of its configurations lie in */
};

/**
 * hv_config_file_open() - read a file
 * @file: to be given to hv_config_file_close(), when no configuration of it is used any more
 * @path: a file, a pipe, or "-" for standard input
 * @err: filled in on failure, with the line
 *
 * Returns 0 or -errno.
 */
int hv_config_file_open(struct hv_config_file *file, const char *path, struct hv_error *err);
void hv_config_file_close(struct hv_config_file *file);

/* Let @config be what the file says, which is about one machine. Returns 0 or -errno. */
int hv_config_file_read(struct hv_config_file *file, struct hv_config *config,
			struct hv_error *err);

/**
 * hv_config_file_read_vms() - the machines of a file of several, each a table [vm.NAME]
 * @file: open
 * @configs: filled in, in the order of the file, each with its name; free() it
 * @err: filled in on failure, with the line
 *
 * Returns how many, one at least, or -errno.
 */
int hv_config_file_read_vms(struct hv_config_file *file, struct hv_config **configs,
			    struct hv_error *err);

/* As TOML with absolute paths, from which the same comes again; free() it. NULL: see @err. */
char *hv_config_to_toml(const struct hv_config *config, struct hv_error *err);

#endif
