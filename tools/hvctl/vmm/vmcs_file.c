// SPDX-License-Identifier: GPL-2.0-only
/* The file of hvctl run --dump-vmcs. */
#include <errno.h>
#include <string.h>

#include "report.h"
#include "vmcs_file.h"

int hv_vmcs_file_open(struct hv_vmcs_file *file, const char *path, struct hv_error *err)
{
	*file = (struct hv_vmcs_file){ .path = path };
	if (!path)
		return 0;
	file->out = fopen(path, "we");
	if (file->out)
		return 0;
	err->subject = path;
	return hv_fail(err, errno, "--dump-vmcs: %m; name a file that can be written");
}

void hv_vmcs_file_write(struct hv_vmcs_file *file, const struct hv_machine *machine)
{
	int error = file->out ? hv_report_dump_vmcs(machine, file->out) : 0;

	if (error)
		fprintf(stderr, "hvctl run: --dump-vmcs %s: %s; no VMCS is there to be explained\n",
			file->path, strerror(-error));
}

void hv_vmcs_file_close(struct hv_vmcs_file *file)
{
	if (file->out)
		fclose(file->out);
	file->out = NULL;
}
