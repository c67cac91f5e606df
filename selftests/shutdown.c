// SPDX-License-Identifier: GPL-2.0-only
/* A triple fault ends in SHUTDOWN, stays there, and can be mended. */
#include "lib.h"

static void triple_fault(void)
{
	static const struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none = { 0, 0 };

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

static void fine(void)
{
}

int main(void)
{
	struct tinyvmx_sregs sregs;
	struct tinyvmx_events ev;
	struct vcpu *vcpu;

	tap_init();
	vcpu = vcpu_simple(triple_fault);
	sregs = vcpu_sregs(vcpu);
	ok_exit(vcpu, TINYVMX_EXIT_SHUTDOWN, "a triple fault");
	is(vcpu->run->exit_reason, 2, "exit reason 2");
	is(vcpu_events(vcpu).activity, TINYVMX_ACTIVITY_SHUTDOWN,
	   "activity shutdown");
	is(vcpu_events(vcpu).pending, 0, "nothing pending");
	ok_exit(vcpu, TINYVMX_EXIT_SHUTDOWN, "RUN again: still down");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 32));
	ok_exit(vcpu, TINYVMX_EXIT_SHUTDOWN, "an EXTINT does not wake it");

	memset(&ev, 0, sizeof(ev));
	vcpu_set_sregs(vcpu, &sregs);
	vcpu_call(vcpu, fine, 0);
	ok_exit(vcpu, TINYVMX_EXIT_SHUTDOWN, "new registers alone do not, either");
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)));
	ok_done(vcpu, "activity set to active: it runs again");
	ev.activity = TINYVMX_ACTIVITY_SHUTDOWN;
	err_is(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)), 0,
	       "activity shutdown can be restored");
	ok_exit(vcpu, TINYVMX_EXIT_SHUTDOWN, "... and then it is down");
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
