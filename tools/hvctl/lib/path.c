// SPDX-License-Identifier: GPL-2.0-only
/* Paths that others have written. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "path.h"

char *hv_path_join(const char *before, const char *dir, const char *path)
{
	bool alone = !dir || *path == '/' || !strcmp(path, "-");
	char *joined;

	if (asprintf(&joined, "%s%s%s%s", before, alone ? "" : dir, alone ? "" : "/", path) < 0)
		return NULL;
	return joined;
}
