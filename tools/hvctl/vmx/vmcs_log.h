/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMCSs in the logs of others: what KVM, Xen and VirtualBox write when the CPU refuses theirs.
 */
#ifndef HV_VMX_VMCS_LOG_H
#define HV_VMX_VMCS_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"
#include "tinyvmx.h"

/**
 * struct vmcs_source - where a dump is from
 * @name: "KVM", "Xen" or "VirtualBox"; NULL: a dump of our own
 * @dumps: how many VMCSs are in the text, of which the last is taken
 */
struct vmcs_source {
	const char *name;
	unsigned int dumps;
};

/**
 * vmcs_log_is_one - whether a text is a log with a VMCS in it, by what only those say
 * @text: any bytes
 * @len: how many
 */
bool vmcs_log_is_one(const char *text, size_t len);

/**
 * vmcs_log_read - read the last VMCS of a log
 * @text: a string of lines, with whatever a logger has put before each
 * @fields: gets what is there, in the order of the text; what is not there is not made up
 * @max: room in @fields
 * @n: gets their number
 * @source: gets whose log it is
 * @err: gets what is wrong, and how to mend it
 *
 * Return: 0 or -EINVAL: no field in it, more than @max, or one of two values in the same dump.
 */
int vmcs_log_read(const char *text, struct tinyvmx_vmcs_field *fields, size_t max, size_t *n,
		  struct vmcs_source *source, struct hv_error *err);

#endif
