// SPDX-License-Identifier: GPL-2.0-only
/* Priorities: TPR, PPR, IRR, ISR, CR8, nesting, the order of EOIs. */
#include "lapic.h"

static void self(u8 vector)
{
	wrmsr(X_SELF_IPI, vector);
}

static u64 bit(u32 first, u8 vector)
{
	return rdmsr(first + vector / 32) >> (vector % 32) & 1;
}

static void expect_all(void)
{
	for (u32 i = 0; i < 4; i++)
		guest_expected[i] = i ? ~0UL : ~0UL << 32;
}

static void self_ipis(void)
{
	guest_expect(0x31);
	guest_expect(0xff);
	guest_expect(0x10);
	self(0x31);
	guest_is(bit(X_IRR, 0x31), 1);
	guest_is(bit(X_ISR, 0x31), 0);
	guest_is(guest_taken[0x31], 0);
	sti();
	guest_is(guest_taken[0x31], 1);
	guest_is(bit(X_IRR, 0x31), 0);
	guest_is(bit(X_ISR, 0x31), 1);
	guest_eoi();
	guest_is(bit(X_ISR, 0x31), 0);
	wrmsr(X_ICR, ICR_SELF | 0xff);
	guest_is(guest_taken[0xff], 1);
	guest_eoi();
	wrmsr(X_ICR, 0xff);		/* to the physical id 0: itself */
	guest_is(guest_taken[0xff], 2);
	guest_eoi();
	wrmsr(X_ICR, 1UL << 32 | ICR_LOGICAL | 0xff);
	guest_is(guest_taken[0xff], 3);
	guest_eoi();
	wrmsr(X_ICR, ICR_ALL | 0xff);
	guest_is(guest_taken[0xff], 4);
	guest_eoi();
	wrmsr(X_ICR, ICR_OTHERS | 0xff);
	guest_is(guest_taken[0xff], 4);
	self(0x10);			/* the lowest legal vector */
	guest_is(guest_taken[0x10], 1);
	guest_eoi();
}

/* All together, interrupts closed: they come from the top. */
static void in_order(void)
{
	static const volatile u8 sent[] = { 0x41, 0xf0, 0x35, 0x4f, 0x92, 0x40 };
	static const volatile u8 want[] = { 0xf0, 0x92, 0x4f, 0x41, 0x40, 0x35 };

	expect_all();
	guest_hook = guest_log;
	for (u32 i = 0; i < sizeof(sent); i++)
		self(sent[i]);
	self(0x35);			/* a second request merges */
	sti();
	guest_is(guest_orders, sizeof(want));
	for (u32 i = 0; i < sizeof(want); i++)
		guest_is(guest_order[i], want[i]);
}

/* Without EOI: classes above go through, the same and lower wait. */
static void nesting(void)
{
	expect_all();
	sti();
	self(0x55);
	guest_is(guest_taken[0x55], 1);
	guest_is(rdmsr(X_PPR), 0x50);
	self(0x5f);
	guest_is(guest_taken[0x5f], 0);		/* the same class waits */
	self(0x44);
	guest_is(guest_taken[0x44], 0);
	self(0x66);
	guest_is(guest_taken[0x66], 1);		/* a higher one preempts */
	guest_is(rdmsr(X_PPR), 0x60);
	guest_is(bit(X_ISR, 0x55) && bit(X_ISR, 0x66), 1);
	guest_eoi();				/* ends 66H: the highest */
	guest_is(bit(X_ISR, 0x66), 0);
	guest_is(bit(X_ISR, 0x55), 1);
	guest_is(guest_taken[0x5f], 0);
	guest_is(rdmsr(X_PPR), 0x50);
	guest_eoi();				/* ends 55H: 5FH comes at once */
	guest_is(guest_taken[0x5f], 1);
	guest_is(guest_taken[0x44], 0);
	guest_eoi();
	guest_is(guest_taken[0x44], 1);
	guest_eoi();
	guest_is(rdmsr(X_PPR), 0);
	guest_eoi();				/* with nothing in service: nothing */
	guest_is(rdmsr(X_PPR), 0);
}

