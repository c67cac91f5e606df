// SPDX-License-Identifier: GPL-2.0-only
/* External interrupts wait for the guest, windows open when they should. */
#include "lib.h"

extern char sti_end[], shadow_end[], movss_start[];

static void closed_then_open(void)
{
	guest_expect(0x20);
	guest_expect(0xff);
	guest_sync(1);
	guest_sync(2);
	__asm__ volatile("sti\n sti_end: nop\n shadow_end: nop\n nop\n cli");
	guest_sync(3);
}

static void test_waits_for_if(void)
{
	struct vcpu *vcpu = vcpu_simple(closed_then_open);

	ok_sync(vcpu, 1, "IF is clear");
	is(vcpu->run->flags & TINYVMX_RUN_INTR_READY, 0, "not ready");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0xff));
	ok_sync(vcpu, 2, "the guest runs on");
	is(G(vcpu->vm, guest_taken[0xff]), 0, "the EXTINT waits");
	is(vcpu_events(vcpu).pending, TINYVMX_PENDING_EXTINT, "it is pending");
	ok_sync(vcpu, 3, "the guest went through STI");
	is(G(vcpu->vm, guest_taken[0xff]), 1, "the EXTINT was taken once");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)shadow_end,
	   "... behind the shadow of STI");
	is(vcpu_events(vcpu).pending, 0, "nothing pending");
	ok_done(vcpu, "the guest goes on");
	vcpu_simple_destroy(vcpu);
}

static void test_window(void)
{
	struct vcpu *vcpu = vcpu_simple(closed_then_open);

	vcpu->run->want_intr_window = 1;
	ok_sync(vcpu, 1, "window wanted, IF clear");
	ok_sync(vcpu, 2, "it is not there yet");
	ok_exit(vcpu, TINYVMX_EXIT_INTR_WINDOW, "the window");
	is(vcpu->run->rip, (uintptr_t)shadow_end, "... behind the shadow of STI");
	ok(vcpu->run->flags & TINYVMX_RUN_INTR_READY, "ready for EXTINT");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x20));
	vcpu->run->want_intr_window = 0;
	ok_sync(vcpu, 3, "no more windows when none is wanted");
	is(G(vcpu->vm, guest_taken[0x20]), 1, "the EXTINT was taken");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)shadow_end,
	   "... where the window was");
	vcpu_simple_destroy(vcpu);
}

static void spins_open(void)
{
	guest_expect(0x20);
	__asm__ volatile("sti; nop");
	guest_sync(1);
	guest_sync(2);
	__asm__ volatile("cli");
}

static void test_window_at_once(void)
{
	struct vcpu *vcpu = vcpu_simple(spins_open);
	u64 rip;

	ok_sync(vcpu, 1, "IF is set");
	ok(vcpu->run->flags & TINYVMX_RUN_INTR_READY, "ready for EXTINT");
	vcpu_get_regs(vcpu);
	rip = vcpu->regs.rip;
	vcpu->run->want_intr_window = 1;
	ok_exit(vcpu, TINYVMX_EXIT_INTR_WINDOW, "the window is open already");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.rip, rip, "... before another instruction");
	vcpu->run->want_intr_window = 0;
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x20));
	ok_sync(vcpu, 2, "an EXTINT with IF set");
	is(G(vcpu->vm, guest_trap.rip), rip, "... is taken at once");
	vcpu_simple_destroy(vcpu);
}

static void movss(void)
{
	guest_sync(1);
	__asm__ volatile("movss_start: nop; nop; cli");
}

/* The shadow of MOV SS as SET_STATE gives it. */
static void test_shadow_from_state(void)
{
	struct vcpu *vcpu = vcpu_simple(movss);
	struct tinyvmx_events ev = {
		.pending = TINYVMX_PENDING_EXTINT, .extint_vector = 0x77,
		.interruptibility = TINYVMX_BLOCKING_BY_MOV_SS,
	};

	G(vcpu->vm, guest_expected[1]) = 1UL << (0x77 - 64);
	ok_sync(vcpu, 1, "in front of it");
	vcpu_get_regs(vcpu);
	vcpu->regs.rip = (uintptr_t)movss_start;
	vcpu->regs.rflags |= 0x200;
	vcpu_set_regs(vcpu);
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)));
	ok_done(vcpu, "an EXTINT in the shadow of MOV SS");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)movss_start + 1,
	   "... is taken an instruction later");
	vcpu_simple_destroy(vcpu);
}

extern char sti_out_end[], movss_out_end[];

static void shadowed_exits(void)
{
	guest_expect(0x20);
	__asm__ volatile("cli; sti; out %%al, $0x80\n sti_out_end: nop; cli"
			 : : : "memory");
	guest_sync(1);
	__asm__ volatile("sti; nop; mov %%ss, %%eax; mov %%eax, %%ss\n\t"
			 "out %%al, $0x80\n movss_out_end: nop; cli"
			 : : : "rax", "memory");
}

/* An instruction that exits ends the shadow it is in, as any other does. */
static void test_shadowed_exits(void)
{
	struct vcpu *vcpu = vcpu_simple(shadowed_exits);

	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x20));
	ok_exit(vcpu, TINYVMX_EXIT_IO, "an OUT behind STI");
	is(vcpu_events(vcpu).interruptibility, 0, "no shadow behind the OUT");
	ok_sync(vcpu, 1, "an EXTINT that was pending");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)sti_out_end,
	   "... is taken behind the OUT");
	ok_exit(vcpu, TINYVMX_EXIT_IO, "an OUT behind MOV SS");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x20));
	ok_done(vcpu, "an EXTINT injected there");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)movss_out_end,
	   "... is taken at once");
	vcpu_simple_destroy(vcpu);
}

static volatile u32 rounds;

static void counts(void)
{
	guest_expect(0x30);
	__asm__ volatile("sti");
	for (;;) {
		__asm__ volatile("nop");
		rounds++;
		if (!(rounds % 64))
			guest_sync(0);
	}
}

static void test_many(void)
{
	struct vcpu *vcpu = vcpu_simple(counts);
	bool good = true;

	for (u32 i = 0; i < 200 && good; i++) {
		good = run_until_port(vcpu, GUEST_SYNC) &&
		       G(vcpu->vm, guest_taken[0x30]) == i;
		must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x30));
	}
	ok(good, "200 EXTINTs: each taken once, before the next exit");
	vcpu_simple_destroy(vcpu);
}

static void tpr(void)
{
	guest_expect(0x30);
	WRITE_REG("cr8", 15UL);
	guest_is(READ_REG("cr8"), 15);
	__asm__ volatile("sti; nop; cli");
	WRITE_REG("cr8", 0UL);
}

/* An EXTINT comes from a PIC: the task priority does not hold it back. */
static void test_tpr(void)
{
	struct vcpu *vcpu = vcpu_simple(tpr);

	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x30));
	ok_done(vcpu, "CR8 = 15 and an EXTINT");
	is(G(vcpu->vm, guest_taken[0x30]), 1, "... which is taken");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_waits_for_if();
	test_window();
	test_window_at_once();
	test_shadow_from_state();
	test_shadowed_exits();
	test_many();
	test_tpr();
	return tap_exit();
}
