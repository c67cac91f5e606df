// SPDX-License-Identifier: GPL-2.0-only
/* Guest side: what happens on an exception or interrupt in a guest. */
#include <stddef.h>

#include "guest.h"

volatile struct guest_trap guest_trap;
volatile struct guest_failure guest_failure;
volatile u64 guest_result;
volatile u64 guest_expected[4];
volatile u32 guest_taken[256];
void (*volatile guest_hook)(struct guest_frame *frame);

_Static_assert(offsetof(struct guest_trap, resume) == 64,
	       "GUEST_TRY() writes guest_trap.resume by its offset");

volatile u64 guest_alive;

void guest_spin(void)
{
	for (;;)
		guest_alive++;
}

void guest_trap_handler(struct guest_frame *frame)
{
	u8 vector = frame->vector;

	guest_trap.vector = vector;
	guest_trap.error = frame->error;
	guest_trap.rip = frame->rip;
	guest_trap.cs = frame->cs;
	guest_trap.rflags = frame->rflags;
	guest_trap.rsp = frame->rsp;
	guest_trap.cr2 = READ_REG("cr2");
	guest_trap.count++;
	guest_taken[vector]++;
	if (vector == 1)
		frame->rflags &= ~0x100UL;	/* one step only */
	if (guest_hook)
		guest_hook(frame);
	if (guest_expected[vector / 64] >> (vector % 64) & 1)
		return;
	if (!guest_trap.resume)
		outl(GUEST_PORT, GUEST_TRAP);
	frame->rip = guest_trap.resume;
}
