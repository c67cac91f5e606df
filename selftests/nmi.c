// SPDX-License-Identifier: GPL-2.0-only
/* NMIs: taken with IF clear, blocked until IRET, also when IRET faults in EPT. */
#include "lib.h"

extern char spin_loop[], spin_end[], nmi_movss_start[];

static volatile u32 depth, max_depth;

static void nested(struct guest_frame *frame)
{
	if (frame->vector != 2)
		return;
	if (++depth > max_depth)
		max_depth = depth;
	if (guest_taken[2] == 1) {
		guest_sync(1);
		guest_sync(2);
	}
	depth--;
}

static void spins(void)
{
	guest_expect(2);
	guest_hook = nested;
	__asm__ volatile("spin_loop:\n"
			 "1: pause; cmpl $2, guest_taken+8(%rip); jb 1b\n"
			 "spin_end:");
}

static bool in_spin(struct vcpu *vcpu)
{
	u64 rip = G(vcpu->vm, guest_trap.rip);

	diag("the last NMI came at spins + %#lx", rip - (uintptr_t)spins);
	/* The first NMI came in front of the guest's first instruction. */
	return rip >= (uintptr_t)spins && rip <= (uintptr_t)spin_end;
}

/* The first NMI's handler waits at GUEST_SYNC 1. */
static struct vcpu *start_in_handler(void)
{
	struct vcpu *vcpu = vcpu_simple(spins);

	must(inject(vcpu->fd, TINYVMX_INJECT_NMI, 2));
	/* It comes before the guest's first instruction: set its hook for it. */
	G(vcpu->vm, guest_hook) = nested;
	G(vcpu->vm, guest_expected[0]) = 1 << 2;
	ok_sync(vcpu, 1, "in the NMI handler");
	is(vcpu_events(vcpu).interruptibility & TINYVMX_BLOCKING_BY_NMI,
	   TINYVMX_BLOCKING_BY_NMI, "blocking by NMI");
	err_is(inject(vcpu->fd, TINYVMX_INJECT_NMI, 2), 0, "another NMI");
	return vcpu;
}

static void test_blocking(void)
{
	struct vcpu *vcpu = start_in_handler();

	ok_sync(vcpu, 2, "the handler runs on");
	is(G(vcpu->vm, guest_taken[2]), 1, "the second NMI waits");
	is(vcpu_events(vcpu).pending, TINYVMX_PENDING_NMI, "it is pending");
	ok_done(vcpu, "the handler returns, the second NMI comes");
	is(G(vcpu->vm, guest_taken[2]), 2, "taken: two");
	is(G(vcpu->vm, max_depth), 1, "not nested");
	ok(in_spin(vcpu), "behind the IRET, in the program");
	is(vcpu_events(vcpu).interruptibility, 0, "no blocking at the end");
	vcpu_simple_destroy(vcpu);
}

/*
 * IRET reads its frame from memory that EPT has lost: the exit comes when NMIs
 * are unblocked already (SDM, "VM Exits Due to EPT Violations": NMI unblocking
 * due to IRET). If that is not undone, the second NMI comes in front of IRET.
 */
static void test_iret_faults(void)
{
	struct vcpu *vcpu = start_in_handler();
	struct vm *vm = vcpu->vm;

	ok_sync(vcpu, 2, "the handler is about to return");
	must(set_memory(vm->fd, 0, 0, 0, 0, NULL));
	must(set_memory(vm->fd, 0, 0, 0, GUEST_RAM_BYTES, vm->ram));
	ok_done(vcpu, "EPT is empty; IRET; the second NMI");
	is(G(vm, guest_taken[2]), 2, "taken: two");
	ok(in_spin(vcpu), "the second is taken behind the IRET");
	is(G(vm, max_depth), 1, "not nested");
	vcpu_simple_destroy(vcpu);
}

/* The blocking is state: it survives GET and SET. */
static void test_state(void)
{
	struct vcpu *vcpu = start_in_handler();
	struct tinyvmx_events ev = vcpu_events(vcpu), none = { };

	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &none, sizeof(none)));
	is(vcpu_events(vcpu).interruptibility, 0, "SET_STATE unblocks");
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)));
	ok_sync(vcpu, 2, "blocked and pending again");
	is(G(vcpu->vm, guest_taken[2]), 1, "the second NMI waits");
	ok_done(vcpu, "until IRET");
	is(G(vcpu->vm, guest_taken[2]), 2, "taken: two");
	vcpu_simple_destroy(vcpu);
}

/* In the handler IF is set again, as a kernel's handler may do by mistake. */
static void opens_interrupts(struct guest_frame *frame)
{
	if (frame->vector != 2 || guest_taken[2] > 1)
		return;
	guest_sync(1);
	__asm__ volatile("sti; nop; nop");
	guest_sync(2);
	__asm__ volatile("cli");
}

static void test_window_in_handler(void)
{
	struct vcpu *vcpu = vcpu_simple(spins);

	G(vcpu->vm, guest_hook) = opens_interrupts;
	G(vcpu->vm, guest_expected[0]) = 1 << 2;
	vcpu->regs.rip = (uintptr_t)spin_loop;
	vcpu_set_regs(vcpu);
	must(inject(vcpu->fd, TINYVMX_INJECT_NMI, 2));
	ok_sync(vcpu, 1, "in the NMI handler");
	must(inject(vcpu->fd, TINYVMX_INJECT_NMI, 2));
	vcpu->run->want_intr_window = 1;
	ok_exit(vcpu, TINYVMX_EXIT_INTR_WINDOW,
		"a window opens though an NMI is pending and blocked");
	vcpu->run->want_intr_window = 0;
	ok_sync(vcpu, 2, "the handler goes on");
	ok_done(vcpu, "and the second NMI comes behind it");
	vcpu_simple_destroy(vcpu);
}

static void after_movss(void)
{
	guest_sync(1);
	__asm__ volatile("nmi_movss_start: nop; nop");
}

static void test_movss(void)
{
	struct vcpu *vcpu = vcpu_simple(after_movss);
	struct tinyvmx_events ev = {
		.pending = TINYVMX_PENDING_NMI,
		.interruptibility = TINYVMX_BLOCKING_BY_MOV_SS,
	};

	G(vcpu->vm, guest_expected[0]) = 1 << 2;
	ok_sync(vcpu, 1, "in front of the shadow");
	vcpu_get_regs(vcpu);
	vcpu->regs.rip = (uintptr_t)nmi_movss_start;
	vcpu_set_regs(vcpu);
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)));
	ok_done(vcpu, "an NMI in the shadow of MOV SS");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)nmi_movss_start + 1,
	   "... is taken an instruction later");
	vcpu_simple_destroy(vcpu);
}

static void both(void)
{
	guest_expect(2);
	guest_expect(0x40);
	guest_sync(1);
	__asm__ volatile("nop; cli");
	guest_is(guest_taken[2], 1);
	guest_is(guest_taken[0x40], 1);
}

/* NMI goes first, the EXTINT behind it: neither is lost. */
static void test_both_pending(void)
{
	struct vcpu *vcpu = vcpu_simple(both);

	ok_sync(vcpu, 1, "ready for both");
	vcpu_get_regs(vcpu);
	vcpu->regs.rflags |= 0x200;
	vcpu_set_regs(vcpu);
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x40));
	must(inject(vcpu->fd, TINYVMX_INJECT_NMI, 2));
	ok_done(vcpu, "an NMI and an EXTINT at once: both are taken");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_blocking();
	test_iret_faults();
	test_state();
	test_window_in_handler();
	test_movss();
	test_both_pending();
	return tap_exit();
}
