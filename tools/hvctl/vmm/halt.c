// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a machine with several vCPUs has halted for good.
 *
 * A guest may halt with interrupts off thousands of times a second and be woken by a kick or an
 * NMI of another vCPU: a lock of Linux' that has to wait does. So to halt costs nothing, but for:
 *
 * - A vCPU that would wait for another one for ever tells us, RUN returns with HLT. Then its
 *   waits_for_peers is set, and from there on it waits in RUN and tells nobody, however often it
 *   is woken and halts again.
 * - While one of them has not told, the machine has not halted: either that one executes or an
 *   interrupt can wake it, or it is about to tell. So nothing is done until all have.
 * - When all have told, some may have been woken since. Who executes uses CPU time; so a timer
 *   looks at what their threads have used, and only after a while without any are they paused and
 *   asked. That a thread waits for something else (a CPU, a reader) does no harm: the answer is
 *   right whenever the question is put, since nothing happens in a machine that is paused and
 *   locked.
 * - Who goes on is to tell again. If all wait, but a chip may send an NMI, the timer goes on: what
 *   has been woken by it may have halted again.
 *
 * In a machine that has halted nobody uses CPU time. So the timer that sees the last vCPU tell is
 * followed by one that sees no change, and that one asks: it takes two of them at the most.
 */
#include <time.h>

#include "halt.h"
#include "lib/lock.h"
#include "lib/tvx.h"
#include "lib/x86.h"
#include "machine_pc.h"

#define QUIET_NS 100000000
/* SDM, "Pending Debug Exceptions": an enabled breakpoint, and BS; other bits only tell which. */
#define PENDING_TRAP (1ULL << 12 | 1ULL << 14)

static bool have_all_told(const struct hv_machine *machine)
{
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		if (!machine->vcpus[i].waits_for_peers)
			return false;
	return true;
}

/* What the vCPUs' threads have computed, in the guest or for it. */
static uint64_t used_ns(const struct hv_machine *machine)
{
	uint64_t used = 0;

	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		struct timespec ts;
		clockid_t clock;

		if (!pthread_getcpuclockid(machine->vcpus[i].thread, &clock) &&
		    !clock_gettime(clock, &ts))
			used += ts.tv_sec * 1000000000ULL + ts.tv_nsec;
	}
	return used;
}

static void look_soon(struct hv_machine *machine)
{
	struct hv_clock *clock = &machine->clock;

	if (!machine->quiet_timer.armed && have_all_told(machine))
		hv_timer_arm(clock, &machine->quiet_timer, hv_now_ns(clock) + QUIET_NS);
}

/* A reset has taken back what they have told. */
static void on_quiet(void *dev)
{
	struct hv_machine *machine = dev;
	uint64_t used;

	hv_lock_assert_held(&machine->lock);
	if (hv_machine_has_ended(machine) || !have_all_told(machine))
		return;
	used = used_ns(machine);
	if (used == machine->quiet_used_ns)
		hv_machine_want_attention(machine, HV_ATTENTION_HALT);
	else
		look_soon(machine);
	machine->quiet_used_ns = used;
}

void hv_halt_init(struct hv_machine *machine)
{
	machine->quiet_timer = (struct hv_timer){ .fn = on_quiet, .dev = machine };
}

void hv_halt_alone(struct hv_vcpu *vcpu)
{
	vcpu->waits_for_peers = true;
	look_soon(vcpu->machine);
}

/* What RUN would see by itself. */
static bool is_woken(const struct tinyvmx_events *events)
{
	if (events->pending & TINYVMX_PENDING_NMI &&
	    !(events->interruptibility & TINYVMX_BLOCKING_BY_NMI))
		return true;
	if (events->pending_dbg & PENDING_TRAP)
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

static bool any_goes_on(struct hv_machine *machine)
{
	bool any = false;

	hv_lock_assert_held(&machine->lock);
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
		if (any_goes_on(machine))
			look_soon(machine);
		else
			hv_machine_end(machine, HV_END_HALTED, 0, "%s", "");
	}
	pthread_mutex_unlock(&machine->lock);
	hv_machine_resume(machine);
}
