// SPDX-License-Identifier: GPL-2.0-only
/* An exit that cuts the delivery of an event short: it is delivered again. */
#include "lib.h"

#define HOLE_IDT GUEST_MMIO_GPA

extern char int_n_end[], int3_end[], int1_end[], ud2_start[];

/* Move the IDT to where no RAM is, then do what the test says. */
static void lidt_hole(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = { 0xfff, HOLE_IDT };

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

static void waits(void)
{
	lidt_hole();
	guest_sync(1);
	__asm__ volatile("nop");
}

static void int_n(void)
{
	lidt_hole();
	__asm__ volatile("int $0x80\n int_n_end:");
}

static void int3(void)
{
	lidt_hole();
	__asm__ volatile("int3\n int3_end:");
}

static void int1(void)
{
	lidt_hole();
	__asm__ volatile(".byte 0xf1\n int1_end:");
}

static void ud2(void)
{
	lidt_hole();
	__asm__ volatile("ud2_start: ud2");
}

static bool cut_short(struct vcpu *vcpu, u32 vector)
{
	if (!run_until(vcpu, TINYVMX_EXIT_MMIO))
		return false;
	if (vcpu->run->mmio.gpa == HOLE_IDT + 16 * vector)
		return true;
	diag("gpa %#llx", vcpu->run->mmio.gpa);
	return false;
}

/* The IDT appears where it was missed. */
static void mend(struct vcpu *vcpu)
{
	must(set_memory(vcpu->vm->fd, 1, 0, HOLE_IDT, PAGE,
			vcpu->vm->ram + GUEST_IDT_GPA));
}

/* @info without the vector: type, and whether there is an error code. */
static void check(struct vcpu *vcpu, u32 vector, u32 info, u32 len, u64 rip)
{
	volatile struct guest_trap *trap = &G(vcpu->vm, guest_trap);
	struct tinyvmx_events ev = vcpu_events(vcpu);

	is(ev.pending & TINYVMX_PENDING_EVENT, TINYVMX_PENDING_EVENT,
	   "the event is pending again");
	is(ev.event_info, 0x80000000 | info | vector, "... as what it was");
	if (len)
		is(ev.event_instruction_len, len, "... with its length");
	G(vcpu->vm, guest_expected[vector / 64]) |= 1UL << (vector % 64);
	mend(vcpu);
	ok(run_until(vcpu, TINYVMX_EXIT_IO), "RUN with memory there");
	is(trap->count, 1, "one event");
	is(trap->vector, vector, "... of this vector");
	is(trap->rip, rip, "... with this RIP on the stack");
	is(vcpu_events(vcpu).pending & TINYVMX_PENDING_EVENT, 0,
	   "nothing pending");
}

static void test_software(void *fn, u32 vector, u32 info, u32 len, void *end,
			  const char *what)
{
	struct vcpu *vcpu = vcpu_simple(fn);

	ok(cut_short(vcpu, vector), "%s without an IDT", what);
	check(vcpu, vector, info, len, (uintptr_t)end);
	is(vcpu->run->io.data, GUEST_DONE, "%s: the guest goes on", what);
	vcpu_simple_destroy(vcpu);
}

static void test_injected(u32 type, u32 vector, u32 info, const char *what)
{
	struct vcpu *vcpu = vcpu_simple(waits);
	u64 rip;

	ok_sync(vcpu, 1, "%s: ready", what);
	vcpu_get_regs(vcpu);
	rip = vcpu->regs.rip;
	if (type == TINYVMX_INJECT_EXTINT) {
		vcpu->regs.rflags |= 0x200;
		vcpu_set_regs(vcpu);
	}
	if (vector == 13)
		must(inject_error(vcpu->fd, vector, 0x18));
	else
		must(inject(vcpu->fd, type, vector));
	ok(cut_short(vcpu, vector), "%s without an IDT", what);
	check(vcpu, vector, info, 0, rip);
	if (vector == 13)
		is(G(vcpu->vm, guest_trap.error), 0x18, "error code");
	is(vcpu->run->io.data, GUEST_DONE, "%s: the guest goes on", what);
	vcpu_simple_destroy(vcpu);
}

/* A fault in front of its instruction comes again by itself if let go. */
static void test_let_go(void)
{
	struct vcpu *vcpu = vcpu_simple(ud2);
	struct tinyvmx_events none = { };

	ok(cut_short(vcpu, 6), "#UD without an IDT");
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &none, sizeof(none)));
	mend(vcpu);
	ok(run_until_port(vcpu, GUEST_TRAP), "userspace drops it: UD2 again");
	is(G(vcpu->vm, guest_trap.rip), (uintptr_t)ud2_start, "at the UD2");
	is(G(vcpu->vm, guest_trap.count), 1, "once");
	vcpu_simple_destroy(vcpu);
}

static void test_repeats(void)
{
	struct vcpu *vcpu = vcpu_simple(int_n);

	ok(cut_short(vcpu, 0x80), "INT 80H without an IDT");
	ok(cut_short(vcpu, 0x80), "RUN without memory: the same exit");
	ok(cut_short(vcpu, 0x80), "and again");
	check(vcpu, 0x80, 4 << 8, 2, (uintptr_t)int_n_end);
	vcpu_simple_destroy(vcpu);
}

/* The stack, not the IDT: an interrupt that switches to it through the TSS. */
static void ist(void)
{
	guest_sync(1);
	__asm__ volatile("nop");
}

static void test_ist_stack(void)
{
	struct vcpu *vcpu = vcpu_simple(ist);
	struct vm *vm = vcpu->vm;

	*(u64 *)(vm->ram + GUEST_TSS_GPA + 0x24) = GUEST_MMIO_GPA + 2 * PAGE;
	vm->ram[GUEST_IDT_GPA + 16 * 2 + 4] = 1;
	G(vm, guest_expected[0]) = 1 << 2;
	ok_sync(vcpu, 1, "ready");
	must(inject(vcpu->fd, TINYVMX_INJECT_NMI, 2));
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "an NMI whose stack is no RAM");
	is(vcpu->run->mmio.flags & TINYVMX_MMIO_WRITE, TINYVMX_MMIO_WRITE,
	   "a write");
	must(set_memory(vm->fd, 1, 0, GUEST_MMIO_GPA, 2 * PAGE,
			map_anon(2 * PAGE)));
	ok_done(vcpu, "RUN with memory there");
	is(G(vm, guest_taken[2]), 1, "the NMI was taken once");
	is(vcpu_events(vcpu).interruptibility, 0, "its IRET unblocked NMIs");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_software(int_n, 0x80, 4 << 8, 2, int_n_end, "INT n");
	test_software(int3, 3, 6 << 8, 1, int3_end, "INT3");
	test_software(int1, 1, 5 << 8, 1, int1_end, "INT1");
	test_injected(TINYVMX_INJECT_EXTINT, 0x55, 0, "EXTINT");
	test_injected(TINYVMX_INJECT_NMI, 2, 2 << 8, "NMI");
	test_injected(TINYVMX_INJECT_EXCEPTION, 13, 0xb << 8, "#GP");
	test_injected(TINYVMX_INJECT_EXCEPTION, 6, 3 << 8, "#UD");
	test_let_go();
	test_repeats();
	test_ist_stack();
	return tap_exit();
}
