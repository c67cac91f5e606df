/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks that can be asked whether the caller holds them. With a sanitizer, that is in tests, the
 * assertion is made; elsewhere it costs nothing. docs/locking.md states each lock.
 */
#ifndef HV_LIB_LOCK_H
#define HV_LIB_LOCK_H

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HV_LOCKS_ARE_CHECKED true
#else
#define HV_LOCKS_ARE_CHECKED false
#endif

/* One that tells who has it already, or lets go of what he has not. */
static inline void hv_lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	if (HV_LOCKS_ARE_CHECKED)
		pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

/* To take it again is refused to its holder alone; who is not waits no longer than till 1970. */
static inline bool hv_lock_is_held(pthread_mutex_t *lock)
{
	int error = pthread_mutex_timedlock(lock, &(struct timespec){ 0 });

	if (!error)
		pthread_mutex_unlock(lock);
	return error == EDEADLK;
}

/* By this thread. @lock is one of hv_lock_init(). */
static inline void hv_lock_assert_held(pthread_mutex_t *lock)
{
	if (HV_LOCKS_ARE_CHECKED)
		assert(hv_lock_is_held(lock));
}

#endif
