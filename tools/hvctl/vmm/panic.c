// SPDX-License-Identifier: GPL-2.0-only
/* Find a Linux panic in what goes to the console. */
#include <errno.h>
#include <string.h>

#include "lib/text.h"
#include "panic.h"
#include "state.h"

#define PANIC "Kernel panic - not syncing"
/* Behind its first line there are registers and a call trace; behind more, life has gone on. */
#define MAX_LINES 100

/* Does "[    1.234567] ", which printk() puts in front, end at @end? */
static bool is_stamped(const char *line, const char *end)
{
	const char *at = end - 2;

	if (at < line || memcmp(at, "] ", 2))
		return false;
	while (at > line && strchr(" 0123456789.TC", at[-1]))
		at--;
	return at > line && at[-1] == '[';
}

/*
 * Where a kernel's lines bear a time, a panic does, too, maybe behind a prompt; what a
 * program prints of one (a test, a log that is shown) does not.
 */
static const char *find_panic(struct hv_panic *panic)
{
	const char *line = panic->line, *stamp = strstr(line, "] "), *found = strstr(line, PANIC);

	panic->stamped |= *line == '[' && stamp && is_stamped(line, stamp + 2);
	/* Not the last line, "---[ end Kernel panic ...", which says it once more. */
	if (!found || strstr(line, "---[ end"))
		return NULL;
	return panic->stamped && !is_stamped(line, found) ? NULL : found;
}

static void end_of_line(struct hv_panic *panic)
{
	const char *found;

	panic->line[panic->len] = '\0';
	panic->len = 0;
	panic->lines_since++;
	found = find_panic(panic);
	if (!found)
		return;
	hv_text_clean(panic->text, sizeof(panic->text), found, strlen(found));
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

/* ------------------------------------------------------------------- state */

void hv_panic_save(const struct hv_panic *panic, struct hv_panic_state *state)
{
	*state = (struct hv_panic_state){
		.len = panic->len,
		.lines_since = panic->lines_since,
		.stamped = panic->stamped,
	};
	memcpy(state->line, panic->line, panic->len);
	memcpy(state->text, panic->text, strlen(panic->text));
}

int hv_panic_check(const struct hv_panic *panic, const struct hv_panic_state *state)
{
	(void)panic;
	return state->len < sizeof(state->line) && state->stamped <= 1 &&
			       memchr(state->text, 0, sizeof(state->text)) ?
		       0 :
		       -EINVAL;
}

int hv_panic_load(struct hv_panic *panic, const struct hv_panic_state *state)
{
	if (hv_panic_check(panic, state))
		return -EINVAL;
	*panic = (struct hv_panic){
		.len = state->len,
		.lines_since = state->lines_since,
		.stamped = state->stamped,
	};
	memcpy(panic->line, state->line, sizeof(panic->line));
	memcpy(panic->text, state->text, sizeof(panic->text));
	return 0;
}

HV_STATE_KIND(panic, HV_STATE_PANIC, 1);
