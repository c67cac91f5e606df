/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine that is checked and not run. */
#ifndef HV_VMM_DRY_RUN_H
#define HV_VMM_DRY_RUN_H

#include <stdio.h>

#include "config.h"

/**
 * hv_dry_run() - read and check all that @config names, and say what would run
 * @config: the machine
 * @before: what the line begins with
 * @out: where to
 * @err: filled in on failure, with its subject
 *
 * Neither the module nor VT-x is asked, no file is made. Returns 0 or -errno.
 */
int hv_dry_run(const struct hv_config *config, const char *before, FILE *out, struct hv_error *err);

#endif
