// SPDX-License-Identifier: GPL-2.0-only
/* Find a Linux panic in what goes to the console. */
#include <stdio.h>
#include <string.h>

#include "panic.h"

#define PANIC "Kernel panic - not syncing"
/* Behind its first line there are registers and a call trace; behind more, life has gone on. */
#define MAX_LINES 100

static void end_of_line(struct hv_panic *panic)
{
	const char *found;

	panic->line[panic->len] = '\0';
	panic->len = 0;
	panic->lines_since++;
	found = strstr(panic->line, PANIC);
	/* Not the last line, "---[ end Kernel panic ...", which says it once more. */
	if (!found || strstr(panic->line, "---[ end"))
		return;
	snprintf(panic->text, sizeof(panic->text), "%s", found);
	panic->lines_since = 0;
}

void hv_panic_watch(struct hv_panic *panic, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n')
			end_of_line(panic);
		else if (data[i] >= ' ' && panic->len < sizeof(panic->line) - 1)
			panic->line[panic->len++] = data[i];
	}
}

const char *hv_panic_text(const struct hv_panic *panic)
{
	return *panic->text && panic->lines_since < MAX_LINES ? panic->text : NULL;
}
