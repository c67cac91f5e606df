// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests with the thread sanitizer, linked with --wrap=pthread_create.
 *
 * The libtsan of GCC 12 makes a thread's signal context at its first use and forgets a
 * signal that comes in the middle of that: a kick gets lost. So each thread uses it
 * before anybody can know of it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *arg),
			  void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *arg),
			  void *arg);

struct beginning {
	void *(*start)(void *arg);
	void *arg;
};

static void *begin(void *arg)
{
	struct beginning beginning = *(struct beginning *)arg;

	free(arg);
	pthread_kill(pthread_self(), 0);
	return beginning.start(beginning.arg);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *arg),
			  void *arg)
{
	struct beginning *beginning = malloc(sizeof(*beginning));

	if (!beginning)
		abort();
	*beginning = (struct beginning){ start, arg };
	return __real_pthread_create(thread, attr, begin, beginning);
}
