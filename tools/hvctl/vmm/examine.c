// SPDX-License-Identifier: GPL-2.0-only
/* What there is to look at of a vCPU that does not run. */
#include "examine.h"
#include "lib/tvx.h"

int hv_vcpu_registers(const struct hv_vcpu *vcpu, struct hv_registers *registers)
{
	struct tinyvmx_events *events = &registers->events;
	struct tinyvmx_debug *debug = &registers->debug;
	int error = tvx_get_regs(vcpu->fd, &registers->regs);

	if (!error)
		error = tvx_get_sregs(vcpu->fd, &registers->sregs);
	if (!error)
		error = tvx_get_state(vcpu->fd, TINYVMX_STATE_DEBUG, debug, sizeof(*debug));
	if (!error)
		error = tvx_get_state(vcpu->fd, TINYVMX_STATE_EVENTS, events, sizeof(*events));
	return error;
}
