/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine's configuration and a tree of values. */
#ifndef HV_VMM_CONFIG_KEYS_H
#define HV_VMM_CONFIG_KEYS_H

#include "config.h"
#include "lib/value.h"

/**
 * hv_config_read() - let @config be what a table says
 * @config: what its keys do not say stays
 * @table: what @config's strings lie in from now on
 * @dir: what relative paths are relative to; NULL: the current directory
 * @err: filled in on failure, with the line: which key, and why
 *
 * Returns 0 or -errno.
 */
int hv_config_read(struct hv_config *config, struct hv_value *table, const char *dir,
		   struct hv_error *err);

/* Add all its keys to @table; relative paths get @dir before them, if it is not NULL. */
void hv_config_write(const struct hv_config *config, const char *dir, struct hv_value *table);

#endif
