// SPDX-License-Identifier: GPL-2.0-only
/* What of the local APIC exits, and what the CPU does itself if it has APIC virtualization. */
#include <sys/mman.h>

#include "lapic.h"

#define MANY	500

static volatile u32 *reg_at(u32 msr)
{
	return (volatile u32 *)(BASE_ADDRESS + 16 * REGS(msr));
}

/* ------------------------------------------------------------ MANY of one */

static void x_eoi(void)
{
	wrmsr(X_EOI, 0);
}

static void x_read(void)
{
	guest_is(rdmsr(X_ID), 0);
	guest_is(rdmsr(X_SVR), SVR_ON);
	guest_is(rdmsr(X_LDR), 1);
	guest_is(rdmsr(X_VERSION) & 0xff, 0x14);
}

static void x_tpr(void)
{
	wrmsr(X_TPR, 0x35);
	guest_is(rdmsr(X_TPR), 0x35);
	guest_is(rdmsr(X_PPR), 0x35);
	wrmsr(X_TPR, 0);
}

static void cr8(void)
{
	u64 tpr = 5;

	__asm__ volatile("mov %1, %%cr8; mov %%cr8, %0" : "=r"(tpr) : "0"(tpr));
	guest_is(tpr, 5);
	__asm__ volatile("mov %0, %%cr8" : : "r"(0UL));
}

static void x_self(void)
{
	wrmsr(X_SELF_IPI, 0x41);
}

static void x_icr(void)
{
	wrmsr(X_ICR, ICR_SELF | 0x41);
}

static void x_count(void)
{
	guest_is(rdmsr(X_TCCR), 0);
}

static void page_eoi(void)
{
	*reg_at(X_EOI) = 0;
}

static void page_read(void)
{
	guest_is(*reg_at(X_ID), 0);
	guest_is(*reg_at(X_SVR), SVR_ON);
	guest_is(*reg_at(X_VERSION) & 0xff, 0x14);
	guest_is(*reg_at(X_LVT_ERROR), LVT_MASKED);
}

static void page_tpr(void)
{
	*reg_at(X_TPR) = 0x35;
	guest_is(*reg_at(X_TPR), 0x35);
	*reg_at(X_TPR) = 0;
}

static void page_self(void)
{
	*reg_at(X_ICR) = ICR_SELF | 0x41;
}

static void page_lvt(void)
{
	*reg_at(X_LVT_ERROR) = 0xfffff0e1;
	guest_is(*reg_at(X_LVT_ERROR), 0x100e1);
}

static void (*volatile one)(void);
static volatile bool page;

static void end(struct guest_frame *frame)
{
	if ((u8)frame->vector < 32)
		return;
	if (page)
		page_eoi();
	else
		guest_eoi();
}

static void many(void)
{
	guest_expect(0x41);
	guest_hook = end;
	sti();
	one();		/* the page may have to be mapped */
	guest_sync(1);
	for (u32 i = 0; i < MANY; i++)
		one();
	guest_sync(2);
}

enum exits { NEVER, ALWAYS, WITHOUT_APICV };

static const struct {
	const char *what;
	void (*one)(void);
	enum exits exits;
	bool page;
	bool taken;	/* an interrupt each time */
} cases[] = {
	{ "x2APIC EOI", x_eoi, WITHOUT_APICV, false, false },
	{ "x2APIC reads", x_read, WITHOUT_APICV, false, false },
	{ "x2APIC TPR", x_tpr, WITHOUT_APICV, false, false },
	{ "x2APIC self-IPI", x_self, WITHOUT_APICV, false, true },
	{ "x2APIC ICR", x_icr, ALWAYS, false, true },
	{ "x2APIC current count", x_count, ALWAYS, false, false },
	{ "MOV CR8", cr8, NEVER, false, false },
	{ "xAPIC EOI", page_eoi, NEVER, true, false },
	{ "xAPIC reads", page_read, NEVER, true, false },
	{ "xAPIC TPR", page_tpr, NEVER, true, false },
	{ "xAPIC ICR to self", page_self, NEVER, true, true },
	{ "xAPIC LVT", page_lvt, ALWAYS, true, false },
};

static struct vcpu *lapic_vcpu_of(bool xapic, void *fn)
{
	struct vcpu *vcpu = xapic ? lapic_vcpu_reset(lapic_vm(), 0, fn) : lapic_simple(fn);

	if (xapic)
		vcpu_set_msr(vcpu, X_SVR, SVR_ON);
	return vcpu;
}

