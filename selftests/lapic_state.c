// SPDX-License-Identifier: GPL-2.0-only
/* TINYVMX_STATE_LAPIC: round trip, refusals, a running timer moved to a new VM. */
#include <stddef.h>

#include "lapic.h"

#define TIMER	0x40
#define DUE	50UL		/* ms */

extern char etext[], end[];	/* the linker's: what the program changes */

static void busy(void)
{
	guest_expected[1] = guest_expected[2] = guest_expected[3] = ~0UL;
	wrmsr(X_LVT_TIMER, TIMER_PERIODIC | LVT_MASKED | TIMER);
	wrmsr(X_LVT_LINT0, MODE_EXTINT);
	wrmsr(X_LVT_LINT1, MODE_NMI);
	wrmsr(X_LVT_ERROR, 0xe1);
	wrmsr(X_TDCR, 9);
	wrmsr(X_TICR, 0xfffffff0);
	wrmsr(X_SELF_IPI, 0x4a);
	wrmsr(X_SELF_IPI, 0x85);
	sti();				/* both in service */
	cli();
	wrmsr(X_SELF_IPI, 0x4b);
	wrmsr(X_SELF_IPI, 3);
	wrmsr(X_ESR, 0);
	wrmsr(X_TPR, 0x25);
	wrmsr(X_ICR, 0x12345678UL << 32 | ICR_LOGICAL | 0xaa);
	guest_sync(1);
	guest_is(rdmsr(X_ISR + 4), 1U << 5);
	wrmsr(X_EOI, 0);
	sti();
	guest_is(guest_taken[0x4b], 0);
	wrmsr(X_TPR, 0);
	wrmsr(X_EOI, 0);		/* ends 4AH */
	guest_is(guest_taken[0x4b], 1);
}

/* All that differs between two states but the running timer. */
static u32 differences(const struct tinyvmx_lapic *a, const struct tinyvmx_lapic *b)
{
	u32 wrong = (a->base != b->base) + (a->deadline != b->deadline);

	for (u32 reg = 0; reg < 64; reg++) {
		if (reg == REGS(X_TCCR) || a->regs[reg] == b->regs[reg])
			continue;
		diag("register %#x: %#x, %#x", reg, a->regs[reg], b->regs[reg]);
		wrong++;
	}
	return wrong;
}

static struct vcpu *target(void)
{
	return lapic_vcpu_reset(lapic_vm(), 0, guest_spin);
}

static void copy_ram(struct vcpu *to, struct vcpu *from, u64 start, u64 stop)
{
	memcpy(to->vm->ram + start, from->vm->ram + start, stop - start);
}

