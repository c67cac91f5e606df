// SPDX-License-Identifier: GPL-2.0-only
/* A machine that is checked and not run. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "dry_run.h"
#include "lib/text.h"
#include "load/protocol.h"
#include "machine.h"

int hv_dry_run(const struct hv_config *config, const char *before, FILE *out, struct hv_error *err)
{
	struct hv_machine *machine = hv_machine_prepare(config, -1, err);
	const uint64_t unit = config->memory % HV_MIB ? HV_KIB : HV_MIB;
	const struct hv_payload *payload;
	char name[PATH_MAX];

	if (!machine)
		return -EINVAL;
	payload = &machine->payload;
	hv_text_clean(name, sizeof(name), config->load.path, strlen(config->load.path));
	fprintf(out, "%swould run %s: %s, boot protocol %s, %s, %u vCPU%s, %llu %s of RAM\n",
		before, name, payload->image.kind, payload->protocol->name,
		hv_machine_names[hv_machine_is_pc(machine) ? HV_MACHINE_PC : HV_MACHINE_BARE],
		config->cpus, config->cpus == 1 ? "" : "s",
		(unsigned long long)(config->memory / unit), unit == HV_MIB ? "MiB" : "KiB");
	hv_machine_destroy(machine);
	return 0;
}