static void test_case(u32 n)
{
	struct vcpu *vcpu = lapic_vcpu_of(cases[n].page, many);
	bool exits = cases[n].exits == ALWAYS || (cases[n].exits == WITHOUT_APICV && !apicv());
	u64 before, count;

	G(vcpu->vm, one) = cases[n].one;
	G(vcpu->vm, page) = cases[n].page;
	ok_sync(vcpu, 1, "%s", cases[n].what);
	before = vcpu->run->exits;
	ok_sync(vcpu, 2, "... %u times", MANY);
	count = vcpu->run->exits - before;
	/* The host's interrupts are a few exits, too. */
	if (exits)
		ok(count >= MANY, "... each exits: %lu", count);
	else
		ok(count < MANY / 4, "... without an exit each: %lu", count);
	if (cases[n].taken)
		is(G(vcpu->vm, guest_taken[0x41]), MANY + 1, "... each is taken");
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------------ what is held back */

static void held_by_tpr(void)
{
	guest_expect(0x41);
	guest_hook = guest_hook_eoi;
	__asm__ volatile("mov %0, %%cr8" : : "r"(5UL));
	sti();
	wrmsr(X_SELF_IPI, 0x41);
	guest_delay(1);
	guest_is(guest_taken[0x41], 0);
	__asm__ volatile("mov %0, %%cr8" : : "r"(4UL));
	guest_delay(1);
	guest_is(guest_taken[0x41], 0);
	__asm__ volatile("mov %0, %%cr8; nop" : : "r"(3UL));
	guest_is(guest_taken[0x41], 1);
}

/* For long enough that interrupts of the host come, which are none of the guest's. */
static void held_by_if(void)
{
	guest_expect(0x41);
	guest_expect(0x81);
	guest_hook = guest_log;
	wrmsr(X_SELF_IPI, 0x41);
	wrmsr(X_SELF_IPI, 0x81);
	guest_delay(50);
	guest_is(guest_orders, 0);
	sti();
	guest_is(guest_orders, 2);
	guest_is(guest_order[0], 0x81);
}

/* ---------------------------------------------------------- the register page */

/* { register, stored, loaded } */
static const volatile u32 stores[][3] = {
	{ X_ID, 0x12345678, 0 }, { X_LDR, 0x87654321, 0x87000000 },
	{ X_DFR, 0x0fffffff, 0x0fffffff }, { X_DFR, 0xf0000000, 0xffffffff },
	{ X_SVR, 0xfffff1ee, 0x1ee }, { X_ESR, 0x1234, 0 },
	{ X_ICR_HIGH, 0x12345678, 0x12000000 },
	{ X_ICR, 0xfff33000 | ICR_LOGICAL | 0x41, ICR_LOGICAL | 0x41 },
	{ X_LVT_TIMER, 0xffff20f0, 0x700f0 }, { X_LVT_THERMAL, 0xffff26f1, 0x106f1 },
	{ X_LVT_LINT0, 0x187f0, 0x187f0 & ~0x5000 }, { X_LVT_ERROR, 0xfffe00ef, 0xef },
	{ X_LVT_TIMER, 0x100f0, 0x100f0 }, { X_TDCR, 0xffffffff, 0xb },
	{ X_TICR, 0x12345678, 0x12345678 },
};

static volatile u32 row;

static void store_all(void)
{
	for (row = 0; row < ARRAY_SIZE(stores); row++) {
		*reg_at(stores[row][0]) = stores[row][1];
		guest_is(*reg_at(stores[row][0]), stores[row][2]);
	}
	/* Single bytes: the word counts as written. */
	*(volatile u8 *)(BASE_ADDRESS + 0x372) = 1;
	guest_is(*reg_at(X_LVT_ERROR), 0x100ef);
	guest_is(*(volatile u8 *)(BASE_ADDRESS + 0xf1), 1);
	guest_sync(1);
}

static void test_stores(void)
{
	struct vcpu *vcpu = lapic_vcpu_of(true, store_all);
	struct tinyvmx_lapic state;

	if (!ok_sync(vcpu, 1, "stores to the page lose reserved bits, loads see it"))
		diag("row %u", G(vcpu->vm, row));
	state = lapic_state(vcpu);
	is(state.regs[REGS(X_LDR)], 0x87000000, "GET_STATE agrees: LDR");
	is(state.regs[REGS(X_ICR_HIGH)], 0x12000000, "... high half of the ICR");
	is(vcpu_msr(vcpu, X_ICR), 0x12UL << 32 | ICR_LOGICAL | 0x41, "... both halves");
	is(vcpu_msr(vcpu, X_ICR_HIGH), 0x12000000, "... the high one by its number");
	is(state.regs[REGS(X_TICR)], 0x12345678, "... the timer's count");
	ok(state.timer_left > 0, "... which runs");
	vcpu_set_msr(vcpu, X_ICR_HIGH, 0x34000000);
	is(vcpu_msr(vcpu, X_ICR) >> 32, 0x34, "userspace can set it, too");
	vcpu_simple_destroy(vcpu);
}

static volatile u64 address;
static volatile u8 width;

static void load_one(void)
{
	guest_is(*reg_at(X_ID), 0);
	if (width == 8)
		guest_ok(*(volatile u64 *)address | 1);
	else
		guest_ok(*(volatile u32 *)address | 1);
}

static void store_one(void)
{
	guest_is(*reg_at(X_ID), 0);
	*(volatile u32 *)address = 0;
}

/* What has to be decoded, or is no register. */
static const struct {
	void *fn;
	u32 offset;
	u8 width;
	const char *what;
} odd[] = {
	{ load_one, 0x390, 4, "load of the current count" },
	{ load_one, 0x0a0, 4, "load of the PPR" },
	{ load_one, 0x020, 8, "load of 8 bytes" },
	{ load_one, 0x024, 4, "load beside a register" },
	{ load_one, 0xff0, 4, "load behind the registers" },
	{ store_one, 0x030, 4, "store to the version" },
	{ store_one, 0x3f0, 4, "store to the x2APIC's self-IPI" },
	{ store_one, 0x800, 4, "store behind the registers" },
};

static void test_odd(u32 n)
{
	struct vcpu *vcpu = lapic_vcpu_of(true, odd[n].fn);
	struct tinyvmx_exit_mmio *mmio = &vcpu->run->mmio;
	u32 flags = odd[n].fn == load_one ? TINYVMX_MMIO_READ : TINYVMX_MMIO_WRITE;

	G(vcpu->vm, address) = BASE_ADDRESS + odd[n].offset;
	G(vcpu->vm, width) = odd[n].width;
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "%s", odd[n].what);
	is(mmio->gpa, BASE_ADDRESS + odd[n].offset, "... where");
	is(mmio->flags, flags, "... what");
	is(mmio->gla, 0, "... no linear address");
	ok(vcpu->run->flags & TINYVMX_RUN_REGS, "... with registers");
	vcpu_simple_destroy(vcpu);
}

