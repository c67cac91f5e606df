// SPDX-License-Identifier: GPL-2.0-only
/* triple: an exception, and an IDT that holds none: the CPU shuts down. */
#include "lib/trap.h"

GUEST("triple")
{
	print("no IDT, and UD2\n");
	trap_load_idt(0);
	asm volatile("ud2");
	print("FAIL triple: still here\n");
	guest_exit(VERDICT_FAIL);
}
