// SPDX-License-Identifier: GPL-2.0-only
/* Local vectors: software-disable, errors, LINT0 and the interrupt window. */
#include "lapic.h"

#define ERROR	0x66

static void software_disable(void)
{
	guest_expect(0x40);
	guest_expect(0x50);
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_TIMER, 0x40);
	wrmsr(X_LVT_LINT0, MODE_EXTINT);
	wrmsr(X_LVT_ERROR, ERROR);
	wrmsr(X_SELF_IPI, 0x50);
	wrmsr(X_SVR, 0xff);
	guest_is(rdmsr(X_LVT_TIMER), LVT_MASKED | 0x40);
	guest_is(rdmsr(X_LVT_LINT0), LVT_MASKED | MODE_EXTINT);
	guest_is(rdmsr(X_LVT_ERROR), LVT_MASKED | ERROR);
	guest_is(rdmsr(X_LVT_PERF), LVT_MASKED);
	wrmsr(X_LVT_TIMER, 0x41);		/* the mask cannot be cleared */
	guest_is(rdmsr(X_LVT_TIMER), LVT_MASKED | 0x41);
	sti();
	guest_is(guest_taken[0x50], 1);		/* pending before: still taken */
	wrmsr(X_SELF_IPI, 0x50);		/* new ones are not accepted */
	wrmsr(X_ICR, 0x50);
	guest_is(guest_taken[0x50], 1);
	guest_is(rdmsr(X_IRR + 2), 0);
	wrmsr(X_TICR, guest_ms);
	guest_delay(2);
	wrmsr(X_SVR, SVR_ON);
	guest_is(rdmsr(X_LVT_TIMER), LVT_MASKED | 0x41);
	wrmsr(X_LVT_TIMER, 0x40);
	guest_is(rdmsr(X_LVT_TIMER), 0x40);
	wrmsr(X_TICR, guest_ms);
	guest_is(guest_wait(0x40, 1, 100), true);
}

static void errors(void)
{
	guest_is(rdmsr(X_ESR), 0);
	wrmsr(X_ICR, ICR_SELF | 0xf);
	guest_is(rdmsr(X_ESR), 0);		/* a write latches */
	wrmsr(X_ESR, 0);
	guest_is(rdmsr(X_ESR), 0x20);		/* send illegal vector */
	guest_is(rdmsr(X_ESR), 0x20);
	wrmsr(X_ESR, 0);
	guest_is(rdmsr(X_ESR), 0);
	wrmsr(X_SELF_IPI, 0);
	wrmsr(X_ESR, 0);
	guest_is(rdmsr(X_ESR), 0x20);
	wrmsr(X_ICR, ICR_OTHERS | MODE_LOWEST | 5);
	wrmsr(X_ESR, 0);
	guest_is(rdmsr(X_ESR), 0x20);
	guest_is(rdmsr(X_IRR), 0);
}

static void error_interrupt(void)
{
	guest_expect(ERROR);
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_ERROR, ERROR);
	sti();
	wrmsr(X_SELF_IPI, 3);
	guest_is(guest_taken[ERROR], 1);
	wrmsr(X_ESR, 0);
	guest_is(rdmsr(X_ESR), 0x20);
	wrmsr(X_LVT_ERROR, LVT_MASKED | ERROR);
	wrmsr(X_SELF_IPI, 3);
	guest_is(guest_taken[ERROR], 1);
}

/* Vectors below 16 in the table: received illegal vector. */
static void illegal_local(void)
{
	guest_expect(ERROR);
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_ERROR, ERROR);
	wrmsr(X_LVT_TIMER, 0xe);
	wrmsr(X_TDCR, TDCR_1);
	sti();
	wrmsr(X_TICR, guest_ms);
	guest_is(guest_wait(ERROR, 1, 100), true);
	wrmsr(X_ESR, 0);
	guest_is(rdmsr(X_ESR), 0x40);
	wrmsr(X_LVT_ERROR, 2);			/* the error's own one as well */
	wrmsr(X_SELF_IPI, 3);
	wrmsr(X_ESR, 0);
	guest_is(rdmsr(X_ESR), 0x60);
	guest_is(rdmsr(X_IRR), 0);
}

/* Self with a mode that is neither fixed nor NMI: SMI, INIT, SIPI, ExtINT. */
static void odd_self_modes(void)
{
	static const volatile u32 mode[] = { 0x200, 0x300, 0x500, 0x600, 0x700 };

	sti();
	for (u32 i = 0; i < ARRAY_SIZE(mode); i++) {
		wrmsr(X_ICR, ICR_SELF | mode[i] | 0x40);
		wrmsr(X_ICR, ICR_SELF | mode[i]);
	}
	guest_is(rdmsr(X_IRR), 0);
	guest_is(rdmsr(X_IRR + 2), 0);
	guest_is(rdmsr(X_ISR), 0);
}

