/* SPDX-License-Identifier: GPL-2.0-only */
/* A VMCS, and what two of them differ in: for people, and as JSON to and from other processes. */
#ifndef HV_DEBUG_VMCS_H
#define HV_DEBUG_VMCS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "tinyvmx.h"

struct hv_vmcs {
	struct tinyvmx_vmcs_field *fields;
	size_t n;
};

void hv_vmcs_free(struct hv_vmcs *vmcs);

/* All fields by groups, with what they say in words. */
void hv_vmcs_print(const struct hv_vmcs *vmcs, FILE *out);

/* The same for programs: an array of objects. NULL: no memory. */
json_t *hv_vmcs_json(const struct hv_vmcs *vmcs);

/* The bare fields, "0xENCODING": "0xVALUE", for a control channel. NULL: no memory. */
json_t *hv_vmcs_pack(const struct hv_vmcs *vmcs);

/* What that has made, again, to be freed. False: it has not, or there is no memory. */
bool hv_vmcs_unpack(struct hv_vmcs *vmcs, const json_t *object);

/*
 * Each field that differs, or that only one has: a line with its name, one with what it was, one
 * with what it is. Returns how many. What is not shown in one of them is no difference.
 */
size_t hv_vmcs_print_diff(const struct hv_vmcs *old, const struct hv_vmcs *now, FILE *out);

/* The same for programs; "old" or "new" is null where the field is not there. */
json_t *hv_vmcs_diff_json(const struct hv_vmcs *old, const struct hv_vmcs *now);

#endif
