// SPDX-License-Identifier: GPL-2.0-only
/*
 * Breakpoints of accesses that leave the guest: the module looks for those of IN and OUT itself,
 * and tells userspace of string I/O and MMIO where it has to. And what an event's delivery
 * meets is not the instruction's access.
 */
#include "lib.h"

#define MMIO		((volatile u8 *)GUEST_MMIO_GPA)
#define CR4_DE		(1UL << 3)
#define PENDING(n)	(1UL << (n) | 1UL << 12)	/* Bn, and that it is enabled */

enum { EXECUTE, WRITE, IO, ACCESS };

/* DR7 with breakpoint @n enabled for the task, or for all tasks; @len is the field. */
#define DR7(n, global, type, len) \
	(0x400UL | 1UL << (2 * (n) + (global)) | ((type) | (len) << 2) << (16 + 4 * (n)))

static u8 byte;

static void leaves(void)
{
	for (;;) {
		__asm__ volatile("outl %%eax, %%dx" : : "a"(1), "d"(0x100));
		__asm__ volatile("inb %%dx, %%al" : : "d"(0x103) : "rax");
		__asm__ volatile("outsb" : : "S"(&byte), "d"(0x100) : "memory");
		__asm__ volatile("movb %%al, (%0)" : : "r"(MMIO) : "memory");
	}
}

static void set_breakpoint(struct vcpu *vcpu, unsigned int n, u64 address, u64 dr7)
{
	struct tinyvmx_debug debug = { .dr6 = 0xffff0ff0, .dr7 = dr7 };

	debug.dr[n] = address;
	must(set_state(vcpu->fd, TINYVMX_STATE_DEBUG, &debug, sizeof(debug)));
}

/* From the start of leaves(). */
static struct vcpu *start(u64 cr4, unsigned int n, u64 address, u64 dr7)
{
	struct vcpu *vcpu = vcpu_simple(leaves);
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);

	s.cr4 |= cr4;
	vcpu_set_sregs(vcpu, &s);
	set_breakpoint(vcpu, n, address, dr7);
	return vcpu;
}

/* Of the next exit, an IN or OUT. */
static u64 pending_at_port(struct vcpu *vcpu, u16 port)
{
	if (!run_until(vcpu, TINYVMX_EXIT_IO) || vcpu->run->io.port != port)
		return ~0UL;
	return vcpu_events(vcpu).pending_dbg;
}

static const struct {
	const char *what;
	u64 cr4;
	unsigned int n;
	u64 address, dr7;
	u64 at_out, at_in;
} ports[] = {
	{ "one byte of OUT's", CR4_DE, 0, 0x102, DR7(0, 0, IO, 0), PENDING(0), 0 },
	{ "both, global", CR4_DE, 3, 0x103, DR7(3, 1, IO, 0), PENDING(3), PENDING(3) },
	{ "two ports beside both", CR4_DE, 1, 0x104, DR7(1, 0, IO, 1), 0, 0 },
	{ "four ports, not aligned", CR4_DE, 1, 0x102, DR7(1, 0, IO, 3), PENDING(1), PENDING(1) },
	{ "no CR4.DE", 0, 0, 0x103, DR7(0, 0, IO, 0), 0, 0 },
	{ "not enabled", CR4_DE, 0, 0x103, 0x400UL | IO << 16, 0, 0 },
	{ "another one enabled", CR4_DE, 0, 0x103, DR7(1, 0, IO, 0) | IO << 16, 0, 0 },
	{ "memory, not ports", CR4_DE, 0, 0x103, DR7(0, 0, ACCESS, 0), 0, 0 },
	{ "writes, not ports", CR4_DE, 0, 0x103, DR7(0, 0, WRITE, 0), 0, 0 },
	{ "below", CR4_DE, 2, 0xff, DR7(2, 0, IO, 0), 0, 0 },
	{ "64 bits of address", CR4_DE, 2, 0x100000103, DR7(2, 0, IO, 0), 0, 0 },
};

static void test_ports(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		struct vcpu *vcpu = start(ports[i].cr4, ports[i].n, ports[i].address, ports[i].dr7);
		struct tinyvmx_events events;

		is(pending_at_port(vcpu, 0x100), ports[i].at_out, "%s: pending at OUT",
		   ports[i].what);
		is(vcpu->run->io.flags, 0, "... nothing that userspace should look for");
		/* It would be taken; this is about the next. */
		events = vcpu_events(vcpu);
		events.pending_dbg = 0;
		must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
		is(pending_at_port(vcpu, 0x103), ports[i].at_in, "... and at IN");
		vcpu_simple_destroy(vcpu);
	}
}

static volatile u64 dr6;

static void on_debug(struct guest_frame *frame)
{
	if (frame->vector == 1)
		dr6 = READ_REG("dr6");
}