/* Take over the state of @from, in the order of the ABI's documentation. */
static void move(struct vcpu *to, struct vcpu *from)
{
	struct tinyvmx_sregs sregs = vcpu_sregs(from);
	struct tinyvmx_events events = vcpu_events(from);
	struct tinyvmx_lapic lapic;
	u64 tsc, deadline;

	vcpu_get_regs(from);
	copy_ram(to, from, GUEST_STACK_TOP - GUEST_STACK_BYTES, GUEST_STACK_TOP);
	copy_ram(to, from, (uintptr_t)etext, (uintptr_t)end);
	/* Last, as time goes on: the timer and the TSC. */
	lapic = lapic_state(from);
	deadline = vcpu_msr(from, TSC_DEADLINE);
	tsc = vcpu_msr(from, MSR_TSC);
	must(try_set_lapic(to, &lapic));
	vcpu_set_sregs(to, &sregs);
	to->regs = from->regs;
	vcpu_set_regs(to);
	vcpu_set_msr(to, MSR_TSC, tsc);
	vcpu_set_msr(to, TSC_DEADLINE, deadline);
	must(set_state(to->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
}

static void test_round_trip(void)
{
	struct vcpu *vcpu = lapic_simple(busy), *to = target();
	struct tinyvmx_lapic a, b;

	ok_sync(vcpu, 1, "a busy APIC");
	a = lapic_state(vcpu);
	is(a.base, BASE_XAPIC | BASE_X2APIC, "its base");
	is(a.pad, 0, "... padding");
	ok(a.timer_left > 0 && a.timer_left <= 0xfffffff0UL << 6, "... the timer runs");
	is(a.deadline, 0, "... no deadline");
	is(a.regs[REGS(X_ICR)], 0x8aa, "... ICR");
	is(a.regs[REGS(X_ICR_HIGH)], 0x12345678, "... and its high half");
	is(a.regs[REGS(X_ESR)], 0x20, "... ESR");
	is(a.regs[REGS(X_PPR)], 0x80, "... PPR");
	move(to, vcpu);
	b = lapic_state(to);
	is(differences(&a, &b), 0, "the same in a new vCPU");
	ok(b.timer_left <= a.timer_left && b.timer_left, "... the timer has run on");
	ok_done(to, "the guest goes on there");
	must(try_set_lapic(vcpu, &a));
	ok_done(vcpu, "and here");
	vcpu_simple_destroy(to);
	vcpu_simple_destroy(vcpu);
}

struct refusal {
	const char *what;
	u32 reg;
	u32 bits;	/* changed in it */
};

static const struct refusal refusals[] = {
	{ "TPR", X_TPR, 0x100 }, { "SVR", X_SVR, 0x200 },
	{ "LVT timer", X_LVT_TIMER, 0x80000 }, { "LVT thermal", X_LVT_THERMAL, 0x20000 },
	{ "LVT LINT0", X_LVT_LINT0, 0x800 }, { "LVT LINT1", X_LVT_LINT1, 0x80000000 },
	{ "LVT error", X_LVT_ERROR, 0x400 }, { "divide", X_TDCR, 4 },
	{ "LDR", X_LDR, 0x800000 }, { "ICR", X_ICR, 0x1000 }, { "ISR", X_ISR, 1 },
	{ "TMR", X_TMR, 0x8000 }, { "IRR", X_IRR, 0x100 },
};

static void refuse(struct vcpu *vcpu, const struct tinyvmx_lapic *state, const char *what)
{
	struct tinyvmx_lapic before = lapic_state(vcpu), after;

	err_is(try_set_lapic(vcpu, state), EINVAL, "refused: %s", what);
	after = lapic_state(vcpu);
	if (differences(&before, &after))
		ok(false, "... and nothing has changed");
}

static void test_refusals(void)
{
	struct vcpu *vcpu = lapic_simple(busy);
	struct tinyvmx_lapic good = lapic_state(vcpu), bad;
	static const u64 bases[] = {
		1, 0x200, 1UL << 52, 1UL << 63, BASE_ENABLE,	/* that: x2APIC alone */
	};

	for (u32 i = 0; i < ARRAY_SIZE(refusals); i++) {
		bad = good;
		bad.regs[REGS(refusals[i].reg)] ^= refusals[i].bits;
		bad.regs[REGS(X_TPR)] ^= 0x70;
		refuse(vcpu, &bad, refusals[i].what);
	}
	for (u32 i = 0; i < ARRAY_SIZE(bases); i++) {
		bad = good;
		bad.base ^= bases[i];
		refuse(vcpu, &bad, "base");
	}
	bad = good;
	bad.pad = 1;
	refuse(vcpu, &bad, "padding");
	bad = good;
	bad.timer_left = 1UL << 39;
	refuse(vcpu, &bad, "more ticks left than the counter holds");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_LAPIC, &good, sizeof(good) - 8), EINVAL,
	       "refused: too short");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_LAPIC, &good, sizeof(good) + 8), EINVAL,
	       "refused: too long");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_LAPIC, NULL, sizeof(good)), EFAULT,
	       "refused: no address");
	ok(!try_set_lapic(vcpu, &good), "and the good one is taken");
	vcpu_simple_destroy(vcpu);
}

static void test_no_lapic(void)
{
	struct vcpu *with = lapic_simple(guest_spin);
	struct vcpu *without = vcpu_simple(guest_spin);
	struct tinyvmx_lapic state = lapic_state(with);
	struct runner *runner;

	err_is(try_set_lapic(without, &state), EOPNOTSUPP, "SET in a VM without them");
	err_is(get_state(without->fd, TINYVMX_STATE_LAPIC, &state, sizeof(state)),
	       EOPNOTSUPP, "GET in a VM without them");
	runner = runner_start(with);
	wait_alive(with->vm);
	err_is(try_set_lapic(with, &state), EBUSY, "SET while it runs");
	err_is(get_state(with->fd, TINYVMX_STATE_LAPIC, &state, sizeof(state)), EBUSY,
	       "GET while it runs");
	runner_stop(runner);
	vcpu_simple_destroy(without);
	vcpu_simple_destroy(with);
}

static volatile u64 began, took;

static void one_shot(void)
{
	guest_expect(TIMER);
	wrmsr(X_LVT_TIMER, TIMER);
	wrmsr(X_TDCR, TDCR_1);
	began = rdtsc();
	wrmsr(X_TICR, DUE * guest_ms);
	guest_sync(1);
	sti();
	guest_is(guest_wait(TIMER, 1, 1000), true);
	took = rdtsc() - began;
}

static void deadline(void)
{
	guest_expect(TIMER);
	wrmsr(X_LVT_TIMER, TIMER_DEADLINE | TIMER);
	began = rdtsc();
	wrmsr(TSC_DEADLINE, began + DUE * guest_ms);
	guest_sync(1);
	guest_is(rdmsr(TSC_DEADLINE), began + DUE * guest_ms);
	sti();
	guest_is(guest_wait(TIMER, 1, 1000), true);
	guest_is(rdmsr(TSC_DEADLINE), 0);
	took = rdtsc() - began;
}

