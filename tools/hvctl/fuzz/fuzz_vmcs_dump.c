// SPDX-License-Identifier: GPL-2.0-only
/* Any text as a VMCS dump, and any VMCS to be explained. */
#include <stdlib.h>

#include "explain/explain.h"
#include "vmx/vmcs_dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	struct tinyvmx_vmcs_field *fields;
	struct explain_gaps gaps;
	struct vmcs_source source;
	struct hv_error err;
	FILE *in;
	size_t n;

	if (!null)
		null = fopen("/dev/null", "w");
	in = size ? fmemopen((void *)data, size, "r") : NULL;
	if (!in)
		return 0;
	if (!vmcs_dump_read(in, &fields, &n, &source, &err)) {
		explain_print(NULL, NULL, fields, n, null, &gaps);
		vmcs_dump_write(fields, n, null);
		free(fields);
	}
	fclose(in);
	return 0;
}
