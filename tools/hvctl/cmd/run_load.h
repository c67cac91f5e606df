/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of "hvctl run"'s command line that says what is loaded, and how. */
#ifndef HV_CMD_RUN_LOAD_H
#define HV_CMD_RUN_LOAD_H

#include <argp.h>
#include <stdbool.h>

struct hv_payload_config;

/* The parser's input: what it changes, and what the command line has said so far. */
struct hv_payload_words {
	struct hv_payload_config *config;
	const char *image, *firmware;
	bool initrd, fw_cfg;
	bool had_firmware;		/* @config, before the command line */
};

extern const struct argp hv_payload_argp;

#endif
