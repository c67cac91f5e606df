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
	static const volatile u64 bad[] = { 1, 0x80, 0x200, 1UL << 52, 1UL << 63 };
	u32 leaf[4];

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		guest_is(try_wrmsr(APIC_BASE, BASE_XAPIC ^ bad[i]), GP);
	cpuid(0x80000008, 0, leaf);
	guest_is(try_wrmsr(APIC_BASE, BASE_XAPIC | 1UL << (leaf[0] & 0xff)), GP);
	guest_is(rdmsr(APIC_BASE), BASE_XAPIC);
	guest_is(try_wrmsr(APIC_BASE, BASE_XAPIC ^ BASE_BSP), -1);
	guest_is(rdmsr(APIC_BASE), BASE_XAPIC ^ BASE_BSP);
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

/* ------------------------------------------------------------- the page */

#define ELSEWHERE	GUEST_MMIO_GPA
#define NOWHERE		(~0UL)
#define LEAF1_EDX_APIC	(1U << 9)

static volatile u64 new_base;
static volatile u32 apic_bit, first_word;

/* Looks where the page is after RESET, then where it might have gone. */
static void looks(void)
{
	u32 leaf[4];

	if (new_base & BASE_X2APIC)
		wrmsr(APIC_BASE, BASE_XAPIC);
	wrmsr(APIC_BASE, new_base);
	cpuid(1, 0, leaf);
	apic_bit = leaf[3] & LEAF1_EDX_APIC;
	guest_sync(1);
	first_word = *(volatile u32 *)(BASE_ADDRESS + 0x30);
	guest_sync(2);
	first_word = *(volatile u32 *)(ELSEWHERE + 0x30);
	guest_sync(3);
}

/* An access at @gpa is MMIO; it says where the APIC answers. Go behind the MOV. */
static void mmio_is(struct vcpu *vcpu, u64 gpa, u64 page, const char *what)
{
	struct tinyvmx_run *run = vcpu->run;
	bool good = run_until(vcpu, TINYVMX_EXIT_MMIO) && run->mmio.gpa == gpa &&
		    run->apic_page == page;

	if (!ok(good, "%s", what))
		diag("gpa %#llx apic_page %#llx", run->mmio.gpa, run->apic_page);
	vcpu_get_regs(vcpu);
	while (vcpu->vm->ram[vcpu->regs.rip] != 0x89)	/* MOV to first_word */
		vcpu->regs.rip++;
	vcpu_set_regs(vcpu);
}

static void test_page(u64 base, u64 page, const char *what)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, looks);

	G(vcpu->vm, new_base) = base;
	ok_sync(vcpu, 1, "%s", what);
	is(!!G(vcpu->vm, apic_bit), !!(base & BASE_ENABLE), "... CPUID's APIC bit is EN");
	mmio_is(vcpu, BASE_ADDRESS + 0x30, page, "... FEE00000H is MMIO");
	ok_sync(vcpu, 2, "... and on");
	mmio_is(vcpu, ELSEWHERE + 0x30, page, "... another page is, too");
	ok_sync(vcpu, 3, "... to the end");
	is(lapic_state(vcpu).base, base, "... STATE_LAPIC has the base");
	vcpu_simple_destroy(vcpu);
}

/* Back at its place the page is as before. */
static void comes_back(void)
{
	wrmsr(APIC_BASE, ELSEWHERE | BASE_BSP | BASE_ENABLE);
	wrmsr(APIC_BASE, BASE_XAPIC);
	*(volatile u32 *)(BASE_ADDRESS + 0x80) = 0x30;
}

static void test_back(void)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, comes_back);

	if (!apicv()) {
		skip("no APIC virtualization", "moved back, the page is virtualized");
		vcpu_simple_destroy(vcpu);
		return;
	}
	ok_done(vcpu, "moved back, the page is virtualized");
	is(vcpu_msr(vcpu, X_TPR), 0x30, "... the TPR has the store");
	vcpu_simple_destroy(vcpu);
}

/* What a memory slot has there is seen when the APIC is not. */
static void reads_slot(void)
{
	wrmsr(APIC_BASE, new_base);
	first_word = *(volatile u32 *)(BASE_ADDRESS + 0x30);
}

static void test_slot(u64 base, const char *what)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, reads_slot);
	u32 *page = map_anon(PAGE);

	page[0x30 / 4] = 0x12345678;
	must(set_memory(vcpu->vm->fd, 1, 0, BASE_ADDRESS, PAGE, page));
	G(vcpu->vm, new_base) = base;
	ok_done(vcpu, "%s, RAM at FEE00000H", what);
	is(G(vcpu->vm, first_word), 0x12345678, "... is what the guest reads");
	vcpu_simple_destroy(vcpu);
}

static void test_moved_state(void)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, guest_spin);
	struct tinyvmx_lapic state = lapic_state(vcpu);

	state.base = ELSEWHERE | BASE_BSP | BASE_ENABLE;
	must(try_set_lapic(vcpu, &state));
	is(lapic_state(vcpu).base, state.base, "STATE_LAPIC moves the page");
	is(vcpu_msr(vcpu, APIC_BASE), state.base, "... the MSR says so");
	state.base |= 0x200;
	err_is(try_set_lapic(vcpu, &state), EINVAL, "a reserved bit in STATE_LAPIC's base");
	state.base = ELSEWHERE | BASE_ENABLE | 1UL << 52;
	err_is(try_set_lapic(vcpu, &state), EINVAL, "an address that is too wide");
	state.base = ELSEWHERE | BASE_X2APIC;
	err_is(try_set_lapic(vcpu, &state), EINVAL, "x2APIC mode without EN");
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
	test(reserved, false, "reserved bits are #GP; BSP can be written");
	test_page(ELSEWHERE | BASE_BSP | BASE_ENABLE, ELSEWHERE, "the page moves");
	test_page(BASE_ADDRESS | BASE_BSP, NOWHERE, "disabled");
	test_page(ELSEWHERE | BASE_BSP, NOWHERE, "disabled, and elsewhere");
	test_page(BASE_XAPIC | BASE_X2APIC, NOWHERE, "x2APIC mode");
	test_back();
	test_slot(BASE_ADDRESS | BASE_BSP, "disabled");
	test_slot(ELSEWHERE | BASE_BSP | BASE_ENABLE, "moved");
	test_moved_state();
	test_no_x2apic();
	test(off_and_on, true, "off and on again: as after RESET");
	test_to_x2apic_keeps();
	return tap_exit();
}
