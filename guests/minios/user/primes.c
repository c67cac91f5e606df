// SPDX-License-Identifier: GPL-2.0-only
/* primes: computes without asking the kernel for anything; the timer takes it out. */
#include "user.h"

#define LIMIT	200000

static u8 composite[LIMIT];

int main(void)
{
	u64 start = sys_time();
	u32 i, j, count = 0;

	for (i = 2; i < LIMIT; i++) {
		if (composite[i])
			continue;
		count++;
		for (j = 2 * i; j < LIMIT; j += i)
			composite[j] = 1;
	}
	print("%u primes below %u, in %llu ms\n", count, LIMIT, (sys_time() - start) / 1000);
	return count != 17984;
}
