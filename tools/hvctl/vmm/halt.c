// SPDX-License-Identifier: GPL-2.0-only
/* When a machine with several vCPUs has halted for good. */
#include "halt.h"
#include "lib/tvx.h"
#include "lib/x86.h"
#include "machine_pc.h"

void hv_halt_alone(struct hv_vcpu *vcpu)
{
	vcpu->waits_for_peers = true;
	hv_machine_want_attention(vcpu->machine, HV_ATTENTION_HALT);
}

static bool is_woken(const struct tinyvmx_events *events)
{
	if (events->pending & TINYVMX_PENDING_NMI &&
	    !(events->interruptibility & TINYVMX_BLOCKING_BY_NMI))
		return true;
	return events->pending & (TINYVMX_PENDING_EVENT | TINYVMX_PENDING_UNHALT);
}

/* What cannot be read is told by the vCPU's own RUN. */
static bool goes_on(struct hv_vcpu *vcpu)
{
	struct tinyvmx_events events;
	struct tinyvmx_regs regs;

	if (hv_vcpu_synchronise(vcpu) || tvx_get_regs(vcpu->fd, &regs) ||
	    tvx_get_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)))
		return true;
	if (events.activity == TINYVMX_ACTIVITY_WAIT_FOR_SIPI)
		return false;
	return events.activity != TINYVMX_ACTIVITY_HLT || regs.rflags & X86_RFLAGS_IF ||
	       is_woken(&events);
}

/* One that was woken is to tell us when it halts again: until then it waits for nobody. */
static bool any_goes_on(struct hv_machine *machine)
{
	bool any = false;

	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		struct hv_vcpu *vcpu = &machine->vcpus[i];

		if (goes_on(vcpu))
			vcpu->waits_for_peers = false;
		else if (!hv_machine_pc_has_nmi(vcpu))
			continue;
		any = true;
	}
	return any;
}

void hv_halt_look(struct hv_machine *machine)
{
	if (!hv_machine_pause(machine))
		return;
	pthread_mutex_lock(&machine->lock);
	if (atomic_load(&machine->attention) & HV_ATTENTION_HALT) {
		hv_machine_drop_attention(machine, HV_ATTENTION_HALT);
		if (!any_goes_on(machine))
			hv_machine_end(machine, HV_END_HALTED, 0, "%s", "");
	}
	pthread_mutex_unlock(&machine->lock);
	hv_machine_resume(machine);
}
