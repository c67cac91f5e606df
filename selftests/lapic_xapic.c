// SPDX-License-Identifier: GPL-2.0-only
/* xAPIC mode: MMIO for the guest, registers by number for userspace. */
#include "lapic.h"

static volatile u32 at;
static volatile u64 loaded;

static void msrs_are_gp(void)
{
	for (u32 index = 0x800; index < 0x900; index++) {
		at = index;
		guest_is(try_rdmsr(index), GP);
		guest_is(try_wrmsr(index, 0), GP);
	}
}

static void test_msrs(bool enabled)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, msrs_are_gp);

	if (!enabled)
		vcpu_set_msr(vcpu, APIC_BASE, BASE_ADDRESS | BASE_BSP);
	if (!ok_done(vcpu, "%s: the guest has no x2APIC MSRs",
		     enabled ? "xAPIC mode" : "APIC disabled"))
		diag("MSR %#x", G(vcpu->vm, at));
	vcpu_simple_destroy(vcpu);
}

static void stores_and_loads(void)
{
	*(volatile u32 *)(BASE_ADDRESS + 0x80) = 0x20;
	loaded = *(volatile u32 *)(BASE_ADDRESS + 0x20);
}

static void test_mmio(void)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, stores_and_loads);

	if (apicv()) {
		ok_done(vcpu, "a store and a load are virtualized");
		is(vcpu_msr(vcpu, X_TPR), 0x20, "... the TPR has it");
		vcpu_simple_destroy(vcpu);
		return;
	}
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "a store to the page is an MMIO exit");
	is(vcpu->run->mmio.gpa, BASE_ADDRESS + 0x80, "... at the TPR");
	is(vcpu->run->mmio.flags & 3, TINYVMX_MMIO_WRITE, "... a write");
	vcpu_simple_destroy(vcpu);
}

static void jumps(void)
{
	((void (*)(void))(BASE_ADDRESS + 0x20))();
}

static void test_fetch(void)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, jumps);

	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "a jump to the page is an MMIO exit");
	is(vcpu->run->mmio.gpa, BASE_ADDRESS + 0x20, "... there");
	is(vcpu->run->mmio.flags & 7, TINYVMX_MMIO_FETCH, "... a fetch");
	vcpu_simple_destroy(vcpu);
}

/* Writable in a page that ignores reserved bits: { register, written, read }. */
static const u64 rows[][3] = {
	{ X_TPR, 0xffffff35, 0x35 },
	{ X_LDR, 0x0fffffff, 0x0f000000 },
	{ X_LDR, 0x80000000, 0x80000000 },
	{ X_DFR, 0xffffffff, 0xffffffff },
	{ X_DFR, 0x0fffffff, 0x0fffffff },
	{ X_DFR, 0xf0000000, 0xffffffff },	/* bits 27:0 read as ones */
	{ X_SVR, 0xfffff1ee, 0x1ee },
	{ X_LVT_TIMER, 0xffff20f0, 0x700f0 },
	{ X_LVT_TIMER, 0x100f0, 0x100f0 },
	{ X_LVT_THERMAL, 0xffff26f1, 0x106f1 },
	{ X_LVT_LINT0, 0x187f0, 0x187f0 },
	{ X_LVT_LINT1, 0x400, 0x400 },
	{ X_LVT_ERROR, 0xfffe00ef, 0xef },
	{ X_TICR, 0x12345678, 0x12345678 },
	{ X_TDCR, 0xffffffff, 0xb },
};

