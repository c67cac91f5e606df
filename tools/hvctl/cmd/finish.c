// SPDX-License-Identifier: GPL-2.0-only
/* The end of a command that has written something. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "lib/status.h"

int hv_command_finish(const char *command, int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "%s: writing: %s; mend standard output\n", command, strerror(errno));
	return HV_STATUS_ERROR;
}