/* The stack in the page: an event's delivery has no instruction to decode. */
static void bad_stack(void)
{
	guest_is(*reg_at(X_ID), 0);
	__asm__ volatile("mov %0, %%rsp; int3" : : "r"(BASE_ADDRESS + 0x800));
}

static void test_delivery(void)
{
	struct vcpu *vcpu = lapic_vcpu_of(true, bad_stack);
	struct tinyvmx_events events;

	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "an event delivered onto the page");
	is(vcpu->run->mmio.flags, TINYVMX_MMIO_WALK, "... is not the instruction's access");
	events = vcpu_events(vcpu);
	is(events.pending & TINYVMX_PENDING_EVENT, TINYVMX_PENDING_EVENT, "... and is kept");
	is(events.event_info & 0xff, 3, "... #BP");
	vcpu_simple_destroy(vcpu);
}

/* ------------------------------------------------------- where the page is */

static void visits(void)
{
	guest_is(*reg_at(X_VERSION) & 0xff, 0x14);
	guest_sync(1);
	guest_is(*reg_at(X_VERSION), 0x55);	/* RAM there */
	*reg_at(X_VERSION) = 0xaa;
	guest_sync(2);
	guest_is(*reg_at(X_VERSION) & 0xff, 0x14);
	guest_sync(3);
	guest_ok(*reg_at(X_VERSION) | 1);	/* in x2APIC mode, or disabled */
}

static void test_slot(void)
{
	struct vcpu *vcpu = lapic_vcpu_of(true, visits);
	u32 *ram = map_anon(PAGE);

	ok_sync(vcpu, 1, "the page is virtualized");
	ram[12] = 0x55;
	must(set_memory(vcpu->vm->fd, 1, 0, BASE_ADDRESS, PAGE, ram));
	ok_sync(vcpu, 2, "a memory slot takes its place");
	is(ram[12], 0xaa, "... the guest has stored to it");
	must(set_memory(vcpu->vm->fd, 1, 0, BASE_ADDRESS, 0, NULL));
	ok_sync(vcpu, 3, "and gives it back");
	vcpu_simple_destroy(vcpu);
	munmap(ram, PAGE);
}