static void tpr(void)
{
	expect_all();
	guest_hook = guest_hook_eoi;
	sti();
	wrmsr(X_TPR, 0x50);
	guest_is(rdmsr(X_PPR), 0x50);
	self(0x5f);
	guest_is(guest_taken[0x5f], 0);
	self(0x60);
	guest_is(guest_taken[0x60], 1);
	wrmsr(X_TPR, 0x4f);
	guest_is(guest_taken[0x5f], 1);		/* at once */
	guest_is(rdmsr(X_PPR), 0x4f);
	wrmsr(X_TPR, 0xff);
	self(0xff);
	guest_is(guest_taken[0xff], 0);
	wrmsr(X_TPR, 0xe0);
	guest_is(guest_taken[0xff], 1);
	guest_expect(0x1f);
	wrmsr(X_TPR, 0x0f);			/* class 0 holds back class 1 not */
	self(0x1f);
	guest_is(guest_taken[0x1f], 1);
}

static void cr8(void)
{
	expect_all();
	guest_hook = guest_hook_eoi;
	sti();
	wrmsr(X_TPR, 0x75);
	guest_is(READ_REG("cr8"), 7);
	WRITE_REG("cr8", 9UL);
	guest_is(rdmsr(X_TPR), 0x90);
	guest_is(rdmsr(X_PPR), 0x90);
	self(0x9f);
	guest_is(guest_taken[0x9f], 0);
	WRITE_REG("cr8", 8UL);
	guest_is(guest_taken[0x9f], 1);
	guest_is(GUEST_TRY("mov %0, %%cr8", : : "r"(16UL) : "memory"), GP);
	guest_is(rdmsr(X_TPR), 0x80);
}

/* PPR: the higher class of TPR and ISR; TPR's low bits only if TPR wins. */
static void ppr(void)
{
	expect_all();
	sti();
	self(0x77);
	wrmsr(X_TPR, 0x65);
	guest_is(rdmsr(X_PPR), 0x70);
	wrmsr(X_TPR, 0x75);
	guest_is(rdmsr(X_PPR), 0x75);
	wrmsr(X_TPR, 0x83);
	guest_is(rdmsr(X_PPR), 0x83);
	guest_eoi();
	wrmsr(X_TPR, 0);
	guest_is(rdmsr(X_PPR), 0);
}

/* STI and MOV SS shadows hold for the APIC's interrupts, too. */
extern char lapic_sti_end[];
static void shadow(void)
{
	expect_all();
	guest_hook = guest_hook_eoi;
	self(0x40);
	__asm__ volatile("sti; nop\n lapic_sti_end: nop; cli");
	guest_is(guest_taken[0x40], 1);
	guest_is(guest_trap.rip, (uintptr_t)lapic_sti_end);
}

/* One request in service, one pending: the second comes after EOI, no more. */
static void twice(void)
{
	expect_all();
	sti();
	self(0x40);
	self(0x40);
	self(0x40);
	guest_is(guest_taken[0x40], 1);
	guest_is(bit(X_IRR, 0x40) && bit(X_ISR, 0x40), 1);
	guest_eoi();
	guest_is(guest_taken[0x40], 2);
	guest_eoi();
	guest_is(guest_taken[0x40], 2);
}

static void all_vectors(void)
{
	expect_all();
	guest_hook = guest_hook_eoi;
	for (u32 vector = 32; vector < 256; vector++)
		self(vector);
	sti();
	for (u32 vector = 32; vector < 256; vector++)
		guest_is(guest_taken[vector], 1);
}

static void test(void *fn, const char *what)
{
	struct vcpu *vcpu = lapic_simple(fn);

	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

/* CR8 in SREGS is the TPR's upper half. */
static void test_sregs(void)
{
	struct vcpu *vcpu = lapic_simple(guest_spin);
	struct tinyvmx_sregs sregs;

	vcpu_set_msr(vcpu, X_TPR, 0x6a);
	sregs = vcpu_sregs(vcpu);
	is(sregs.cr8, 6, "SREGS: CR8 is TPR 7:4");
	vcpu_set_sregs(vcpu, &sregs);
	is(vcpu_msr(vcpu, X_TPR) & 0xf0, 0x60, "SREGS written back keep the class");
	sregs.cr8 = 3;
	vcpu_set_sregs(vcpu, &sregs);
	is(vcpu_msr(vcpu, X_TPR), 0x30, "a new CR8 is the new TPR");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test(self_ipis, "self-IPIs by SELF IPI and by each way of the ICR");
	test(in_order, "pending ones come from the top");
	test(nesting, "a higher class preempts, the same waits for EOI");
	test(tpr, "the TPR holds back its class and below");
	test(cr8, "CR8 mirrors the TPR");
	test(ppr, "PPR");
	test(shadow, "the shadow of STI");
	test(twice, "one in service, one pending");
	test(all_vectors, "vectors 32 to 255");
	test_sregs();
	return tap_exit();
}
