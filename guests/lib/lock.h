/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ticket lock: who comes draws a number and waits until it is served. First come, first
 * served, so nobody starves; but a CPU of a VM that is not running holds up all behind it.
 */
#ifndef GUEST_LOCK_H
#define GUEST_LOCK_H

#include "x86.h"

struct lock {
	u32 next, serving;
};

/* Looks, with a PAUSE each, before somebody must have forgotten to release it. */
#define LOCK_PATIENCE	(1U << 26)

/* Provided by whoever uses locks: say so, and end. */
__noreturn void lock_stuck(const struct lock *lock);

static inline u32 lock_serving(const struct lock *lock)
{
	return __atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE);
}

/* One's number: the lock is one's own when lock_serving() says so. */
static inline u32 lock_draw(struct lock *lock)
{
	return __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
}

static inline void lock_acquire(struct lock *lock)
{
	u32 ticket = lock_draw(lock), looks;

	for (looks = 0; lock_serving(lock) != ticket; looks++) {
		if (looks == LOCK_PATIENCE)
			lock_stuck(lock);
		cpu_pause();
	}
}

/* Only if nobody has it, or waits for it. */
static inline bool lock_try(struct lock *lock)
{
	u32 ticket = lock_serving(lock);

	return __atomic_compare_exchange_n(&lock->next, &ticket, ticket + 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Only the owner writes it. */
static inline void lock_release(struct lock *lock)
{
	__atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}

#endif