static void self_nmi(void)
{
	guest_expect(2);
	wrmsr(X_ICR, MODE_NMI);
	guest_is(guest_taken[2], 1);
}

static void test(void *fn, const char *what)
{
	struct vcpu *vcpu = lapic_simple(fn);

	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

static void opens_and_spins(void)
{
	guest_expect(2);
	sti();
	for (;;)
		guest_sync(1);
}

static void test_gate(const char *what, u64 lvt, u64 apic_base, bool window, u32 nmis)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, opens_and_spins);

	ok_sync(vcpu, 1, "%s", what);
	vcpu_set_msr(vcpu, X_SVR, SVR_ON);
	vcpu_set_msr(vcpu, X_LVT_LINT0, lvt);
	vcpu_set_msr(vcpu, APIC_BASE, apic_base);
	vcpu->run->want_intr_window = 1;
	if (window)
		ok_exit(vcpu, TINYVMX_EXIT_INTR_WINDOW, "... opens the window");
	else
		ok_sync(vcpu, 1, "... opens no window");
	is(G(vcpu->vm, guest_taken[2]), nmis, "... %u NMIs", nmis);
	ok(window || run_until_port(vcpu, GUEST_SYNC + 1), "... INTR stays up");
	is(G(vcpu->vm, guest_taken[2]), nmis, "... which is no edge");
	vcpu_simple_destroy(vcpu);
}

static void unmasks(void)
{
	guest_expect(0x30);
	sti();
	guest_sync(1);
	wrmsr(X_LVT_LINT0, MODE_EXTINT);
	guest_sync(2);
}

static void test_unmask(void)
{
	struct vcpu *vcpu = lapic_simple(unmasks);

	vcpu->run->want_intr_window = 1;
	ok_sync(vcpu, 1, "LINT0 masked, a window is wanted");
	ok_exit(vcpu, TINYVMX_EXIT_INTR_WINDOW, "WRMSR unmasks LINT0: the window");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x30));
	vcpu->run->want_intr_window = 0;
	ok_sync(vcpu, 2, "the guest goes on");
	is(G(vcpu->vm, guest_taken[0x30]), 1, "... and has the interrupt");
	is(vcpu_msr(vcpu, X_ISR + 1), 0, "... which the APIC knows nothing of");
	vcpu_simple_destroy(vcpu);
}

static void halts_open(void)
{
	sti_hlt();
}

/* A guest that waits in HLT can take an ExtINT at once. */
static void test_halted(void)
{
	struct vcpu *vcpu = lapic_simple(halts_open);

	vcpu_set_msr(vcpu, X_LVT_LINT0, MODE_EXTINT);
	vcpu->run->want_intr_window = 1;
	ok_exit(vcpu, TINYVMX_EXIT_INTR_WINDOW, "a window opens in HLT");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x30));
	vcpu->run->want_intr_window = 0;
	G(vcpu->vm, guest_expected[0]) = 1UL << 0x30;
	ok_done(vcpu, "and the ExtINT ends it");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test(software_disable, "software-disabled: local vectors are masked");
	test(errors, "illegal vectors and the ESR");
	test(error_interrupt, "the error interrupt");
	test(illegal_local, "illegal local vectors");
	test(odd_self_modes, "to self: no SMI, INIT, SIPI, ExtINT");
	test(self_nmi, "an NMI to itself");
	test_gate("LINT0 masked", LVT_MASKED | MODE_EXTINT, BASE_XAPIC, false, 0);
	test_gate("LINT0 fixed", 0x40, BASE_XAPIC, false, 0);
	test_gate("LINT0 masked, NMI", LVT_MASKED | MODE_NMI, BASE_XAPIC, false, 0);
	test_gate("LINT0 NMI", MODE_NMI, BASE_XAPIC, false, 1);
	test_gate("LINT0 NMI, x2APIC", MODE_NMI, BASE_XAPIC | BASE_X2APIC, false, 1);
	test_gate("LINT0 ExtINT", MODE_EXTINT, BASE_XAPIC, true, 0);
	test_gate("LINT0 ExtINT, x2APIC", MODE_EXTINT, BASE_XAPIC | BASE_X2APIC, true, 0);
	test_gate("APIC globally disabled", LVT_MASKED, BASE_ADDRESS | BASE_BSP, true, 0);
	test_unmask();
	test_halted();
	return tap_exit();
}
