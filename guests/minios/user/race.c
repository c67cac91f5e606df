// SPDX-License-Identifier: GPL-2.0-only
/* race: two tasks that never yield; only the timer can let both of them run. */
#include "user.h"

#define RACE_US	500000

/* Spins till @end, and counts how often it was away for long. */
static void spin(const char *name, u64 end)
{
	u64 rounds = 0, away = 0, last = sys_time(), now = last;

	while (now < end) {
		now = sys_time();
		away += now - last > 1000;
		last = now;
		rounds++;
	}
	print("%s: %llu rounds, %llu times away\n", name, rounds, away);
}

int main(void)
{
	u64 end = sys_time() + RACE_US;
	long status;

	if (!fork()) {
		spin("child ", end);
		exit(0);
	}
	spin("parent", end);
	sys_wait(&status);
	return 0;
}
