// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions and interrupts of a real-mode guest: no error codes, no gates. */
#include "trap.h"
#include "trap16.h"

extern char trap16_stubs[];
void trap16_dispatch(struct trap16_frame *frame);

static trap16_hook_t hooks[256];

/* The vector table lies at 0, where C sees a null pointer: write it in assembly. */
static void set_vector(u8 vector, u16 offset)
{
	asm volatile("movl %0, (%1)" : : "r"((u32)offset), "r"(vector * 4UL) : "memory");
}

void trap16_init(void)
{
	int i;

	for (i = 0; i < 256; i++)
		set_vector(i, (ulong)trap16_stubs + 8 * i);
}

void trap16_hook(u8 vector, trap16_hook_t hook)
{
	hooks[vector] = hook;
}

void trap16_dispatch(struct trap16_frame *frame)
{
	ulong ip = frame->ip;

	if (hooks[frame->vector & 0xff]) {
		hooks[frame->vector & 0xff](frame);
		return;
	}
	if (!trap_record(frame->vector, &ip)) {
		print("unexpected interrupt %u at 0x%x:0x%x\nFAIL %s\n", frame->vector,
		      frame->cs, frame->ip, guest_name);
		guest_exit(VERDICT_CRASH);
	}
	last_trap.cs = frame->cs;
	last_trap.flags = frame->flags;
	frame->ip = ip;
	frame->flags &= ~EFLAGS_TF;
}
