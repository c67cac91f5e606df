/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VMCS dump as a text: a line a field, "ENCODING VALUE", both hexadecimal.
 */
#ifndef HV_VMX_VMCS_DUMP_H
#define HV_VMX_VMCS_DUMP_H

#include <stddef.h>
#include <stdio.h>

#include "lib/error.h"
#include "tinyvmx.h"

/*
 * vmcs_dump_read - read a dump
 * @in: text; what follows a '#' in a line is a comment
 * @fields: gets the fields in the order of the text; to be freed by the caller
 * @n: gets their number
 *
 * Returns 0 or -errno: -EINVAL for a line that is no field, for one of an
 * encoding that cannot be, and for a dump without any.
 */
int vmcs_dump_read(FILE *in, struct tinyvmx_vmcs_field **fields, size_t *n, struct hv_error *err);

/* Write a dump, with the names of the fields as comments. */
void vmcs_dump_write(const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out);

#endif
