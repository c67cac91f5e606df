// SPDX-License-Identifier: GPL-2.0-only
/* HLT: the exit, what it leaves, what wakes it, with and without shadows. */
#include "lib.h"

extern char hlt_plain_end[], hlt_sti_end[], hlt_movss_end[];

static void hlt_plain(void)
{
	__asm__ volatile("cli; hlt\n hlt_plain_end:");
}

static void test_plain(void)
{
	struct vcpu *vcpu = vcpu_simple(hlt_plain);
	struct tinyvmx_run *run = vcpu->run;

	ok_exit(vcpu, TINYVMX_EXIT_HLT, "HLT with IF clear");
	is(run->exit_reason, 12, "exit reason 12");
	is(run->exit_qualification, 0, "no qualification");
	is(run->instruction_len, 1, "instruction length 1");
	is(run->rip, (uintptr_t)hlt_plain_end - 1, "run->rip is at the HLT");
	is(run->flags & TINYVMX_RUN_INTR_READY, 0, "not ready for EXTINT");
	is(vcpu_events(vcpu).activity, TINYVMX_ACTIVITY_HLT, "activity HLT");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.rip, (uintptr_t)hlt_plain_end, "RIP is behind the HLT");
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "RUN again: still halted");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 40));
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "an EXTINT does not wake it: IF is clear");
	G(vcpu->vm, guest_expected[0]) = 1 << 2;
	must(inject(vcpu->fd, TINYVMX_INJECT_NMI, 2));
	ok_done(vcpu, "an NMI wakes it");
	is(G(vcpu->vm, guest_taken[2]), 1, "... and is taken");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)hlt_plain_end,
	   "... behind the HLT");
	is(G(vcpu->vm, guest_taken[40]), 0, "the EXTINT is not");
	is(vcpu_events(vcpu).activity, TINYVMX_ACTIVITY_ACTIVE,
	   "activity is active");
	vcpu_simple_destroy(vcpu);
}

static void hlt_sti(void)
{
	guest_expect(40);
	__asm__ volatile("sti; hlt\n hlt_sti_end: cli");
}

static void test_sti(void)
{
	struct vcpu *vcpu = vcpu_simple(hlt_sti);

	ok_exit(vcpu, TINYVMX_EXIT_HLT, "STI; HLT");
	is(vcpu_events(vcpu).interruptibility, 0, "no shadow behind the HLT");
	ok(vcpu->run->flags & TINYVMX_RUN_INTR_READY, "ready for EXTINT");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 40));
	ok_done(vcpu, "an EXTINT wakes it");
	is(G(vcpu->vm, guest_taken[40]), 1, "... and is taken");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)hlt_sti_end,
	   "... behind the HLT");
	vcpu_simple_destroy(vcpu);
}

/* The race of every idle loop: pending before STI, taken out of HLT. */
static void test_pending_before_sti(void)
{
	struct vcpu *vcpu = vcpu_simple(hlt_sti);

	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 40));
	ok_done(vcpu, "an EXTINT pending before STI; HLT is not lost");
	is(G(vcpu->vm, guest_taken[40]), 1, "... it is taken");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)hlt_sti_end,
	   "... behind the HLT, not in the shadow of STI");
	vcpu_simple_destroy(vcpu);
}

static void hlt_movss(void)
{
	u64 ss = SEL_DS;

	guest_expect(40);
	__asm__ volatile("sti; nop; mov %0, %%ss; hlt\n hlt_movss_end: cli"
			 : : "r"(ss));
}

static void test_movss(void)
{
	struct vcpu *vcpu = vcpu_simple(hlt_movss);

	ok_exit(vcpu, TINYVMX_EXIT_HLT, "MOV SS; HLT");
	is(vcpu_events(vcpu).interruptibility, 0, "no shadow behind the HLT");
	is(vcpu_events(vcpu).activity, TINYVMX_ACTIVITY_HLT, "halted");
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "RUN again: no refused VM entry");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 40));
	ok_done(vcpu, "an EXTINT wakes it");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)hlt_movss_end,
	   "... behind the HLT");
	vcpu_simple_destroy(vcpu);
}

static void only_returns(void)
{
}

static void test_state_wakes(void)
{
	struct vcpu *vcpu = vcpu_simple(hlt_plain);
	struct tinyvmx_events ev;

	ok_exit(vcpu, TINYVMX_EXIT_HLT, "halted");
	ev = vcpu_events(vcpu);
	ev.activity = TINYVMX_ACTIVITY_ACTIVE;
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)));
	ok_done(vcpu, "SET_STATE with activity active wakes it");

	vcpu_call(vcpu, only_returns, 0);
	ev.activity = TINYVMX_ACTIVITY_HLT;
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)));
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "SET_STATE with activity HLT halts it");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXCEPTION, 6));
	G(vcpu->vm, guest_expected[0]) = 1 << 6;
	ok_done(vcpu, "an exception wakes it");
	is(G(vcpu->vm, guest_taken[6]), 1, "... and is taken");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_plain();
	test_sti();
	test_pending_before_sti();
	test_movss();
	test_state_wakes();
	return tap_exit();
}
