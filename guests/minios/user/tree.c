// SPDX-License-Identifier: GPL-2.0-only
/*
 * tree: trees of tasks, grown at random: each adds up what its children end with. A model, which
 * has no tasks, adds up the same. What a task has written into its memory before must be there
 * after its children have come, run elsewhere and gone: else a CPU went by an old translation.
 */
#include "user.h"

#define ROUNDS		24
#define DEPTH		3	/* up to 40 tasks, of which minios has not that many */
#define CHILDREN_MAX	3
#define TIME_US		2000
#define WORDS		512

static volatile u64 memory[WORDS] __aligned(4096);

/* The @i-th number of all that follow from @seed. */
static u64 number(u64 seed, u32 i)
{
	seed = (seed + i + 1) * 6364136223846793005ULL;
	seed = (seed ^ seed >> 29) * 1442695040888963407ULL;
	return seed ^ seed >> 32;
}

static u32 value(u64 seed)
{
	return number(seed, CHILDREN_MAX);
}

static u32 children(u64 seed, u32 depth)
{
	return depth ? number(seed, CHILDREN_MAX + 1) % (CHILDREN_MAX + 1) : 0;
}

static long model(u64 seed, u32 depth)
{
	long sum = value(seed);
	u32 i;

	for (i = 0; i < children(seed, depth); i++)
		sum += model(number(seed, i), depth - 1);
	return sum;
}

static void fill(u64 seed)
{
	u32 i;

	for (i = 0; i < WORDS; i++)
		memory[i] = seed + i;
}

static u32 wrong_words(u64 seed)
{
	u32 i, wrong = 0;

	for (i = 0; i < WORDS; i++)
		wrong += memory[i] != seed + i;
	return wrong;
}

/* Who computes meanwhile finds children that have ended on CPUs that have nothing else to do. */
static void pass_time(u64 seed)
{
	u64 how = number(seed, CHILDREN_MAX + 2), us = how / 3 % TIME_US;
	u64 end = sys_time() + us;

	if (how % 3 == 0)
		sys_yield();
	else if (how % 3 == 1)
		sys_sleep(us);
	else
		while (sys_time() < end)
			;
}

/* Where there is no room for a child, the model has to do. */
static long grow(u64 seed, u32 depth)
{
	long sum = value(seed), status;
	u32 i, wrong;

	fill(seed);
	for (i = 0; i < children(seed, depth); i++) {
		u64 own = number(seed, i);
		long child = fork();

		if (!child)
			exit(grow(own, depth - 1));
		if (child < 0)
			sum += model(own, depth - 1);
	}
	pass_time(seed);
	while (sys_wait(&status) >= 0)
		sum += status;
	wrong = wrong_words(seed);
	if (wrong)
		print("tree: task %ld: %u words of memory are not its own\n", sys_task_id(), wrong);
	return sum + wrong;
}

int main(void)
{
	u32 round, wrong = 0;

	for (round = 0; round < ROUNDS; round++) {
		long want = model(round, DEPTH), got = grow(round, DEPTH);

		if (got != want)
			print("tree %u: %ld, the model has %ld\n", round, got, want);
		wrong += got != want;
	}
	print("tree: %u of %u trees as the model has them\n", ROUNDS - wrong, ROUNDS);
	return wrong != 0;
}
