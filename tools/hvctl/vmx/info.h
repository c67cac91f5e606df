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

/**
 * vmx_info_from_module - ask /dev/tinyvmx
 * @info: to be filled, @info->module too
 *
 * Return: 0 or the -errno of opening it or of GET_INFO.
 */
int vmx_info_from_module(struct vmx_info *info);

/**
 * vmx_info_from_msrs - read the MSRs by the msr driver
 * @info: to be filled; MSRs that cannot be read stay unknown
 * @path: /dev/cpu/0/msr
 *
 * Return: 0 or the -errno of opening it.
 */
int vmx_info_from_msrs(struct vmx_info *info, const char *path);

/**
 * vmx_info_print - print all that is known
 * @info: what is known
 * @out: where to print
 */
void vmx_info_print(const struct vmx_info *info, FILE *out);

/**
 * vmx_info_json - the same as JSON
 * @info: what is known
 *
 * 64-bit values are strings in hexadecimal.
 * Return: a new object, the caller's.
 */
json_t *vmx_info_json(const struct vmx_info *info);

#endif
