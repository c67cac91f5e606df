// SPDX-License-Identifier: GPL-2.0-only
/* Who is in the sandbox, and how it ends where a thread was taken over. */
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "devices.h"
#include "lib/sandbox.h"
#include "machine_ide.h"
#include "term.h"

/* A thread has been stopped, wherever that was: nothing is finished, others get theirs back. */
static void end_at_once(void *ctx, const char *text)
{
	hv_term_restore();
	(void)!write(STDERR_FILENO, text, strlen(text));
	if (ctx)
		hv_control_release(ctx);
}

/* NULL: it has none, or is at a port. */
static const char *path_of(const struct hv_control *control, unsigned int door)
{
	return control ? control->door[door].listener.address.path : NULL;
}

int hv_confine_others(struct hv_machine *machine, struct hv_control *control, struct hv_error *err)
{
	const struct hv_sandbox_config config = {
		.dir_fd = control ? control->dir.fd : -1,
		.removable = { path_of(control, HV_DOOR_CONSOLE), path_of(control, HV_DOOR_GDB) },
		.user_net = hv_devices_have(machine, HV_SANDBOX_USER_NET),
		.end = end_at_once,
		.ctx = control,
	};
	char told[100];
	int result;

	err->subject = "run";
	result = hv_sandbox_prepare(&config, told, sizeof(told), err);
	if (result < 0)
		return result;
	if (result)
		hv_machine_note(machine, "hvctl run: %s", told);
	else
		hv_machine_say(machine, "%s", told);
	hv_machine_ide_confine(machine);
	hv_devices_confine(machine);
	return 0;
}
