// SPDX-License-Identifier: GPL-2.0-only
/* ferr-wait: an x87 error while CR0.NE is 0 and interrupts are disabled: the CPU waits for ever. */
#include "lib/guest.h"

GUEST("ferr-wait")
{
	static const u16 word = 0x037b;	/* all errors masked but division by zero */

	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS | CR0_NE)) | CR0_MP);
	print("1 / 0, and nobody to tell\n");
	asm volatile("cli; fninit; fldcw %0; fldz; fld1; fdiv %%st(1), %%st; fwait" : : "m"(word));
	print("FAIL ferr-wait: still here\n");
	guest_exit(VERDICT_FAIL);
}
