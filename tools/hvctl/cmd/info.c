// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl info: what VMX on this CPU and the module can do.
 */
#include <argp.h>
#include <errno.h>
#include <string.h>

#include "command.h"
#include "lib/status.h"
#include "vmx/info.h"

#define MSR_DEVICE	"/dev/cpu/0/msr"

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "print JSON, for programs", 0 },
	{ 0 }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'j':
		*(bool *)state->input = true;
		return 0;
	case ARGP_KEY_ARG:
		hv_command_no_argument(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp hv_argp_info = {
	options, parse_option, NULL,
	"Show every VMX capability of this CPU in words, and the limits of the module.\n"
	"\vA bit of a control word is free, fixed 0 or fixed 1. Reads /dev/tinyvmx, or\n"
	"else (as root, with the msr module) " MSR_DEVICE ".",
	NULL, NULL, NULL
};

static bool cpu_has_vmx(void)
{
	uint32_t regs[4];

	vmx_cpuid(1, 0, regs);
	return regs[2] >> 5 & 1;
}

static int fail(int module_err, int msr_err)
{
	if (!cpu_has_vmx())
		fputs("hvctl info: this CPU has no VMX (CPUID.1:ECX[5] is 0); 'hvctl doctor' tells more\n",
		      stderr);
	else if (module_err == -EACCES || msr_err == -EACCES)
		fprintf(stderr, "hvctl info: %s: %s; run as root, or see 'hvctl doctor'\n",
			module_err == -EACCES ? TINYVMX_DEVICE : MSR_DEVICE, strerror(EACCES));
	else
		fprintf(stderr,
			"hvctl info: %s: %s, and %s: %s; load tinyvmx, or as root 'modprobe msr'\n",
			TINYVMX_DEVICE, strerror(-module_err), MSR_DEVICE, strerror(-msr_err));
	return HV_STATUS_USAGE;
}

static int print(const struct vmx_info *info, bool as_json)
{
	json_t *tree;

	if (!as_json) {
		vmx_info_print(info, stdout);
	} else {
		tree = vmx_info_json(info);
		json_dumpf(tree, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(tree);
	}
	return hv_command_finish("hvctl info", HV_STATUS_OK);
}

int hv_cmd_info(int argc, char **argv)
{
	struct vmx_info info = { 0 };
	bool as_json = false;
	int module_err, msr_err;

	hv_command_parse(&hv_argp_info, argc, argv, &as_json);
	module_err = vmx_info_from_module(&info);
	if (!module_err)
		return print(&info, as_json);
	msr_err = cpu_has_vmx() ? vmx_info_from_msrs(&info, MSR_DEVICE) : -EIO;
	if (msr_err || !info.cpu.msr_valid)
		return fail(module_err, msr_err ? msr_err : -EIO);
	return print(&info, as_json);
}
