// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions and interrupts. */
#include "kernel.h"

#define TRAP_PF		14
#define EXCEPTIONS	32

static const char * const names[EXCEPTIONS] = {
	"divide error", "debug", "NMI", "breakpoint", "overflow", "bound range",
	"invalid opcode", "device not available", "double fault", "vector 9",
	"invalid TSS", "segment not present", "stack fault", "general protection",
	"page fault", "vector 15", "x87 error", "alignment check", "machine check",
	"SIMD error",
};

static bool from_program(const struct frame *frame)
{
	return (frame->cs & 3) == 3;
}

static void print_exception(const struct frame *frame)
{
	const char *name = names[frame->vector];

	print("%s, error code 0x%llx, at 0x%llx", name ? name : "exception",
	      frame->error, frame->ip);
	if (frame->vector == TRAP_PF)
		print(", address 0x%lx", read_cr2());
}

/* A program dies of it; in the kernel it is a bug. */
static void exception(const struct frame *frame)
{
	if (from_program(frame)) {
		print("[%ld %s: killed: ", task_id(), task_name());
		print_exception(frame);
		print("]\n");
		task_exit(STATUS_KILLED(frame->vector));
	}
	print("in the kernel: ");
	print_exception(frame);
	panic("sp 0x%llx, task %ld", frame->sp, task_id());
}

static void handle(struct frame *frame)
{
	switch (frame->vector) {
	case TIMER_VECTOR:
		apic_eoi();
		task_tick();
		break;
	case RESCHEDULE_VECTOR:
		apic_eoi();
		this_cpu()->info.wakes++;
		task_yield();
		break;
	case SPURIOUS_VECTOR:
		break;
	default:
		if (frame->vector >= EXCEPTIONS)
			panic("interrupt %llu from nowhere", frame->vector);
		exception(frame);
	}
}

/*
 * Interrupts are off in the kernel: the timer stops a program or the idle task. Whoever wants a
 * flush waits for it in the kernel, so that must go without entering it.
 */
void trap_handle(struct frame *frame)
{
	if (frame->vector == FLUSH_VECTOR) {
		smp_answer();
		apic_eoi();
		return;
	}
	if (frame->vector < EXCEPTIONS && !from_program(frame))
		exception(frame);
	kernel_enter();
	handle(frame);
	kernel_leave();
}
