// SPDX-License-Identifier: GPL-2.0-only
/* Numbers on the command line. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"

/* The suffix as a factor; 0 if there is no such suffix. */
static uint64_t suffix_factor(const char *suffix, uint64_t unit)
{
	static const char letters[] = "kmgt";
	const char *letter;

	if (!*suffix)
		return unit;
	letter = strchr(letters, tolower((unsigned char)*suffix));
	if (!letter)
		return 0;
	suffix++;
	if (*suffix && strcasecmp(suffix, "b") && strcasecmp(suffix, "ib"))
		return 0;
	return 1ULL << (10 * (letter - letters + 1));
}

bool hv_parse_size(const char *text, uint64_t unit, uint64_t *value)
{
	uint64_t number, factor, bytes;
	char *end;

	/* strtoull() would take a sign and white space. */
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno)
		return false;
	factor = suffix_factor(end, unit);
	if (!factor || __builtin_mul_overflow(number, factor, &bytes))
		return false;
	*value = bytes;
	return true;
}