static void periodic(void)
{
	guest_expect(TIMER);
	guest_hook = guest_hook_eoi;
	wrmsr(X_LVT_TIMER, TIMER_PERIODIC | TIMER);
	wrmsr(X_TDCR, TDCR_1);
	began = rdtsc();
	wrmsr(X_TICR, (DUE / 5) * guest_ms);
	guest_sync(1);
	sti();
	guest_is(guest_wait(TIMER, 5, 1000), true);
	took = rdtsc() - began;
}

/* To an older VM, or to one whose TSC is 300 ms behind. */
static void test_timer(void *fn, bool older, const char *what)
{
	struct vcpu *to = older ? target() : NULL;
	struct vcpu *vcpu = lapic_simple(fn);
	u64 ms;

	sleep_us(300000);
	if (!older)
		to = target();
	ok_sync(vcpu, 1, "%s, moved to %s VM", what, older ? "an older" : "a younger");
	move(to, vcpu);
	vcpu_simple_destroy(vcpu);
	ok_done(to, "... fires in the new VM");
	ms = G(to->vm, took) / ms_to_tsc(1);
	ok(ms >= DUE - 5 && ms < DUE + 25, "... after %lu ms of the guest", ms);
	vcpu_simple_destroy(to);
}

static void nmi_and_done(void)
{
	guest_expect(2);
	guest_sync(1);
	guest_is(guest_taken[2], 1);
}

/* One that came while the vCPU was not running. */
static void test_nmi(void)
{
	struct vcpu *vcpu = lapic_simple(nmi_and_done), *to = target();

	ok_sync(vcpu, 1, "a vCPU that is not running");
	must(msi_raw(vcpu->vm->fd, MSI_BASE, MODE_NMI));
	is(vcpu_events(vcpu).pending, TINYVMX_PENDING_NMI, "an NMI by MSI is in EVENTS");
	move(to, vcpu);
	ok_done(to, "... and is taken in a new VM");
	vcpu_simple_destroy(vcpu);
	vcpu_simple_destroy(to);
}

/* Time the guest does not see: save, wait, restore. */
static void test_frozen(void)
{
	struct vcpu *vcpu = lapic_simple(one_shot);
	struct tinyvmx_lapic state;
	u64 tsc;

	ok_sync(vcpu, 1, "saved with 50 ms to go");
	state = lapic_state(vcpu);
	tsc = vcpu_msr(vcpu, MSR_TSC);
	sleep_us(100000);
	must(try_set_lapic(vcpu, &state));
	vcpu_set_msr(vcpu, MSR_TSC, tsc);
	ok_done(vcpu, "restored 100 ms later: fires");
	ok(G(vcpu->vm, took) >= ms_to_tsc(DUE - 5), "... after 50 ms of its own, not at once");
	vcpu_simple_destroy(vcpu);
}

/* As a VMM does that changes something of what is pending, while others send. */
static void test_nmi_between(void)
{
	struct vcpu *vcpu = lapic_simple(guest_spin);
	struct tinyvmx_events events = vcpu_events(vcpu);

	must(msi_raw(vcpu->vm->fd, MSI_BASE, MODE_NMI));
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
	ok(vcpu_events(vcpu).pending & TINYVMX_PENDING_NMI, "an NMI between GET and SET is not lost");
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
	is(vcpu_events(vcpu).pending, 0, "... one that GET has told of is SET's");
	vcpu_simple_destroy(vcpu);
}

static void takes_one(void)
{
	guest_expect(0x50);
	guest_sync(1);
	sti();
	guest_is(guest_wait(0x50, 1, 100), true);
}

/* ... and for interrupts. */
static void test_interrupt_between(void)
{
	struct vcpu *vcpu = lapic_simple(takes_one);
	struct tinyvmx_lapic state;

	ok_sync(vcpu, 1, "a vCPU that takes no interrupt yet");
	state = lapic_state(vcpu);
	must(msi(vcpu->vm, 0, 0x50));
	must(try_set_lapic(vcpu, &state));
	ok(lapic_state(vcpu).regs[REGS(X_IRR + 2)] & 1 << 16,
	   "an interrupt between GET and SET is not lost");
	ok_done(vcpu, "... the guest gets it");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_round_trip();
	test_refusals();
	test_no_lapic();
	for (u32 older = 0; older < 2; older++) {
		test_timer(one_shot, older, "one-shot");
		test_timer(periodic, older, "periodic");
		test_timer(deadline, older, "deadline");
	}
	test_nmi();
	test_frozen();
	test_nmi_between();
	test_interrupt_between();
	return tap_exit();
}
