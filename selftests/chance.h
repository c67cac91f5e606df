/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers at random, the same in each run (Marsaglia's xorshift). */
#ifndef SELFTESTS_CHANCE_H
#define SELFTESTS_CHANCE_H

#include <stdlib.h>

#include "guest.h"

static u64 chance_seed = 88172645463325252ULL;

static inline u64 chance(void)
{
	chance_seed ^= chance_seed << 13;
	chance_seed ^= chance_seed >> 7;
	chance_seed ^= chance_seed << 17;
	return chance_seed;
}

/* Another row of them; @number: an argument of the program's. */
static inline void chance_begin(const char *number)
{
	chance_seed = chance_seed * strtoull(number, NULL, 0) + 1;
}

#endif
