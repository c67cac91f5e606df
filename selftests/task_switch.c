// SPDX-License-Identifier: GPL-2.0-only
/* Task switches exit with what userspace has to know, and the event that met a task gate is its. */
#include "lib.h"

#define CODE_GPA	0x8000
#define GDT_GPA		0x9000
#define IDT_GPA		0x9800
#define TSS_GPA		0xa000

#define SEL_OLD		0x18
#define SEL_NEW		0x20
#define SEL_GATE	0x28
#define VECTOR		0x21

#define NT		0x4000
#define IF		0x200
#define INFO(type, vector) (0x80000000U | (type) << 8 | (vector))
#define ERROR_CODE	0x800

/* In 32-bit code: what is to be executed, and how long it is. */
struct row {
	const char *what;
	const char *code;
	u32 len;		/* 0: no instruction causes the switch */
	u16 source;
	u32 event, error_code;
	u32 inject;		/* TINYVMX_INJECT_*, with @event's vector; 0: none, or EXTINT */
	bool extint;
};

#define INSN(name, bytes, by, ...) \
	{ .what = name, .code = bytes, .len = sizeof(bytes) - 1, \
	  .source = TINYVMX_TASK_SWITCH_##by, ##__VA_ARGS__ }
#define EVENT(name, bytes, ...) \
	{ .what = name, .code = bytes, .source = TINYVMX_TASK_SWITCH_GATE, __VA_ARGS__ }

static const struct row rows[] = {
	INSN("CALL", "\x9a\0\0\0\0\x20\0", CALL),
	INSN("CALL through a task gate", "\x9a\0\0\0\0\x28\0", CALL),
	INSN("JMP", "\xea\0\0\0\0\x20\0", JMP),
	INSN("IRET", "\xcf", IRET),
	INSN("INT n", "\xcd\x21", GATE, .event = INFO(4, VECTOR)),
	INSN("INT3", "\xcc", GATE, .event = INFO(6, 3)),
	INSN("INT1", "\xf1", GATE, .event = INFO(5, 1)),
	EVENT("#UD", "\x0f\x0b", .event = INFO(3, 6)),
	EVENT("#GP with an error code", "\x8e\xe0", .event = INFO(3, 13) | ERROR_CODE,
	      .error_code = 0x1238),
	EVENT("an injected #PF", "\x90", .event = INFO(3, 14) | ERROR_CODE, .error_code = 2,
	      .inject = TINYVMX_INJECT_EXCEPTION),
	EVENT("an NMI", "\x90", .event = INFO(2, 2), .inject = TINYVMX_INJECT_NMI),
	EVENT("an interrupt", "\x90", .event = INFO(0, VECTOR), .extint = true),
};

static u64 descriptor(u32 base, u32 limit, u64 access)
{
	return limit | (u64)base << 16 | access << 40;
}

static void build(u8 *ram, const struct row *row)
{
	u64 *gdt = (u64 *)(ram + GDT_GPA), *idt = (u64 *)(ram + IDT_GPA);
	bool iret = row->source == TINYVMX_TASK_SWITCH_IRET;

	/* Behind the instruction, should it be done: #BP, which is a switch, too, but another. */
	memset(ram + CODE_GPA, 0xcc, 16);
	memcpy(ram + CODE_GPA, row->code, row->len ? row->len : 2);
	memset(ram + TSS_GPA, 0, 256);
	*(u16 *)(ram + TSS_GPA) = SEL_NEW;
	gdt[1] = 0x00cf9b000000ffff;
	gdt[2] = 0x00cf93000000ffff;
	gdt[SEL_OLD / 8] = descriptor(TSS_GPA, 103, 0x8b);
	gdt[SEL_NEW / 8] = descriptor(TSS_GPA + 128, 103, iret ? 0x8b : 0x89);
	gdt[SEL_GATE / 8] = (u64)SEL_NEW << 16 | 0x8500ULL << 32;
	for (u32 i = 0; i < 64; i++)
		idt[i] = gdt[SEL_GATE / 8];
}

static struct tinyvmx_segment segment(u16 selector, u32 ar)
{
	return (struct tinyvmx_segment){ .selector = selector, .limit = 0xffffffff, .ar = ar };
}

static struct vcpu *create(const struct row *row)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);

	build(vcpu->vm->ram, row);
	for (u32 n = TINYVMX_ES; n <= TINYVMX_GS; n++)
		s.seg[n] = segment(0x10, 0xc093);
	s.seg[TINYVMX_CS] = segment(8, 0xc09b);
	s.seg[TINYVMX_TR] = (struct tinyvmx_segment){ .selector = SEL_OLD, .base = TSS_GPA,
						      .limit = 103, .ar = 0x8b };
	s.gdt_base = GDT_GPA;
	s.gdt_limit = 0x2f;
	s.idt_base = IDT_GPA;
	s.idt_limit = 0x1ff;
	s.cr0 &= ~0x80000000ULL;
	s.efer = 0;
	vcpu_set_sregs(vcpu, &s);
	vcpu_get_regs(vcpu);
	vcpu->regs.rip = CODE_GPA;
	vcpu->regs.gpr[TINYVMX_RAX] = row->error_code;
	vcpu->regs.rflags = 2 | (row->source == TINYVMX_TASK_SWITCH_IRET ? NT : 0) |
			    (row->extint ? IF : 0);
	vcpu_set_regs(vcpu);
	return vcpu;
}

