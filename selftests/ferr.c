// SPDX-License-Identifier: GPL-2.0-only
/*
 * x87 errors with CR0.NE = 0 (TINYVMX_VM_FERR): they exit, an interrupt is waited for, and
 * with TINYVMX_REQ_IGNNE the guest goes on in spite of them until it has cleared them.
 */
#include "lib.h"

#define MF	16
#define MTF	37		/* exit reason */
#define IRQ13	0x75
#define NE	0x20UL
#define CONTROL	0x037bU		/* all errors masked but #Z */
#define ES	0x8080U
#define ZE	4U

static volatile u16 control = CONTROL, status, loaded;
static volatile float two = 2;

static void set_ne(bool on)
{
	u64 cr0 = READ_REG("cr0");

	WRITE_REG("cr0", on ? cr0 | NE : cr0 & ~NE);
}

/* 1 / 0: the error waits for the next x87 instruction. */
static void fail(void)
{
	__asm__ volatile("fninit; fldcw %0; fldz; fld1; fdiv %%st(1), %%st" : : "m"(control));
}

static void clear(void)
{
	__asm__ volatile("fnclex");
}

/* -------------------------------------------------------------- NE = 1 */

static void with_ne(void)
{
	for (u32 i = 0; i < 3; i++) {
		set_ne(true);
		fail();
		guest_is(GUEST_TRY("fwait", :), MF);
		guest_is(GUEST_TRY("fnstsw %0", : "=m"(status) : : "memory"), -1);
		guest_is(status & (ES | ZE), ES | ZE);
		clear();
		guest_is(GUEST_TRY("fwait", :), -1);
		set_ne(false);
	}
}

/* -------------------------------------------------------------- NE = 0 */

static volatile u64 waits_at;

static void waits(void)
{
	set_ne(false);
	guest_expect(IRQ13);
	fail();
	__asm__ volatile("sti\n\t"
			 "1: fwait\n\t"
			 "lea 1b(%%rip), %0\n\t"
			 "cli" : "=r"(waits_at));
	guest_is(guest_taken[IRQ13], 1);
	guest_is(guest_taken[MF], 0);
	guest_is(guest_trap.rip, waits_at);
	guest_sync(2);
	/* As Linux did until 1994. */
	fail();
	__asm__ volatile("sti; fld1; cli");
	guest_is(guest_taken[IRQ13], 2);
	/* A new error, after the last one has been ignored and cleared. */
	set_ne(true);
	fail();
	guest_is(GUEST_TRY("fwait", :), MF);
}

/* Handlers that wait for errors: IGNNE# is there for them. */
static void uses_fpu(struct guest_frame *frame)
{
	if (frame->vector != IRQ13)
		return;
	guest_sync(1);	/* port F0H: here the host asserts IGNNE# */
	__asm__ volatile("fwait; fnstcw %0; fnstsw %1" : "=m"(loaded), "=m"(status));
	guest_is(loaded, CONTROL);
	guest_is(status & (ES | ZE), ES | ZE);
	__asm__ volatile("fmuls %2; fstps %2; fnstcw %0; fnstsw %1"
			 : "=m"(loaded), "=m"(status), "+m"(two));
	guest_is(loaded, CONTROL);
	guest_is(status & (ES | ZE), ES | ZE);
	loaded = 0x037f;
	__asm__ volatile("fldcw %0; fwait; fnstcw %0; fnstsw %1" : "+m"(loaded), "=m"(status));
	guest_is(loaded, 0x037f);
	guest_is(status & (ES | ZE), ZE);	/* masked: no error waits */
	clear();
	/* No longer in force. */
	__asm__ volatile("fwait");
}

static struct vcpu *create(void *fn, u32 flags)
{
	return vcpu_create(vm_create_with(flags), 0, fn, 0);
}

static u64 steps(const struct vcpu *vcpu)
{
	struct tinyvmx_exits exits;

	must(get_state(vcpu->fd, TINYVMX_STATE_EXITS, &exits, sizeof(exits)));
	return exits.count[MTF];
}

static void test_with_ne(u32 flags)
{
	struct vcpu *vcpu = create(with_ne, flags);

	ok_done(vcpu, "%s TINYVMX_VM_FERR: CR0.NE = 1 gives #MF", flags ? "with" : "without");
	vcpu_simple_destroy(vcpu);
}

/* What a VMM without the flag has had so far. */
static void without_flag(void)
{
	set_ne(false);
	fail();
	guest_is(GUEST_TRY("fwait", :), MF);
}

static void test_without_flag(void)
{
	struct vcpu *vcpu = create(without_flag, 0);
	struct tinyvmx_events events;

	ok_done(vcpu, "without TINYVMX_VM_FERR CR0.NE = 0 gives #MF, too");
	vcpu->run->request = TINYVMX_REQ_IGNNE;
	err_is(vcpu_run(vcpu), EOPNOTSUPP, "TINYVMX_REQ_IGNNE without TINYVMX_VM_FERR");
	vcpu->run->request = 0;
	events = vcpu_events(vcpu);
	events.pending |= TINYVMX_PENDING_IGNNE;
	err_is(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)), EOPNOTSUPP,
	       "TINYVMX_PENDING_IGNNE without it");
	vcpu_simple_destroy(vcpu);
}

