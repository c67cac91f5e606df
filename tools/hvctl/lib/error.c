// SPDX-License-Identifier: GPL-2.0-only
/* Error messages travel up to the command that prints them. */
#include <stdarg.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "text.h"

int hv_fail(struct hv_error *err, int errnum, const char *fmt, ...)
{
	va_list args;

	err->line = 0;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return -errnum;
}

int hv_fail_at(struct hv_error *err, unsigned int line, int errnum, const char *fmt, ...)
{
	va_list args;

	err->line = line;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return -errnum;
}

void hv_error_print(const char *who, const struct hv_error *err)
{
	char text[PATH_MAX + sizeof(err->text)], line[16] = "";

	if (err->line)
		snprintf(line, sizeof(line), ":%u", err->line);
	snprintf(text, sizeof(text), "%s%s%s%s", err->subject ?: "", line, err->subject ? ": " : "",
		 err->text);
	hv_text_clean(text, sizeof(text), text, strlen(text));
	fprintf(stderr, "%s: %s\n", who, text);
}
