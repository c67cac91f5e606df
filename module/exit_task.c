// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task switches: userspace has the guest's memory, and does them.
 */
#include "event.h"
#include "exit_handlers.h"

/* SDM, "Exit Qualification for Task Switches" */
#define TASK_SELECTOR(qualification)	((u16)(qualification))
#define TASK_SOURCE(qualification)	((qualification) >> 30 & 3)

/*
 * The event that met a task gate ends with the switch: it is told to userspace, and not made
 * pending again. The length is valid if an instruction has caused the switch.
 */
enum tvx_result tvx_exit_task_switch(struct tvx_vcpu *vcpu)
{
	struct tinyvmx_exit_task_switch *exit = &vcpu->run->task_switch;
	unsigned long qualification = tvx_exit_qualification(vcpu);
	struct tvx_event event;

	if (!tvx_event_interrupted(&event) || tvx_event_is_software(event.info))
		vcpu->exit.flags |= TVX_ROW_INSTRUCTION;
	exit->selector = TASK_SELECTOR(qualification);
	exit->source = TASK_SOURCE(qualification);
	exit->event_info = event.info;
	exit->event_error_code = event.error_code;
	exit->pad = 0;
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_TASK_SWITCH);
}
