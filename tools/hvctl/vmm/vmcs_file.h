/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of hvctl run --dump-vmcs: what is there to be explained after the end. */
#ifndef HV_VMM_VMCS_FILE_H
#define HV_VMM_VMCS_FILE_H

#include <stdio.h>

#include "machine.h"

struct hv_vmcs_file {
	const char *path;
	FILE *out;			/* NULL: nobody asked for one */
};

/* At the beginning: nothing may be opened any more when there is something to write. 0, -errno. */
int hv_vmcs_file_open(struct hv_vmcs_file *file, const char *path, struct hv_error *err);

/* At the end; what goes wrong is said on standard error. */
void hv_vmcs_file_write(struct hv_vmcs_file *file, const struct hv_machine *machine);
void hv_vmcs_file_close(struct hv_vmcs_file *file);

#endif
