// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions: injected ones arrive as given, the guest's own never exit. */
#include "lib.h"

static volatile u8 divisor;

static void waits(void)
{
	for (;;)
		guest_sync(0);
}

static bool has_error_code(u32 vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 ||
	       vector == 21;
}

static void test_injected(struct vcpu *vcpu, u32 vector)
{
	volatile struct guest_trap *trap = &G(vcpu->vm, guest_trap);
	u32 error = has_error_code(vector) ? 0xa5a0 + vector : 0;
	u64 rip, count = trap->count;

	vcpu_get_regs(vcpu);
	rip = vcpu->regs.rip;
	if (error)
		must(inject_error(vcpu->fd, vector, error));
	else
		must(inject(vcpu->fd, TINYVMX_INJECT_EXCEPTION, vector));
	if (!ok_sync(vcpu, 0, "exception %u: handled", vector))
		return;
	ok(trap->count == count + 1 && trap->vector == vector &&
	   trap->error == error && trap->rip == rip && trap->cs == SEL_CS64,
	   "exception %u: once, with error code %#x, at RIP", vector, error);
	is(vcpu_events(vcpu).pending, 0, "exception %u: done", vector);
}

static void test_all_injected(void)
{
	struct vcpu *vcpu = vcpu_simple(waits);
	/* Without 21: it exists only where the CPU has control-flow protection. */
	static const u8 vector[] = {
		0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18, 19,
	};

	G(vcpu->vm, guest_expected[0]) = ~0UL;
	ok_sync(vcpu, 0, "the guest waits");
	for (u32 i = 0; i < ARRAY_SIZE(vector); i++)
		test_injected(vcpu, vector[i]);
	vcpu_simple_destroy(vcpu);
}

/* The guest's own exceptions go through its IDT without an exit to us. */
static void own(void)
{
	u64 cr2 = 0x123456789000;

	guest_is(GUEST_TRY("ud2", :), 6);
	guest_is(GUEST_TRY("divb %0", : : "m"(divisor) : "rax"), 0);
	guest_is(GUEST_TRY("int3", :), 3);
	guest_is(GUEST_TRY("movq (%0), %%rax", : : "r"(cr2) : "rax"), 14);
	guest_is(guest_trap.cr2, cr2);
	guest_is(guest_trap.error, 0);
	guest_is(GUEST_TRY("movq %%rax, (%0)", : : "r"(cr2)), 14);
	guest_is(guest_trap.error, 2);
	guest_is(GUEST_TRY("movq (%0), %%rax", : : "r"(1UL << 63) : "rax"), 13);
	guest_is(guest_trap.error, 0);
	guest_is(GUEST_TRY("movw %0, %%ds", : : "r"((u16)0x7770)), 13);
	guest_is(guest_trap.error, 0x7770);
	guest_is(GUEST_TRY("int $0x21; nop", :), 0x21);
	guest_is(GUEST_TRY("push %0; popfq; nop", : : "r"(0x102UL)), 1);
	guest_is(guest_trap.rflags & 0x100, 0x100);
	__asm__ volatile("push $2; popfq");
	guest_is(READ_REG("dr6") & 0xf00f, 0x4000);
}

static void test_own(void)
{
	struct vcpu *vcpu = vcpu_simple(own);

	ok_done(vcpu, "the guest's own exceptions");
	is(vcpu->run->exits < 40, 1, "none of them made more exits than EPT");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_all_injected();
	test_own();
	return tap_exit();
}
