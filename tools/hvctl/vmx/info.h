/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a CPU's VMX can do, as a text for people or as JSON.
 */
#ifndef HV_VMX_INFO_H
#define HV_VMX_INFO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <jansson.h>

#include "caps.h"
#include "tinyvmx.h"

struct vmx_info {
	const char *source;		/* where the MSRs were read */
	struct vmx_cpu cpu;
	bool has_feature_control;
	uint64_t feature_control;
	bool has_module;		/* @module is filled */
	struct tinyvmx_info module;
};

/* Read it from the module; @info->module is filled. Returns 0 or -errno. */
int vmx_info_from_module(struct vmx_info *info);

/* Read it from the msr driver: @path is /dev/cpu/0/msr. Returns 0 or -errno. */
int vmx_info_from_msrs(struct vmx_info *info, const char *path);

/* Print all that is known. */
void vmx_info_print(const struct vmx_info *info, FILE *out);

/* The same as a new JSON object: 64-bit values as strings in hexadecimal. */
json_t *vmx_info_json(const struct vmx_info *info);

#endif
