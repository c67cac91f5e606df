// SPDX-License-Identifier: GPL-2.0-only
/* count: sleeping, and the time. */
#include "user.h"

int main(void)
{
	int i;

	for (i = 0; i < 5; i++) {
		print("%d: %llu ms\n", i, sys_time() / 1000);
		sys_sleep(100000);
	}
	return 0;
}
