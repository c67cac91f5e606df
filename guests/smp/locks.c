// SPDX-License-Identifier: GPL-2.0-only
/*
 * locks: a ticket lock around a count; atomic instructions; and transfers between accounts that
 * have a lock each, taken two at a time, replayed afterwards by one CPU that needs no locks.
 */
#include "../lib/smp.h"

#define ADDITIONS	400	/* of each CPU */
#define ACCOUNTS	8
#define TRANSFERS	200	/* of each CPU */
#define LOG		((struct transfer *)(48 * MIB))	/* RAM beyond the image */
#define BALANCE		1000

/* Only the lock makes this exact: read, a moment, write. */
static struct lock count_lock;
static volatile u64 count, atomic_count;
static volatile u32 inside, intruders;

static void add_many(void *unused)
{
	u32 i;

	(void)unused;
	for (i = 0; i < ADDITIONS; i++) {
		u64 old;

		lock_acquire(&count_lock);
		intruders += inside++ != 0;
		old = count;
		cpu_pause();
		count = old + 1;
		inside--;
		lock_release(&count_lock);
		__atomic_fetch_add(&atomic_count, 1, __ATOMIC_RELAXED);
	}
}

static void check_count(void)
{
	step("a ticket lock: %u CPUs add %u each", nr_cpus, ADDITIONS);
	smp_run_all(add_many, NULL);
	check_eq(count, (u64)nr_cpus * ADDITIONS);
	check_eq(intruders, 0);
	check_eq(count_lock.next, nr_cpus * ADDITIONS);
	check_eq(count_lock.serving, count_lock.next);
	check_eq(atomic_count, count);
}

/* ----------------------------------------------------------- the accounts */

/* What one did, in the order in which all were done: the log grows under both locks. */
struct transfer {
	u8 from, to;
	u16 cpu;
	u32 amount;
	u64 from_before, to_before;
};

static struct lock locks[ACCOUNTS];
static u64 accounts[ACCOUNTS];
static struct transfer *const transfers = LOG;
static u32 log_used;
static volatile u32 retreats;

static u32 random(u64 *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

/* By the order of the accounts: whoever keeps to it waits in no circle. */
static void acquire_in_order(u32 a, u32 b)
{
	lock_acquire(&locks[a < b ? a : b]);
	lock_acquire(&locks[a < b ? b : a]);
}

/* In any order: whoever does not get the second gives the first back. */
static void acquire_or_retreat(u32 a, u32 b)
{
	for (;;) {
		lock_acquire(&locks[a]);
		if (lock_try(&locks[b]))
			return;
		lock_release(&locks[a]);
		__atomic_fetch_add(&retreats, 1, __ATOMIC_RELAXED);
		cpu_pause();
	}
}

static void transfer(u32 from, u32 to, u32 amount)
{
	struct transfer *entry = &transfers[__atomic_fetch_add(&log_used, 1, __ATOMIC_RELAXED)];

	*entry = (struct transfer){
		.from = from,
		.to = to,
		.cpu = this_cpu()->index,
		.amount = amount,
		.from_before = accounts[from],
		.to_before = accounts[to],
	};
	accounts[from] -= amount;
	cpu_pause();
	accounts[to] += amount;
}

static void transfer_many(void *unused)
{
	u64 seed = this_cpu()->index + 1;
	u32 i;

	(void)unused;
	for (i = 0; i < TRANSFERS; i++) {
		u32 from = random(&seed) % ACCOUNTS;
		u32 to = (from + 1 + random(&seed) % (ACCOUNTS - 1)) % ACCOUNTS;

		if (random(&seed) & 1)
			acquire_in_order(from, to);
		else
			acquire_or_retreat(from, to);
		transfer(from, to, random(&seed) % BALANCE);
		lock_release(&locks[from]);
		lock_release(&locks[to]);
	}
}

/* The model: one after the other as they stand in the log, each must have seen what it has. */
static u32 replay(u64 model[])
{
	u32 i, wrong = 0;

	for (i = 0; i < log_used; i++) {
		const struct transfer *entry = &transfers[i];

		wrong += entry->from_before != model[entry->from] ||
			 entry->to_before != model[entry->to];
		model[entry->from] -= entry->amount;
		model[entry->to] += entry->amount;
	}
	return wrong;
}

static void check_transfers(void)
{
	u64 model[ACCOUNTS], sum = 0;
	u32 i;

	step("%u CPUs take two of %u locks for %u transfers each; a model does them again",
	     nr_cpus, ACCOUNTS, TRANSFERS);
	for (i = 0; i < ACCOUNTS; i++) {
		accounts[i] = BALANCE;
		model[i] = BALANCE;
	}
	smp_run_all(transfer_many, NULL);
	check_eq(log_used, nr_cpus * TRANSFERS);
	check_eq(replay(model), 0);
	for (i = 0; i < ACCOUNTS; i++) {
		check_eq(accounts[i], model[i]);
		check_eq(locks[i].serving, locks[i].next);
		sum += accounts[i];
	}
	check_eq(sum, ACCOUNTS * BALANCE);
	print("  %u times a lock was given back for the other\n", retreats);
}

GUEST("locks")
{
	smp_init();
	smp_start_all();
	check_count();
	check_transfers();
}
