/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of "hvctl run"'s command line that adds devices to a PC. */
#ifndef HV_CMD_RUN_DEVICES_H
#define HV_CMD_RUN_DEVICES_H

#include <argp.h>

#include "vmm/config.h"

#define HV_DEVICE_OPTIONS 6

/* Where they go. Those of an option replace what a file has said of the same. */
struct hv_device_words {
	struct hv_config *config;
	bool said[HV_DEVICE_OPTIONS];
};

/* Its options are hidden from --help: --help-devices has them. The input is the words. */
extern const struct argp hv_devices_argp;

/* In this group of options. */
#define HV_DEVICES_GROUP 7

#endif
