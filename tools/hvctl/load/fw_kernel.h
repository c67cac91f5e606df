/* SPDX-License-Identifier: GPL-2.0-only */
/* A Linux kernel that firmware is to start: taken apart as fw_cfg hands it over. */
#ifndef HV_LOAD_FW_KERNEL_H
#define HV_LOAD_FW_KERNEL_H

#include "payload.h"

/*
 * Make @payload->fw_kernel out of the kernel, the initramfs and the command line, and see
 * that there is room for them beside the firmware. Without a kernel nothing else may be
 * there. Returns 0 or -errno; the files it makes are the payload's.
 */
int hv_fw_kernel_plan(struct hv_payload *payload, const struct hv_memory *memory,
		      struct hv_error *err);

#endif
