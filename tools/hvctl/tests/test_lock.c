// SPDX-License-Identifier: GPL-2.0-only
/* Locks that know their holder. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv_test.h"
#include "lib/lock.h"

static pthread_mutex_t lock;

static void *asks(void *arg)
{
	*(bool *)arg = hv_lock_is_held(&lock);
	return NULL;
}

static bool is_held_elsewhere(void)
{
	pthread_t thread;
	bool held = true;

	assert_int_equal(pthread_create(&thread, NULL, asks, &held), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return held;
}

static void test_holder(void **state)
{
	(void)state;
	hv_lock_init(&lock);
	assert_false(hv_lock_is_held(&lock));
	/* To ask is not to take it. */
	assert_int_equal(pthread_mutex_lock(&lock), 0);
	assert_true(hv_lock_is_held(&lock));
	assert_false(is_held_elsewhere());
	hv_lock_assert_held(&lock);
	assert_int_equal(pthread_mutex_unlock(&lock), 0);
	assert_false(hv_lock_is_held(&lock));
	pthread_mutex_destroy(&lock);
}

/* How a child ends that asserts it. */
static int end_of_asserting(bool held)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		freopen("/dev/null", "w", stderr);
		hv_lock_init(&lock);
		if (held)
			pthread_mutex_lock(&lock);
		hv_lock_assert_held(&lock);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_assertion_fires(void **state)
{
	(void)state;
	assert_true(HV_LOCKS_ARE_CHECKED);
	assert_int_equal(end_of_asserting(true), 0);
	assert_int_equal(end_of_asserting(false), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holder),
		cmocka_unit_test(test_assertion_fires),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