static void raise_event(struct vcpu *vcpu, const struct row *row)
{
	u32 vector = row->event & 0xff;

	if (row->inject == TINYVMX_INJECT_EXCEPTION)
		must(inject_error(vcpu->fd, vector, row->error_code));
	else if (row->inject || row->extint)
		must(inject(vcpu->fd, row->inject, vector));
}

static void test(const struct row *row)
{
	struct vcpu *vcpu = create(row);
	struct tinyvmx_run *run = vcpu->run;
	struct tinyvmx_exit_task_switch *exit = &run->task_switch;
	struct tinyvmx_events events;

	raise_event(vcpu, row);
	memset(exit, 0xff, sizeof(*exit));
	ok_exit(vcpu, TINYVMX_EXIT_TASK_SWITCH, "%s: a task switch", row->what);
	is(exit->selector, SEL_NEW, "%s: to that task", row->what);
	is(exit->source, row->source, "%s: in that way", row->what);
	is(exit->event_info, row->event, "%s: the event", row->what);
	is(exit->event_error_code, row->error_code, "%s: its error code", row->what);
	is(exit->pad, 0, "%s: padding", row->what);
	is(run->instruction_len, row->len, "%s: the instruction's length", row->what);
	is(run->rip, CODE_GPA, "%s: RIP is on it", row->what);
	is(run->flags & TINYVMX_RUN_REGS, TINYVMX_RUN_REGS, "%s: with registers", row->what);
	is(run->regs.rip, CODE_GPA, "%s: RIP among them", row->what);
	events = vcpu_events(vcpu);
	is(events.pending, 0, "%s: nothing is left to be injected", row->what);
	if (exit->event_info == INFO(2, 2))
		is(events.interruptibility, TINYVMX_BLOCKING_BY_NMI, "others are blocked");
	vcpu_simple_destroy(vcpu);
}

/* Userspace that does nothing loses the event; what an instruction has raised comes again. */
static void test_nothing_done(void)
{
	static const struct row interrupt =
		EVENT("", "\xeb\xfe", .event = INFO(0, VECTOR), .extint = true);
	struct vcpu *vcpu = create(&rows[0]);

	for (int i = 0; i < 3; i++)
		ok_exit(vcpu, TINYVMX_EXIT_TASK_SWITCH, "a CALL that is not done, time %d", i);
	is(vcpu->run->rip, CODE_GPA, "RIP stays on it");
	vcpu_simple_destroy(vcpu);
	vcpu = create(&interrupt);
	raise_event(vcpu, &interrupt);
	ok_exit(vcpu, TINYVMX_EXIT_TASK_SWITCH, "an interrupt that is not taken");
	vcpu->run->immediate_exit = 1;
	is(vcpu_run(vcpu), -1, "RUN that does not enter");
	vcpu->run->immediate_exit = 0;
	is(vcpu_events(vcpu).pending, 0, "it is gone");
	vcpu_simple_destroy(vcpu);
}

/* The exception that userspace makes of a fault, and a shutdown, by EVENTS. */
static void test_faults(void)
{
	struct vcpu *vcpu = create(&rows[0]);
	struct tinyvmx_events events;

	ok_exit(vcpu, TINYVMX_EXIT_TASK_SWITCH, "a switch");
	events = vcpu_events(vcpu);
	events.pending = TINYVMX_PENDING_EVENT;
	events.event_info = INFO(3, 10) | ERROR_CODE;
	events.event_error_code = 0xfff8;
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
	ok_exit(vcpu, TINYVMX_EXIT_TASK_SWITCH, "... that is #TS, by a task gate again");
	is(vcpu->run->task_switch.event_info, INFO(3, 10) | ERROR_CODE, "#TS");
	is(vcpu->run->task_switch.event_error_code, 0xfff8, "... of the highest selector");
	is(vcpu->run->instruction_len, 0, "... and no instruction");
	events.pending = 0;
	events.activity = TINYVMX_ACTIVITY_SHUTDOWN;
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
	ok_exit(vcpu, TINYVMX_EXIT_SHUTDOWN, "... and a shutdown");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		test(&rows[i]);
	test_nothing_done();
	test_faults();
	return tap_exit();
}
