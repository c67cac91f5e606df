// SPDX-License-Identifier: GPL-2.0-only
/* EOI of level-triggered interrupts comes out, EOI of edges does not. */
#include "lapic.h"

#define MSI_SELF	(MSI_BASE | MSI_DEST(0))

static void takes(void)
{
	guest_expect(0x51);
	guest_expect(0x71);
	guest_sync(1);
	sti();
	guest_sync(2);
	guest_eoi();
	guest_sync(3);
	guest_eoi();
	guest_sync(4);
}

static void test_level(void)
{
	struct vcpu *vcpu = lapic_simple(takes);
	struct vm *vm = vcpu->vm;

	ok_sync(vcpu, 1, "a level-triggered MSI");
	must(msi_raw(vm->fd, MSI_SELF, MSI_LEVEL | 0x51));
	ok(lapic_bit(vcpu, X_IRR, 0x51) && lapic_bit(vcpu, X_TMR, 0x51), "IRR and TMR");
	ok_sync(vcpu, 2, "it is taken");
	is(G(vm, guest_taken[0x51]), 1, "... once");
	ok(lapic_bit(vcpu, X_ISR, 0x51), "... and in service");
	ok_exit(vcpu, TINYVMX_EXIT_EOI, "its EOI comes out");
	is(vcpu->run->eoi.vector, 0x51, "... with the vector");
	is(vcpu->run->eoi.pad, 0, "... and zero padding");
	ok(!lapic_bit(vcpu, X_ISR, 0x51), "nothing is in service any more");
	ok_sync(vcpu, 3, "the guest is behind the WRMSR");
	ok_sync(vcpu, 4, "an EOI with nothing in service does nothing");
	vcpu_simple_destroy(vcpu);
}

static void test_edge(void)
{
	struct vcpu *vcpu = lapic_simple(takes);
	struct vm *vm = vcpu->vm;

	ok_sync(vcpu, 1, "an edge-triggered MSI");
	must(msi_raw(vm->fd, MSI_SELF, 0x51));
	ok(lapic_bit(vcpu, X_IRR, 0x51) && !lapic_bit(vcpu, X_TMR, 0x51), "no TMR");
	ok_sync(vcpu, 2, "it is taken");
	ok_sync(vcpu, 3, "its EOI does not come out");
	vcpu_simple_destroy(vcpu);
}

/* The same vector, level and then edge: the TMR follows. */
static void test_level_then_edge(void)
{
	struct vcpu *vcpu = lapic_simple(takes);
	struct vm *vm = vcpu->vm;

	ok_sync(vcpu, 1, "level, then edge");
	must(msi_raw(vm->fd, MSI_SELF, MSI_LEVEL | 0x51));
	ok_sync(vcpu, 2, "the level");
	ok_exit(vcpu, TINYVMX_EXIT_EOI, "its EOI");
	must(msi_raw(vm->fd, MSI_SELF, 0x51));
	ok_sync(vcpu, 3, "the edge");
	is(G(vm, guest_taken[0x51]), 2, "... is taken");
	ok_sync(vcpu, 4, "its EOI does not come out");
	vcpu_simple_destroy(vcpu);
}

/* An edge nested in a level: each EOI is of the highest in service. */
static void test_nested(void)
{
	struct vcpu *vcpu = lapic_simple(takes);
	struct vm *vm = vcpu->vm;

	ok_sync(vcpu, 1, "a level, and an edge on top");
	must(msi_raw(vm->fd, MSI_SELF, MSI_LEVEL | 0x51));
	ok_sync(vcpu, 2, "the level");
	must(msi_raw(vm->fd, MSI_SELF, 0x71));
	ok_sync(vcpu, 3, "the edge's EOI is silent");
	is(G(vm, guest_taken[0x71]), 1, "... it was taken");
	ok_exit(vcpu, TINYVMX_EXIT_EOI, "the level's is not");
	is(vcpu->run->eoi.vector, 0x51, "... the vector");
	vcpu_simple_destroy(vcpu);
}

/* Still asserted: userspace sends it again at the EOI exit. */
static void storm(void)
{
	guest_expect(0x51);
	guest_hook = guest_hook_eoi;
	sti();
	for (;;)
		sti_hlt();
}

static void test_storm(void)
{
	struct vcpu *vcpu = lapic_simple(storm);
	struct vm *vm = vcpu->vm;
	bool good = true;

	for (u32 i = 0; i < 200 && good; i++) {
		must(msi_raw(vm->fd, MSI_SELF, MSI_LEVEL | 0x51));
		good = run_until(vcpu, TINYVMX_EXIT_EOI) &&
		       vcpu->run->eoi.vector == 0x51 &&
		       G(vm, guest_taken[0x51]) == i + 1;
	}
	ok(good, "200 level interrupts of a halted guest, an EOI exit each");
	vcpu_simple_destroy(vcpu);
}

/* In xAPIC mode userspace itself writes the EOI register. */
static void test_by_state(void)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, takes);
	struct vm *vm = vcpu->vm;

	vcpu_set_msr(vcpu, X_SVR, SVR_ON);
	ok_sync(vcpu, 1, "xAPIC mode");
	must(msi_raw(vm->fd, MSI_SELF, MSI_LEVEL | 0x51));
	ok_sync(vcpu, 2, "a level interrupt is taken");
	vcpu_set_msr(vcpu, X_EOI, 0);
	ok_exit(vcpu, TINYVMX_EXIT_EOI, "EOI by SET_STATE: RUN says so first");
	is(vcpu->run->eoi.vector, 0x51, "... with the vector");
	vcpu_simple_destroy(vcpu);
}

/* A signal between the EOI and the exit does not lose it. */
static void test_immediate(void)
{
	struct vcpu *vcpu = lapic_simple(takes);
	struct vm *vm = vcpu->vm;

	ok_sync(vcpu, 1, "xAPIC or not");
	must(msi_raw(vm->fd, MSI_SELF, MSI_LEVEL | 0x51));
	ok_sync(vcpu, 2, "a level interrupt is taken");
	vcpu_set_msr(vcpu, X_EOI, 0);
	vcpu->run->immediate_exit = 1;
	err_is(vcpu_run(vcpu), EINTR, "immediate_exit comes first");
	vcpu->run->immediate_exit = 0;
	ok_exit(vcpu, TINYVMX_EXIT_EOI, "... and the EOI is not lost");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_level();
	test_edge();
	test_level_then_edge();
	test_nested();
	test_storm();
	test_by_state();
	test_immediate();
	return tap_exit();
}
