/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of "hvctl run"'s command line that says what is loaded, and how. */
#ifndef HV_CMD_RUN_LOAD_H
#define HV_CMD_RUN_LOAD_H

#include <argp.h>

/* Its input is a struct hv_payload_config. */
extern const struct argp hv_payload_argp;

#endif
