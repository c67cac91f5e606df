// SPDX-License-Identifier: GPL-2.0-only
/* spin: never leaves by itself, with interrupts off; the host must get out of it. */
#include "lib/guest.h"

GUEST("spin")
{
	print("spinning\n");
	asm volatile("cli; 1: jmp 1b");
}
