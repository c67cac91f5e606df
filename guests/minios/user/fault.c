// SPDX-License-Identifier: GPL-2.0-only
/* fault: writes into the kernel, and does not live to tell. */
#include "user.h"

int main(void)
{
	print("writing to the kernel's first byte\n");
	*(volatile u8 *)0x200000 = 0;
	print("still here?\n");
	return 1;
}