static void test_registers(void)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, guest_spin);
	u32 wrong = 0;

	is(vcpu_msr(vcpu, X_SVR), 0xff, "after RESET: SVR is FFH");
	is(vcpu_msr(vcpu, X_DFR), 0xffffffff, "... DFR flat");
	is(vcpu_msr(vcpu, X_LDR), 0, "... LDR zero");
	is(vcpu_msr(vcpu, X_TPR), 0, "... TPR zero");
	for (u32 reg = X_LVT_TIMER; reg <= X_LVT_ERROR; reg++)
		wrong += vcpu_msr(vcpu, reg) != LVT_MASKED;
	is(wrong, 0, "... all LVT entries masked");
	vcpu_set_msr(vcpu, X_SVR, SVR_ON);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		must(try_set_msr(vcpu, rows[i][0], rows[i][1]));
		is(vcpu_msr(vcpu, rows[i][0]), rows[i][2],
		   "register %#lx: %#lx written", rows[i][0] & 0xff, rows[i][1]);
	}
	must(try_set_msr(vcpu, X_EOI, 0x1234));
	ok(true, "EOI takes any value");
	must(try_set_msr(vcpu, X_ESR, 0x1234));
	is(vcpu_msr(vcpu, X_ESR), 0, "ESR as well, and it is cleared");
	vcpu_simple_destroy(vcpu);
}

static void test_refusals(void)
{
	static const u32 not_writable[] = {
		0x800, X_VERSION, 0x809, X_PPR, X_ISR, X_TMR + 3, X_IRR + 7,
		0x82f, X_TCCR, 0x83a, 0x83d, X_SELF_IPI,
	};
	static const u32 not_readable[] = { 0x800, 0x801, X_EOI, 0x82f, 0x83a, X_SELF_IPI };
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 3, guest_spin);
	u64 value;

	for (u32 i = 0; i < ARRAY_SIZE(not_writable); i++)
		err_is(try_set_msr(vcpu, not_writable[i], 0), EINVAL,
		       "%#x cannot be written", not_writable[i]);
	for (u32 i = 0; i < ARRAY_SIZE(not_readable); i++)
		err_is(try_get_msr(vcpu, not_readable[i], &value), EINVAL,
		       "%#x cannot be read", not_readable[i]);
	is(vcpu_msr(vcpu, X_ID), 3U << 24, "the id is in bits 31:24");
	vcpu_simple_destroy(vcpu);
}

static void takes_one(void)
{
	guest_expect(0x41);
	guest_sync(1);
	sti();
	guest_sync(2);
}

/* What hvctl does for a guest that stores to the ICR and the EOI register. */
static void test_self_ipi(void)
{
	struct vcpu *vcpu = lapic_vcpu_reset(lapic_vm(), 0, takes_one);

	vcpu_set_msr(vcpu, X_SVR, SVR_ON);
	ok_sync(vcpu, 1, "a guest in xAPIC mode");
	vcpu_set_msr(vcpu, X_ICR, ICR_SELF | 0x41);
	ok(lapic_bit(vcpu, X_IRR, 0x41), "ICR by SET_STATE: pending");
	ok_sync(vcpu, 2, "the guest opens interrupts");
	is(G(vcpu->vm, guest_taken[0x41]), 1, "... and takes it");
	ok(lapic_bit(vcpu, X_ISR, 0x41), "it is in service");
	is(vcpu_msr(vcpu, X_PPR), 0x40, "PPR says so");
	vcpu_set_msr(vcpu, X_EOI, 0);
	ok(!lapic_bit(vcpu, X_ISR, 0x41), "EOI by SET_STATE ends it");
	vcpu_set_msr(vcpu, X_ICR, 0UL << 32 | 0x42);
	ok(lapic_bit(vcpu, X_IRR, 0x42), "ICR to a physical id");
	vcpu_set_msr(vcpu, X_ICR, 0xffUL << 32 | 0x43);
	ok(lapic_bit(vcpu, X_IRR, 0x43), "ICR to FFH: broadcast");
	vcpu_set_msr(vcpu, X_ICR, 1UL << 32 | 0x44);
	ok(!lapic_bit(vcpu, X_IRR, 0x44), "ICR to an id that is not there");
	is(vcpu_msr(vcpu, X_ICR), 1UL << 32 | 0x44, "the ICR reads back");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_msrs(true);
	test_msrs(false);
	test_mmio();
	test_fetch();
	test_registers();
	test_refusals();
	test_self_ipi();
	return tap_exit();
}