static void exits_and_waits(struct vcpu *vcpu, const char *what)
{
	ok_exit(vcpu, TINYVMX_EXIT_FERR, "%s: exits", what);
	is(vcpu->run->exit_reason, 0, "%s: by an exception", what);
	is(vcpu->run->intr_info & 0xff, MF, "%s: #MF", what);
	is(vcpu_events(vcpu).activity, TINYVMX_ACTIVITY_HLT, "%s: it waits for an interrupt",
	   what);
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "%s: and nothing else goes on", what);
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, IRQ13));
}

static void test_waits(void)
{
	struct vcpu *vcpu = create(waits, TINYVMX_VM_FERR);

	G(vcpu->vm, guest_hook) = uses_fpu;
	exits_and_waits(vcpu, "FWAIT behind STI");
	ok_sync(vcpu, 1, "the handler runs");
	vcpu->run->request = TINYVMX_REQ_IGNNE;
	ok_sync(vcpu, 2, "and uses the FPU");
	is(vcpu_events(vcpu).pending, 0, "IGNNE# is gone with the error");
	exits_and_waits(vcpu, "FLD1");
	ok_sync(vcpu, 1, "the handler runs again");
	vcpu->run->request = TINYVMX_REQ_IGNNE;
	ok_done(vcpu, "and ignores again; #MF with CR0.NE = 1 is not ignored");
	ok(steps(vcpu) < 200, "few steps (%llu)", (unsigned long long)steps(vcpu));
	vcpu_simple_destroy(vcpu);
}

/* Nothing to ignore: no step. */
static void test_nothing(void)
{
	struct vcpu *vcpu = create(with_ne, TINYVMX_VM_FERR);

	vcpu->run->request = TINYVMX_REQ_IGNNE;
	ok_done(vcpu, "TINYVMX_REQ_IGNNE without an error");
	is(vcpu->run->request, 0, "is done");
	is(steps(vcpu), 0, "and does nothing");
	vcpu_simple_destroy(vcpu);
}

/* -------------------------------------------------------------- moved */

static void ignores(void)
{
	set_ne(false);
	fail();
	guest_sync(1);
	for (u32 i = 0; i < 20; i++) {
		guest_sync(2);
		__asm__ volatile("fwait; fnstcw %0; fnstsw %1" : "=m"(loaded), "=m"(status));
		guest_is(loaded, CONTROL);
		guest_is(status & (ES | ZE), ES | ZE);
		/* No memory: userspace does it, with the guest's own control word. */
		__asm__ volatile("fsts (%0)" : : "a"((u64)GUEST_MMIO_GPA) : "memory");
	}
	clear();
}

/* The state has it all, also in the middle of an instruction. */
static void test_moved(void)
{
	struct vcpu *vcpu = create(ignores, TINYVMX_VM_FERR), *other;
	u64 len = offsetof(struct tinyvmx_xsave, image) + info()->xsave_bytes;
	struct tinyvmx_xsave *x = calloc(1, len);
	struct tinyvmx_events events;
	u32 good = 0;

	ok_sync(vcpu, 1, "an error waits");
	vcpu->run->request = TINYVMX_REQ_IGNNE;
	for (u32 i = 0; i < 20; i++) {
		struct tinyvmx_sregs s;

		if (!run_until_port(vcpu, GUEST_SYNC + 2) || !run_until(vcpu, TINYVMX_EXIT_MMIO))
			break;
		must(get_state(vcpu->fd, TINYVMX_STATE_XSAVE, x, len));
		events = vcpu_events(vcpu);
		good += *(u16 *)&x->image[0] == CONTROL &&
			(*(u16 *)&x->image[2] & ES) && events.pending == TINYVMX_PENDING_IGNNE;
		s = vcpu_sregs(vcpu);
		vcpu_get_regs(vcpu);
		vcpu->regs.rip += 2;
		other = vcpu_create(vcpu->vm, i % 2 + 1, ignores, 0);
		vcpu_set_sregs(other, &s);
		other->regs = vcpu->regs;
		vcpu_set_regs(other);
		must(set_state(other->fd, TINYVMX_STATE_XSAVE, x, len));
		must(set_state(other->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
		vcpu_destroy(vcpu);
		vcpu = other;
	}
	is(good, 20, "stores to a device with IGNNE#, from one vCPU to the next");
	ok_done(vcpu, "to the end");
	free(x);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	if (!(info()->capabilities & TINYVMX_CAP_FERR))
		skip_all("no TINYVMX_CAP_FERR");
	test_with_ne(0);
	test_with_ne(TINYVMX_VM_FERR);
	test_without_flag();
	test_waits();
	test_nothing();
	test_moved();
	return tap_exit();
}
