// SPDX-License-Identifier: GPL-2.0-only
/* hvctl regs: the registers of a VM that runs. */
#include <argp.h>
#include <errno.h>

#include "command.h"
#include "debug/registers.h"
#include "lib/status.h"
#include "lib/util.h"
#include "look.h"

const struct argp hv_argp_regs = {
	.options = hv_look_options,
	.parser = hv_look_parse,
	.args_doc = "NAME",
	.doc = "Show the registers of one of a VM's vCPUs.\v"
	       "The VM stands still for a moment, its vCPUs all at once.",
};

static int print(const json_t *reply, struct hv_error *err)
{
	struct hv_registers registers;

	if (!hv_registers_from_json(&registers, json_object_get(reply, "registers")))
		return hv_fail(
			err, EPROTO,
			"its registers are told otherwise; use the hvctl that it was started with");
	printf("registers of vCPU %lld:\n",
	       (long long)json_integer_value(json_object_get(reply, "vcpu")));
	hv_registers_print(&registers, stdout);
	hv_registers_print_rest(&registers, stdout);
	return 0;
}

int hv_cmd_regs(int argc, char **argv)
{
	struct hv_look look = { .vcpu = -1 };

	hv_command_parse(&hv_argp_regs, argc, argv, &look);
	return hv_look(argv[0], &look, json_pack("{s:s}", "request", "registers"), print);
}
