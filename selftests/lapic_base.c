// SPDX-License-Identifier: GPL-2.0-only
/* IA32_APIC_BASE (SDM, "x2APIC State Transitions"), by WRMSR and SET_STATE. */
#include "lapic.h"

enum { DISABLED, INVALID, XAPIC, X2APIC };	/* bits 11:10 */

static const u64 bits[] = {
	[DISABLED] = 0, [INVALID] = BASE_X2APIC, [XAPIC] = BASE_ENABLE,
	[X2APIC] = BASE_ENABLE | BASE_X2APIC,
};

static const char * const name[] = { "disabled", "invalid", "xAPIC", "x2APIC" };

/* From row to column. */
static const bool allowed[4][4] = {
	[DISABLED] = { [DISABLED] = true, [XAPIC] = true },
	[XAPIC] = { [DISABLED] = true, [XAPIC] = true, [X2APIC] = true },
	[X2APIC] = { [DISABLED] = true, [X2APIC] = true },
};

static volatile u64 first, second;
static volatile u64 vector, after;

static void goes(void)
{
	if (first != XAPIC)
		wrmsr(APIC_BASE, BASE_ADDRESS | BASE_BSP | bits[first]);
	vector = try_wrmsr(APIC_BASE, BASE_ADDRESS | BASE_BSP | bits[second]);
	after = rdmsr(APIC_BASE);
}

static void test_transition(u32 from, u32 to)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, goes);
	bool good = allowed[from][to];
	u64 base = BASE_ADDRESS | BASE_BSP;
	int want = good ? 0 : EINVAL;

	G(vcpu->vm, first) = from;
	G(vcpu->vm, second) = to;
	ok_done(vcpu, "%s to %s", name[from], name[to]);
	is(G(vcpu->vm, vector), good ? -1 : GP, "... %s", good ? "is allowed" : "is #GP");
	is(G(vcpu->vm, after), base | bits[good ? to : from], "... RDMSR agrees");
	if (!good)
		err_is(try_set_msr(vcpu, APIC_BASE, base | bits[to]), want,
		       "... SET_STATE MSRS as well");
	vcpu_simple_destroy(vcpu);
}

static void reserved(void)
{
	static const volatile u64 bad[] = {
		1, 0x80, 0x200, 0x1000, 1UL << 32, 1UL << 52, 1UL << 63,
	};

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		guest_is(try_wrmsr(APIC_BASE, BASE_XAPIC ^ bad[i]), GP);
	guest_is(rdmsr(APIC_BASE), BASE_XAPIC);
}

static void no_x2apic(void)
{
	guest_is(try_wrmsr(APIC_BASE, BASE_XAPIC | BASE_X2APIC), GP);
	guest_is(try_wrmsr(APIC_BASE, BASE_ADDRESS | BASE_BSP), -1);
	guest_is(try_wrmsr(APIC_BASE, BASE_XAPIC), -1);
}

static void test_no_x2apic(void)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, no_x2apic);
	struct tinyvmx_cpuid table[100];
	u32 count = host_cpuid(table, ARRAY_SIZE(table));
	struct tinyvmx_lapic state;

	for (u32 i = 0; i < count; i++)
		if (table[i].function == 1)
			table[i].ecx &= ~(1U << 21);
	must(set_cpuid(vcpu->fd, table, count));
	ok_done(vcpu, "x2APIC mode without x2APIC in CPUID is #GP");
	state = lapic_state(vcpu);
	state.base |= BASE_X2APIC;
	err_is(try_set_lapic(vcpu, &state), EINVAL, "... and EINVAL for STATE_LAPIC");
	vcpu_simple_destroy(vcpu);
}

/* Off and on again: the APIC is as after RESET (SDM, "x2APIC State Transitions"). */
static void off_and_on(void)
{
	wrmsr(X_TPR, 0x20);
	wrmsr(X_LVT_TIMER, 0x45);
	wrmsr(X_TDCR, TDCR_1);
	wrmsr(X_TICR, 20000);
	wrmsr(X_SELF_IPI, 0x50);
	wrmsr(APIC_BASE, BASE_ADDRESS | BASE_BSP);
	guest_is(try_rdmsr(X_ID), GP);
	guest_is(try_wrmsr(X_EOI, 0), GP);
	sti();
	guest_delay(2);
	guest_is(guest_taken[0x50], 0);
	guest_is(guest_taken[0x45], 0);
	wrmsr(APIC_BASE, BASE_XAPIC);
	wrmsr(APIC_BASE, BASE_XAPIC | BASE_X2APIC);
	guest_is(rdmsr(X_SVR), 0xff);
	guest_is(rdmsr(X_LVT_TIMER), LVT_MASKED);
	guest_is(rdmsr(X_TICR), 0);
	guest_is(rdmsr(X_TCCR), 0);
	guest_is(rdmsr(X_IRR + 2), 0);
	guest_is(rdmsr(X_TPR), 0);
	wrmsr(X_SVR, SVR_ON);
	guest_expect(0x51);
	wrmsr(X_SELF_IPI, 0x51);
	guest_is(guest_wait(0x51, 1, 1), true);
}

static void keeps(void)
{
	guest_is(rdmsr(X_SVR), SVR_ON);
	guest_is(rdmsr(X_LVT_TIMER), 0x45);
	guest_is(rdmsr(X_IRR + 2), 1U << 17);
}

static void test_to_x2apic_keeps(void)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, keeps);

	vcpu_set_msr(vcpu, X_SVR, SVR_ON);
	vcpu_set_msr(vcpu, X_LVT_TIMER, 0x45);
	vcpu_set_msr(vcpu, X_ICR, ICR_SELF | 0x51);
	vcpu_set_msr(vcpu, APIC_BASE, BASE_XAPIC | BASE_X2APIC);
	ok_done(vcpu, "xAPIC to x2APIC keeps registers and interrupts");
	vcpu_simple_destroy(vcpu);
}

static void test(void *fn, bool x2apic, const char *what)
{
	struct vm *vm = lapic_vm();
	struct vcpu *vcpu = x2apic ? lapic_vcpu(vm, 0, fn) : lapic_vcpu_reset(vm, 0, fn);

	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	for (u32 from = 0; from < 4; from++)
		for (u32 to = 0; to < 4 && from != INVALID; to++)
			test_transition(from, to);
	test(reserved, false, "reserved bits and another address are #GP");
	test_no_x2apic();
	test(off_and_on, true, "off and on again: as after RESET");
	test_to_x2apic_keeps();
	return tap_exit();
}
