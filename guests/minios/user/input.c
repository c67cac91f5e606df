// SPDX-License-Identifier: GPL-2.0-only
/* input: counts what is typed, up to Ctrl-D: a paste must arrive whole and in order. */
#include "user.h"

int main(void)
{
	u64 bytes = 0, sum = 0;
	long c;

	while ((c = sys_read()) != END_OF_INPUT) {
		sum = sum * 31 + c;
		bytes++;
	}
	print("input: %llu bytes, sum 0x%llx\n", bytes, sum);
	return 0;
}
