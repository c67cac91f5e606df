// SPDX-License-Identifier: GPL-2.0-only
/* Error messages travel up to the command that prints them. */
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

int hv_fail(struct hv_error *err, int errnum, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return -errnum;
}
