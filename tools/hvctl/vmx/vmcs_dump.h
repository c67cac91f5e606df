/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VMCS dump as a text: a line a field, "ENCODING VALUE", both hexadecimal. The logs of others
 * are read, too.
 */
#ifndef HV_VMX_VMCS_DUMP_H
#define HV_VMX_VMCS_DUMP_H

#include <stddef.h>
#include <stdio.h>

#include "lib/error.h"
#include "tinyvmx.h"
#include "vmcs_log.h"

/**
 * vmcs_dump_read - read a dump, or the last one of a log
 * @in: text; what follows a '#' in a line of a dump is a comment
 * @fields: gets the fields in the order of the text; to be freed by the caller
 * @n: gets their number
 * @source: gets whose it is
 * @err: gets what is wrong, and how to mend it
 *
 * Return: 0, -ENOMEM, the errno of reading, -E2BIG, or -EINVAL: a line that is no field, an
 * encoding that cannot be or is there twice, or no field at all.
 */
int vmcs_dump_read(FILE *in, struct tinyvmx_vmcs_field **fields, size_t *n,
		   struct vmcs_source *source, struct hv_error *err);

/**
 * vmcs_dump_write - write a dump, with the names of the fields as comments
 * @fields: the fields
 * @n: their number
 * @out: where to write
 */
void vmcs_dump_write(const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out);

#endif
