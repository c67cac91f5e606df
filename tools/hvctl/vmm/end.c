// SPDX-License-Identifier: GPL-2.0-only
/* The ends of a machine, for people and for scripts: one row each. */
#include <stdio.h>
#include <string.h>

#include "end.h"
#include "lib/status.h"

struct end_row {
	const char *name;
	const char *text;
	int status;
};

static const struct end_row end_rows[HV_NR_ENDS] = {
	[HV_END_NONE] = { "running", "still running", HV_STATUS_ERROR },
	[HV_END_POWEROFF] = { "poweroff", "guest powered off", HV_STATUS_OK },
	[HV_END_EXITED] = { "exit", "guest exited", 1 },
	[HV_END_HALTED] = { "halted", "guest halted", HV_STATUS_HALTED },
	[HV_END_TRIPLE_FAULT] = { "triple-fault", "guest shut down by a triple fault",
				  HV_STATUS_TRIPLE_FAULT },
	[HV_END_ENTRY_FAILED] = { "entry-failed", "the CPU refused to enter the guest",
				  HV_STATUS_ENTRY_FAILED },
	[HV_END_UNSUPPORTED] = { "unsupported", "unsupported", HV_STATUS_UNSUPPORTED },
	[HV_END_ERROR] = { "error", "error", HV_STATUS_ERROR },
	[HV_END_SIGNAL] = { "signal", "killed by signal", 128 },
	[HV_END_QUIT] = { "quit", "ended from the terminal", HV_STATUS_OK },
	[HV_END_REBOOT] = { "reboot", "guest rebooted", HV_STATUS_OK },
	[HV_END_PANIC] = { "panic", "guest panicked", HV_STATUS_PANIC },
	[HV_END_KILLED] = { "killed", "guest ended from outside", HV_STATUS_KILLED },
	[HV_END_RESETS] = { "reset-loop", "guest resets for ever", HV_STATUS_TRIPLE_FAULT },
};

const char *hv_end_name(const struct hv_end *end)
{
	return end_rows[end->kind].name;
}

int hv_end_status(const struct hv_end *end)
{
	if (end->kind == HV_END_EXITED)
		return (end->detail << 1 | 1) & 0xff;
	if (end->kind == HV_END_SIGNAL)
		return 128 + end->detail;
	return end_rows[end->kind].status;
}

void hv_end_describe(const struct hv_end *end, char *text, size_t len)
{
	const char *what = end_rows[end->kind].text;

	if (end->kind == HV_END_EXITED)
		snprintf(text, len, "%s with status %d (wrote 0x%x to the exit port)", what,
			 hv_end_status(end), end->detail);
	else if (end->kind == HV_END_SIGNAL)
		snprintf(text, len, "%s %u (%s)", what, end->detail, strsignal(end->detail));
	else if (*end->text)
		snprintf(text, len, "%s: %s", what, end->text);
	else
		snprintf(text, len, "%s", what);
}
