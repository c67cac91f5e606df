// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC's registers in x2APIC mode: which are there, which bits. */
#include "lapic.h"

#define RO	1
#define WO	2
#define RW	3

struct row {
	u32 index;
	u32 access;
	u64 reset;	/* what is read, SVR being on */
	u64 good;	/* written and read back */
	u64 bad[3];	/* each has a reserved bit: #GP; 0: no more */
};

#define HIGH	(1UL << 32)

/* volatile: the compiler must not look into the guest's copy. */
static const volatile struct row rows[] = {
	{ X_ID, RO, 0, 0, {} },
	{ X_VERSION, RO, 0x50014, 0, {} },
	{ X_TPR, RW, 0, 0xa5, { 0x100, 0x80000000, HIGH } },
	{ X_PPR, RO, 0xa0, 0, {} },	/* the TPR just written, cut below */
	{ X_EOI, WO, 0, 0, { 1, 0x80000000, HIGH } },
	{ X_LDR, RO, 1, 0, {} },
	{ X_SVR, RW, 0x1ff, 0x1ef, { 0x400, 0x10000, HIGH } },
	{ X_ESR, RW, 0, 0, { 1, 0x80, HIGH } },
	{ X_ICR, RW, 0, 0x40, { 0x2000, 0x100000, 0x80000000 } },
	{ X_LVT_TIMER, RW, 0x10000, 0x300f0, { 0x2000, 0x80000, HIGH } },
	{ X_LVT_THERMAL, RW, 0x10000, 0x104ef, { 0x2000, 0x20000, HIGH } },
	{ X_LVT_PERF, RW, 0x10000, 0x104ee, { 0x8000, 0x20000, HIGH } },
	{ X_LVT_LINT0, RW, 0x10000, 0x1a7ed, { 0x800, 0x20000, HIGH } },
	{ X_LVT_LINT1, RW, 0x10000, 0x1a4ec, { 0x800, 0x20000, HIGH } },
	{ X_LVT_ERROR, RW, 0x10000, 0x100eb, { 0x2000, 0x20000, HIGH } },
	{ X_TICR, RW, 0, 0xffffffff, { HIGH } },
	{ X_TCCR, RO, -1UL, 0, {} },
	{ X_TDCR, RW, 0, 0xb, { 4, 0x10, HIGH } },
	{ X_SELF_IPI, WO, 0, 0x40, { 0x100, 0x40000, HIGH } },
};

static volatile u32 at;		/* where the guest is: for the diagnostics */
static volatile u32 refused;

static void check_row(const volatile struct row *row)
{
	at = row->index;
	if (!(row->access & RO))
		guest_is(try_rdmsr(row->index), GP);
	else if (row->reset != -1UL)
		guest_is(rdmsr(row->index) & ~(row->index == X_PPR ? 0xfUL : 0),
			 row->reset);
	for (u32 i = 0; i < ARRAY_SIZE(row->bad) && row->bad[i]; i++) {
		guest_is(try_wrmsr(row->index, row->bad[i]), GP);
		guest_is(guest_trap.error, 0);
	}
	if (!(row->access & WO)) {
		guest_is(try_wrmsr(row->index, 0), GP);
		return;
	}
	guest_is(try_wrmsr(row->index, row->good), -1);
	if (row->access & RO)
		guest_is(rdmsr(row->index), row->good);
}

static void walks(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		check_row(&rows[i]);
}

static void bitmaps(void)
{
	for (u32 index = X_ISR; index < X_ESR; index++) {
		at = index;
		guest_is(try_rdmsr(index), -1);
		guest_is(try_wrmsr(index, 0), GP);
	}
}

static bool is_known(u32 index)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].index == index)
			return true;
	return index >= X_ISR && index < X_ESR;
}

/* All of 800H ... 8FFH that no row names. */
static void unknown(void)
{
	for (u32 index = 0x800; index < 0x900; index++) {
		if (is_known(index))
			continue;
		at = index;
		guest_is(try_rdmsr(index), GP);
		guest_is(try_wrmsr(index, 0), GP);
		refused++;
	}
}

static void test(void *fn, const char *what)
{
	struct vcpu *vcpu = lapic_simple(fn);

	if (!ok_done(vcpu, "%s", what))
		diag("MSR %#x", G(vcpu->vm, at));
	vcpu_simple_destroy(vcpu);
}

static void test_ids(void)
{
	struct vm *vm = lapic_vm();
	static const u32 ids[] = { 1, 15, 16, 33, 63 };

	for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
		struct vcpu *vcpu = lapic_vcpu(vm, ids[i], guest_spin);

		is(vcpu_msr(vcpu, X_ID), ids[i], "vCPU %u: its x2APIC id", ids[i]);
		is(vcpu_msr(vcpu, X_LDR), (ids[i] / 16) << 16 | 1U << ids[i] % 16,
		   "... and logical id");
		is(vcpu_msr(vcpu, APIC_BASE), BASE_ADDRESS | 0xc00,
		   "... and it is no bootstrap processor");
		vcpu_destroy(vcpu);
	}
	vm_destroy(vm);
}

/* GET and SET_STATE MSRS follow the same rules. */
static void test_host(void)
{
	struct vcpu *vcpu = lapic_simple(guest_spin);
	u32 wrong = 0;
	u64 value;

	for (u32 index = 0x800; index < 0x900; index++)
		if (!is_known(index) && !try_get_msr(vcpu, index, &value))
			wrong++;
	is(wrong, 0, "GET_STATE MSRS: no other registers");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const volatile struct row *row = &rows[i];

		wrong += !(row->access & RO) == !try_get_msr(vcpu, row->index, &value);
		for (u32 k = 0; k < ARRAY_SIZE(row->bad) && row->bad[k]; k++)
			wrong += !try_set_msr(vcpu, row->index, row->bad[k]);
		wrong += !(row->access & WO) == !try_set_msr(vcpu, row->index, row->good);
	}
	is(wrong, 0, "SET_STATE MSRS refuses what WRMSR refuses");
	vcpu_simple_destroy(vcpu);
}

static void no_lapic(void)
{
	for (u32 index = 0x800; index < 0x900; index++) {
		at = index;
		guest_is(try_rdmsr(index), GP);
		guest_is(try_wrmsr(index, 0), GP);
	}
	guest_is(try_rdmsr(TSC_DEADLINE), GP);
	guest_is(try_wrmsr(TSC_DEADLINE, 0), GP);
	guest_is(try_wrmsr(APIC_BASE, BASE_XAPIC | BASE_X2APIC), GP);
}

static void test_no_lapic(void)
{
	struct vcpu *vcpu = vcpu_simple(no_lapic);
	u64 value;

	if (!ok_done(vcpu, "a VM without local APICs: all are #GP"))
		diag("MSR %#x", G(vcpu->vm, at));
	err_is(try_get_msr(vcpu, X_ID, &value), EINVAL, "... and EINVAL for GET_STATE");
	err_is(try_set_msr(vcpu, X_TPR, 0), EINVAL, "... and for SET_STATE");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test(walks, "each register: reset value, reserved bits, round trip");
	test(bitmaps, "ISR, TMR, IRR are read-only");
	test(unknown, "the others are #GP(0)");
	test_ids();
	test_host();
	test_no_lapic();
	return tap_exit();
}