static void is_trapped(void)
{
	guest_hook = on_debug;
	guest_expected[0] = 1 << 1;
	WRITE_REG("cr4", READ_REG("cr4") | CR4_DE);
	WRITE_REG("dr0", 0x103);
	WRITE_REG("dr7", DR7(0, 1, IO, 0));
	__asm__ volatile("outb %%al, %%dx" : : "a"(1), "d"(0x102));
	guest_is(guest_taken[1], 0);
	__asm__ volatile("outb %%al, %%dx" : : "a"(1), "d"(0x103));
	guest_is(guest_taken[1], 1);
	guest_is(dr6 & 15, 1);
}

static void test_trap(void)
{
	struct vcpu *vcpu = vcpu_simple(is_trapped);

	ok(pending_at_port(vcpu, 0x102) == 0, "OUT beside the breakpoint");
	ok(pending_at_port(vcpu, 0x103) == PENDING(0), "OUT at the breakpoint");
	ok_done(vcpu, "the guest has taken one #DB, behind it");
	vcpu_simple_destroy(vcpu);
}

/* Move @vcpu behind the string or MMIO instruction that it is at. */
static void go_behind(struct vcpu *vcpu)
{
	vcpu->run->regs.rip += vcpu->run->instruction_len;
	vcpu->run->request = TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE;
}

/* What the string and the MMIO exit of leaves() say of breakpoints. */
static void flags_are(u64 dr7, u32 io, u32 mmio, const char *what)
{
	struct vcpu *vcpu = start(0, 0, 0x10000, dr7);

	is(pending_at_port(vcpu, 0x100), 0, "%s: OUT", what);
	is(pending_at_port(vcpu, 0x103), 0, "%s: IN", what);
	ok_exit(vcpu, TINYVMX_EXIT_IO, "%s: OUTS", what);
	is(vcpu->run->io.flags, TINYVMX_IO_STRING | io, "... its flags");
	is(vcpu_events(vcpu).pending_dbg, 0, "... nothing is looked for by the module");
	go_behind(vcpu);
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "%s: MMIO", what);
	is(vcpu->run->mmio.flags, TINYVMX_MMIO_WRITE | TINYVMX_MMIO_GLA_VALID | mmio,
	   "... its flags");
	vcpu_simple_destroy(vcpu);
}

static void test_flags(void)
{
	const u32 io = TINYVMX_IO_BREAKPOINTS, mmio = TINYVMX_MMIO_BREAKPOINTS;

	flags_are(0x400, 0, 0, "no breakpoint");
	flags_are(0x400 | ACCESS << 16, 0, 0, "one that is not enabled");
	flags_are(DR7(0, 0, ACCESS, 0), io, mmio, "a local one");
	flags_are(DR7(3, 1, ACCESS, 0), io, mmio, "a global one");
}

/* A userspace that has found one makes it pending. */
static void test_made_pending(void)
{
	struct vcpu *vcpu = start(0, 2, GUEST_MMIO_GPA, DR7(2, 0, ACCESS, 0));
	struct tinyvmx_events events;

	ok(pending_at_port(vcpu, 0x100) == 0 && pending_at_port(vcpu, 0x103) == 0,
	   "the guest starts");
	ok_exit(vcpu, TINYVMX_EXIT_IO, "OUTS");
	events = vcpu_events(vcpu);
	events.pending_dbg = PENDING(2);
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
	go_behind(vcpu);
	ok(run_until_port(vcpu, GUEST_TRAP), "the guest takes it, behind the OUTS");
	is(G(vcpu->vm, guest_trap).vector, 1, "... as #DB");
	vcpu_simple_destroy(vcpu);
}

static void pushes_nowhere(void)
{
	__asm__ volatile("mov %0, %%rsp; int3" : : "r"(MMIO + 0x2000));
}

static void writes_there(void)
{
	MMIO[0x1ff0] = 1;
}

static void test_delivery(void)
{
	struct vcpu *vcpu = vcpu_simple(pushes_nowhere);
	struct tinyvmx_exit_mmio *exit = &vcpu->run->mmio;

	/* On the stack that RSP says, not on one of the TSS. */
	memset(vcpu->vm->ram + GUEST_IDT_GPA + 3 * 16 + 4, 0, 1);
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "INT3 with a stack where nothing is");
	is(exit->flags & (TINYVMX_MMIO_WALK | TINYVMX_MMIO_WRITE),
	   TINYVMX_MMIO_WALK | TINYVMX_MMIO_WRITE, "... is not the instruction's access");
	is(exit->gpa & ~0xfffUL, GUEST_MMIO_GPA + 0x1000, "... but that of the stack");
	vcpu_simple_destroy(vcpu);
	vcpu = vcpu_simple(writes_there);
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "a store to the same place");
	is(vcpu->run->mmio.flags & TINYVMX_MMIO_WALK, 0, "... is");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_ports();
	test_trap();
	test_flags();
	test_made_pending();
	test_delivery();
	return tap_exit();
}
