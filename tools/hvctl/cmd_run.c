// SPDX-License-Identifier: GPL-2.0-only
/* hvctl run: being built. */
#include "command.h"
#include "status.h"

int hv_cmd_run(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return HV_STATUS_UNSUPPORTED;
}