/* Beyond xAPIC mode the page is gone, for this vCPU and the others. */
static void test_hidden(u64 base, const char *mode)
{
	struct vcpu *vcpu = lapic_vcpu_of(true, visits), *other;
	struct vm *vm = vcpu->vm;

	ok_sync(vcpu, 1, "the page is virtualized");
	vcpu_set_msr(vcpu, APIC_BASE, base | BASE_BSP);
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "%s: an access to the page is MMIO", mode);
	is(vcpu->run->mmio.flags, TINYVMX_MMIO_READ | TINYVMX_MMIO_GLA_VALID,
	   "... with its linear address");
	other = lapic_vcpu_reset(vm, 1, visits);
	ok_exit(other, TINYVMX_EXIT_MMIO, "for another vCPU in xAPIC mode as well");
	vcpu_destroy(vcpu);
	ok_sync(other, 1, "until the first one is gone");
	vcpu_simple_destroy(other);
}

/* ------------------------------------------------------------- the others */

static void page_level(void)
{
	guest_expect(0x51);
	sti();
	guest_sync(1);
	guest_is(guest_taken[0x51], 1);
	page_eoi();
	guest_sync(2);
}

static void test_page_level(void)
{
	struct vcpu *vcpu = lapic_vcpu_of(true, page_level);

	ok_sync(vcpu, 1, "xAPIC mode");
	must(msi_raw(vcpu->vm->fd, MSI_BASE, MSI_LEVEL | 0x51));
	ok_exit(vcpu, TINYVMX_EXIT_EOI, "EOI of a level-triggered interrupt by the page");
	is(vcpu->run->eoi.vector, 0x51, "... the vector");
	ok_sync(vcpu, 2, "... the store is done");
	vcpu_simple_destroy(vcpu);
}

static void in_service(void)
{
	guest_expect(0x51);
	guest_expect(0x45);
	guest_expect(0x61);
	wrmsr(X_SELF_IPI, 0x51);
	sti();				/* 51H in service */
	wrmsr(X_SELF_IPI, 0x45);	/* requested, below it */
	guest_sync(1);
	guest_is(rdmsr(X_ISR + 2), 1U << 17);
	guest_is(rdmsr(X_IRR + 2), 1U << 5);
	guest_is(guest_taken[0x61], 1);	/* userspace has put it into the IRR */
	guest_is(rdmsr(X_PPR), 0x60);
	guest_eoi();
	guest_is(rdmsr(X_PPR), 0x50);
	guest_is(guest_taken[0x45], 0);
	guest_eoi();
	guest_is(guest_taken[0x45], 1);
}

static void test_in_service(void)
{
	struct vcpu *vcpu = lapic_simple(in_service);
	struct tinyvmx_lapic state;

	ok_sync(vcpu, 1, "one in service, one requested");
	state = lapic_state(vcpu);
	is(state.regs[REGS(X_ISR + 2)], 1U << 17, "GET_STATE: ISR");
	is(state.regs[REGS(X_IRR + 2)], 1U << 5, "... IRR");
	is(state.regs[REGS(X_PPR)], 0x50, "... PPR");
	state.regs[REGS(X_IRR + 3)] |= 1U << 1;
	must(try_set_lapic(vcpu, &state));
	ok_done(vcpu, "SET_STATE adds one above: taken at once, the others in their order");
	vcpu_simple_destroy(vcpu);
}

static void test(void *fn, const char *what)
{
	struct vcpu *vcpu = lapic_simple(fn);

	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

static void test_page(void)
{
	test_stores();
	for (u32 n = 0; n < ARRAY_SIZE(odd); n++)
		test_odd(n);
	test_delivery();
	test_slot();
	test_hidden(BASE_ADDRESS | BASE_ENABLE | BASE_X2APIC, "x2APIC mode");
	test_hidden(BASE_ADDRESS, "disabled");
	test_page_level();
}

int main(void)
{
	tap_init();
	diag("APIC virtualization is %s", apicv() ? "used" : "not used");
	for (u32 n = 0; n < ARRAY_SIZE(cases); n++)
		if (apicv() || !cases[n].page)
			test_case(n);
	test(held_by_tpr, "the TPR holds an interrupt back, and lets it go");
	test(held_by_if, "IF holds interrupts back while the host has its own");
	test_in_service();
	if (apicv())
		test_page();
	return tap_exit();
}
