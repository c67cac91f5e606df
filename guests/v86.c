// SPDX-License-Identifier: GPL-2.0-only
/* v86: virtual-8086 mode: its segments, exits out of it, and its faults in ring 0. */
#include "lib/trap.h"

#define V86_BASE	0x9000UL
#define V86_NOTES	0x8f00UL
#define LEAVE_VECTOR	0x42
#define EFLAGS_VM	(1UL << 17)
#define FROM_PORT	0x77

/* Written by the code in v86-asm.S */
struct notes {
	u16 flags;
	u8 from_port, pad;
	u32 highest_leaf;
	u16 fs;
};

void v86_run(void);
void v86_leave(void);
extern const u8 v86_code[], v86_code_end[];

static u32 faults, breakpoints, undefined, outside;

static void note_origin(const struct trap_frame *frame)
{
	outside += !(frame->flags & EFLAGS_VM) || frame->cs;
}

/* IN: one byte long; ring 0 answers for the port. */
static bool on_fault(struct trap_frame *frame)
{
	note_origin(frame);
	faults++;
	frame->ax = (frame->ax & ~0xffUL) | FROM_PORT;
	frame->ip++;
	return true;
}

static bool on_breakpoint(struct trap_frame *frame)
{
	note_origin(frame);
	breakpoints++;
	return true;
}

static bool on_undefined(struct trap_frame *frame)
{
	note_origin(frame);
	undefined++;
	frame->ip += 2;
	return true;
}

static void check_once(void)
{
	const volatile struct notes *notes = (struct notes *)V86_NOTES;

	memset((void *)V86_NOTES, 0, sizeof(*notes));
	*(volatile u16 *)0x12348 = 0;
	v86_run();
	check_eq(*(volatile u16 *)0x12348, 0x5a5a);
	check_eq(notes->flags & 0x3002, 0x3002);
	check_eq(notes->highest_leaf, cpuid(0, 0).eax);
	check_eq(notes->from_port, FROM_PORT);
	check_eq(notes->fs, 0x1111);
}

GUEST("v86")
{
	int i;

	memcpy((void *)V86_BASE, v86_code, v86_code_end - v86_code);
	trap_hook(TRAP_GP, on_fault);
	trap_hook(TRAP_BP, on_breakpoint);
	trap_hook(TRAP_UD, on_undefined);
	trap_set_gate(LEAVE_VECTOR, v86_leave, KERNEL_CS, 3, 0);
	step("a hundred times into virtual-8086 mode, with CPUID and faults there");
	for (i = 0; i < 100; i++)
		check_once();
	check_eq(faults, 100);
	check_eq(breakpoints, 100);
	check_eq(undefined, 100);
	check_eq(outside, 0);
}
