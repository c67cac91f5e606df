// SPDX-License-Identifier: GPL-2.0-only
/* The event loop: watches that come and go, what they want, timers, and other threads. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hv_test.h"
#include "lib/util.h"
#include "lib/loop.h"

#define MS 1000000ULL
#define SOON (20 * MS)
#define NEVER (20000 * MS)

static struct hv_loop loop;

/* One end of a pipe in the loop, the other in the test's hands. */
struct source {
	struct hv_watch watch;
	int in, out;
	unsigned int calls;
	short revents, wants;
	void (*then)(struct source *source);
};

static short wants(void *ctx)
{
	const struct source *source = ctx;

	return source->wants;
}

static void take(struct source *source)
{
	char byte;

	assert_int_equal(read(source->out, &byte, 1), 1);
}

static void ready(void *ctx, short revents)
{
	struct source *source = ctx;

	source->calls++;
	source->revents |= revents;
	if (source->then)
		source->then(source);
}

static void put(struct source *source)
{
	assert_int_equal(write(source->in, "x", 1), 1);
}

static void open_source(struct source *source, void (*then)(struct source *source))
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	*source = (struct source){ .out = fds[0], .in = fds[1], .then = then };
	source->watch = (struct hv_watch){ .fd = fds[0], .ready = ready, .ctx = source };
	hv_loop_add(&loop, &source->watch);
}

static void close_source(struct source *source)
{
	hv_loop_remove(&loop, &source->watch);
	hv_close(source->in);
	hv_close(source->out);
}

static void stop(void *dev)
{
	(void)dev;
	hv_loop_stop(&loop);
}

static void late(void *dev)
{
	*(bool *)dev = true;
	hv_loop_stop(&loop);
}

/* Until somebody stops it, or @ns are over. Returns whether it was stopped. */
static bool run_for(uint64_t ns)
{
	bool is_late = false;
	struct hv_timer timer = { .fn = late, .dev = &is_late };

	hv_timer_arm(&loop.clock, &timer, hv_monotonic_ns() + ns);
	assert_int_equal(hv_loop_run(&loop), 0);
	hv_timer_cancel(&loop.clock, &timer);
	atomic_store(&loop.stopped, false);
	return !is_late;
}

/* What this thread has computed. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int setup(void **state)
{
	struct hv_error err;

	(void)state;
	return hv_loop_init(&loop, &err);
}

static int teardown(void **state)
{
	(void)state;
	hv_loop_exit(&loop);
	return 0;
}

/* ----------------------------------------------------------------- watches */

static void take_and_stop(struct source *source)
{
	take(source);
	stop(NULL);
}

static void test_ready(void **state)
{
	struct source a, b;

	(void)state;
	open_source(&a, take_and_stop);
	open_source(&b, take_and_stop);
	put(&a);
	assert_true(run_for(NEVER));
	assert_int_equal(a.calls, 1);
	assert_int_equal(a.revents, POLLIN);
	assert_int_equal(b.calls, 0);
	close_source(&a);
	close_source(&b);
}

static struct source other;

static void remove_other(struct source *source)
{
	take_and_stop(source);
	hv_loop_remove(&loop, &other.watch);
	/* Nobody may look at it any more. */
	other.watch = (struct hv_watch){ .fd = -1 };
}

static void remove_itself(struct source *source)
{
	hv_loop_remove(&loop, &source->watch);
	source->watch.next = NULL;
	stop(NULL);
}

static void add_other(struct source *source)
{
	take(source);
	open_source(&other, take_and_stop);
	put(&other);
}

/* Both are ready; whichever is called first takes the other away. */
static void test_removed_in_a_callback(void **state)
{
	struct source a;

	(void)state;
	for (unsigned int before = 0; before < 2; before++) {
		if (before)
			open_source(&other, take_and_stop);
		open_source(&a, remove_other);
		if (!before)
			open_source(&other, take);
		put(&a);
		put(&other);
		assert_true(run_for(NEVER));
		assert_int_equal(a.calls, 1);
		/* The newest is asked first. */
		assert_int_equal(other.calls, !before);
		assert_int_equal(loop.count, 2);
		close_source(&a);
		close_source(&other);
	}
}

static void test_removes_itself(void **state)
{
	struct source a, b;

	(void)state;
	open_source(&b, take_and_stop);
	open_source(&a, remove_itself);
	put(&a);
	put(&b);
	assert_true(run_for(NEVER));
	assert_false(run_for(SOON));
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	close_source(&a);
	close_source(&b);
}

/* It goes, and another comes in its place, to be first in the next round. */
static void relieve(struct source *source)
{
	close_source(source);
	open_source(&other, take_and_stop);
	put(&other);
}

/* Who comes and goes in each round, as clients may, does not keep others from their turns. */
static void test_churn_starves_nobody(void **state)
{
	struct source a, patient;

	(void)state;
	open_source(&patient, take_and_stop);
	open_source(&a, relieve);
	put(&a);
	put(&patient);
	assert_true(run_for(NEVER));
	assert_int_equal(a.calls, 1);
	assert_int_equal(patient.calls, 1);
	assert_int_equal(other.calls, 0);
	close_source(&other);
	close_source(&patient);
}

static void test_added_in_a_callback(void **state)
{
	struct source a;

	(void)state;
	open_source(&a, add_other);
	put(&a);
	assert_true(run_for(NEVER));
	assert_int_equal(a.calls, 1);
	assert_int_equal(other.calls, 1);
	close_source(&a);
	close_source(&other);
}

/* Nothing happens to others. */
static void test_remove_what_is_not_there(void **state)
{
	struct source a;
	struct hv_watch stranger = { .fd = -1 };

	(void)state;
	open_source(&a, take_and_stop);
	hv_loop_remove(&loop, &stranger);
	assert_int_equal(loop.count, 2);
	put(&a);
	assert_true(run_for(NEVER));
	close_source(&a);
	hv_loop_remove(&loop, &a.watch);
	assert_int_equal(loop.count, 1);
}

static unsigned int many_left;

static void count_down(struct source *source)
{
	take(source);
	if (!--many_left)
		stop(NULL);
}

#define MANY 300

static void test_many(void **state)
{
	static struct source sources[MANY];
	struct rlimit limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	many_left = MANY;
	for (unsigned int i = 0; i < MANY; i++) {
		open_source(&sources[i], count_down);
		put(&sources[i]);
	}
	assert_true(run_for(NEVER));
	for (unsigned int i = 0; i < MANY; i++) {
		assert_int_equal(sources[i].calls, 1);
		close_source(&sources[i]);
	}
	assert_int_equal(loop.count, 1);
}

/* ------------------------------------------------------------------- wants */

static void want_again(void *dev)
{
	struct source *source = dev;

	source->wants = POLLIN;
	hv_loop_wake(&loop);
}

/* Asked each time around: what is ready waits until it is wanted. */
static void test_wants_nothing(void **state)
{
	struct source a;
	struct hv_timer timer = { .fn = want_again, .dev = &a };

	(void)state;
	open_source(&a, take_and_stop);
	a.watch.wants = wants;
	put(&a);
	assert_false(run_for(SOON));
	assert_int_equal(a.calls, 0);
	hv_timer_arm(&loop.clock, &timer, hv_monotonic_ns() + SOON);
	assert_true(run_for(NEVER));
	assert_int_equal(a.calls, 1);
	close_source(&a);
}

static void test_wants_to_write(void **state)
{
	struct source a;

	(void)state;
	open_source(&a, remove_itself);
	a.watch.fd = a.in;
	a.watch.wants = wants;
	a.wants = POLLOUT;
	assert_true(run_for(NEVER));
	assert_int_equal(a.revents, POLLOUT);
	close_source(&a);
}

static void close_writer(struct source *source)
{
	hv_close(source->in);
	source->in = -1;
}

/* poll() tells of a hangup unasked, again and again. */
static void test_hangup_wakes_nobody(void **state)
{
	struct source a;
	uint64_t before;

	(void)state;
	open_source(&a, NULL);
	a.watch.wants = wants;
	close_writer(&a);
	before = cpu_ns();
	assert_false(run_for(200 * MS));
	assert_in_range(cpu_ns() - before, 0, 100 * MS);
	assert_int_equal(a.calls, 0);
	close_source(&a);
}

static void test_hangup_is_told(void **state)
{
	struct source a;

	(void)state;
	open_source(&a, remove_itself);
	close_writer(&a);
	assert_true(run_for(NEVER));
	assert_true(a.revents & POLLHUP);
	close_source(&a);
}

/* A watch whose file is not open yet, or no more. */
static void test_no_descriptor(void **state)
{
	struct source a;

	(void)state;
	open_source(&a, take_and_stop);
	a.watch.fd = -1;
	put(&a);
	assert_false(run_for(SOON));
	assert_int_equal(a.calls, 0);
	a.watch.fd = a.out;
	assert_true(run_for(NEVER));
	assert_int_equal(a.calls, 1);
	close_source(&a);
}

/* ----------------------------------------------------------------- pollers */

/* Asks for the first @count of its pipes, and takes what came there. */
struct crowd {
	struct hv_poller poller;
	int in[MANY], out[MANY], place[MANY];
	unsigned int count, taken, answers;
	struct hv_timer timer;
};

static void crowd_asks(void *ctx, struct hv_pollset *set)
{
	struct crowd *crowd = ctx;

	for (unsigned int i = 0; i < crowd->count; i++)
		crowd->place[i] = hv_pollset_add(set, crowd->out[i], POLLIN);
	if (crowd->timer.fn && !crowd->timer.armed)
		hv_timer_arm(&loop.clock, &crowd->timer, hv_monotonic_ns() + MS);
}

static void crowd_answers(void *ctx, const struct hv_pollset *set)
{
	struct crowd *crowd = ctx;
	char byte;

	crowd->answers++;
	for (unsigned int i = 0; i < crowd->count; i++)
		if (hv_pollset_revents(set, crowd->place[i]) & POLLIN)
			crowd->taken += read(crowd->out[i], &byte, 1);
	if (crowd->taken == MANY)
		hv_loop_stop(&loop);
	/* The next time it asks for more. */
	if (crowd->count < MANY)
		crowd->count++;
}

static void open_crowd(struct crowd *crowd, unsigned int count)
{
	*crowd = (struct crowd){ .count = count };
	for (unsigned int i = 0; i < MANY; i++) {
		int fds[2];

		assert_int_equal(pipe(fds), 0);
		crowd->out[i] = fds[0];
		crowd->in[i] = fds[1];
	}
	crowd->poller = (struct hv_poller){ crowd_asks, crowd_answers, crowd, NULL };
	hv_loop_add_poller(&loop, &crowd->poller);
}

static void close_crowd(struct crowd *crowd)
{
	hv_loop_remove_poller(&loop, &crowd->poller);
	hv_timer_cancel(&loop.clock, &crowd->timer);
	for (unsigned int i = 0; i < MANY; i++) {
		close(crowd->in[i]);
		close(crowd->out[i]);
	}
}

/* It grows from one turn to the next, beside a watch that has its turns, too. */
static void test_poller_grows(void **state)
{
	static struct crowd crowd;
	struct source a;

	(void)state;
	open_source(&a, take);
	open_crowd(&crowd, 1);
	put(&a);
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(write(crowd.in[i], "x", 1), 1);
	assert_true(run_for(NEVER));
	assert_int_equal(crowd.taken, MANY);
	assert_int_equal(a.calls, 1);
	close_crowd(&crowd);
	close_source(&a);
	assert_null(loop.pollers);
}

static void tick(void *dev)
{
	(void)dev;
}

/* A timer that it arms when it is asked counts for the very poll() that follows. */
static void test_poller_arms_timers(void **state)
{
	static struct crowd crowd;

	(void)state;
	open_crowd(&crowd, 0);
	crowd.timer = (struct hv_timer){ .fn = tick };
	assert_false(run_for(100 * MS));
	assert_in_range(crowd.answers, 10, 110);
	close_crowd(&crowd);
}

static void test_poller_removed_that_is_not_there(void **state)
{
	struct hv_poller stranger = { .ctx = NULL };

	(void)state;
	hv_loop_remove_poller(&loop, &stranger);
	assert_null(loop.pollers);
}

/* ------------------------------------------------------------------ timers */

static uint64_t fired[3];
static unsigned int fires;

static void fire(void *dev)
{
	*(uint64_t *)dev = hv_monotonic_ns();
	if (++fires == 3)
		hv_loop_stop(&loop);
}

/* In order, none early. */
static void test_timers(void **state)
{
	static const unsigned int ms[] = { 30, 0, 15 };
	struct hv_timer timers[3];
	uint64_t start = hv_monotonic_ns();

	(void)state;
	fires = 0;
	for (unsigned int i = 0; i < 3; i++) {
		timers[i] = (struct hv_timer){ .fn = fire, .dev = &fired[i] };
		hv_timer_arm(&loop.clock, &timers[i], start + ms[i] * MS);
	}
	assert_true(run_for(NEVER));
	for (unsigned int i = 0; i < 3; i++)
		assert_true(fired[i] >= start + ms[i] * MS);
	assert_true(fired[1] <= fired[2] && fired[2] <= fired[0]);
	/* Not with the next round, a second later. */
	assert_true(fired[0] < start + 800 * MS);
}

static atomic_uint asked;

static short count_question(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&asked, 1);
	return 0;
}

/* poll() counts milliseconds: the rest of one is slept, not spun. */
static void test_timers_do_not_spin(void **state)
{
	struct source a;

	(void)state;
	open_source(&a, NULL);
	a.watch.wants = count_question;
	atomic_store(&asked, 0);
	for (unsigned int i = 0; i < 20; i++)
		assert_false(run_for(5 * MS + MS / 2));
	assert_in_range(atomic_load(&asked), 20, 60);
	close_source(&a);
}

/* A busy watch keeps no timer from firing. */
static void test_timer_beside_a_busy_watch(void **state)
{
	struct source a;

	(void)state;
	open_source(&a, NULL);
	put(&a);
	assert_false(run_for(SOON));
	assert_true(a.calls > 1);
	close_source(&a);
}

/* ----------------------------------------------------------- other threads */

static void test_stop_before_run(void **state)
{
	struct source a;

	(void)state;
	open_source(&a, take);
	put(&a);
	hv_loop_stop(&loop);
	assert_int_equal(hv_loop_run(&loop), 0);
	assert_int_equal(a.calls, 0);
	close_source(&a);
}

#define WAKES 200
#define WAKERS 3

static atomic_uint lost, wakers_left;

/* After each the loop must ask again. */
static void *wakes(void *ctx)
{
	(void)ctx;
	for (unsigned int i = 0; i < WAKES && !atomic_load(&lost); i++) {
		unsigned int before = atomic_load(&asked), ms = 0;

		hv_loop_wake(&loop);
		for (; ms < 5000 && atomic_load(&asked) == before; ms++)
			test_sleep_ms(1);
		atomic_fetch_add(&lost, ms == 5000);
	}
	if (atomic_fetch_sub(&wakers_left, 1) == 1)
		hv_loop_stop(&loop);
	return NULL;
}

/* There is no timer: nothing else wakes it. */
static void test_wake_from_threads(void **state)
{
	pthread_t wakers[WAKERS];
	struct source a;

	(void)state;
	atomic_store(&wakers_left, WAKERS);
	open_source(&a, NULL);
	a.watch.wants = count_question;
	for (unsigned int i = 0; i < WAKERS; i++)
		assert_int_equal(pthread_create(&wakers[i], NULL, wakes, NULL), 0);
	assert_int_equal(hv_loop_run(&loop), 0);
	for (unsigned int i = 0; i < WAKERS; i++)
		pthread_join(wakers[i], NULL);
	assert_int_equal(atomic_load(&lost), 0);
	close_source(&a);
}

/* ------------------------------------------------------------------ errors */

static void test_no_descriptors_left(void **state)
{
	struct rlimit limit, none;
	struct hv_error err = { .text = "" };
	struct hv_loop second;
	int error;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	error = hv_loop_init(&second, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(error, -EMFILE);
	assert_non_null(strstr(err.text, "ulimit -n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ready),
		TEST(test_removed_in_a_callback),
		TEST(test_removes_itself),
		TEST(test_churn_starves_nobody),
		TEST(test_added_in_a_callback),
		TEST(test_remove_what_is_not_there),
		TEST(test_many),
		TEST(test_wants_nothing),
		TEST(test_wants_to_write),
		TEST(test_hangup_wakes_nobody),
		TEST(test_hangup_is_told),
		TEST(test_no_descriptor),
		TEST(test_poller_grows),
		TEST(test_poller_arms_timers),
		TEST(test_poller_removed_that_is_not_there),
		TEST(test_timers),
		TEST(test_timers_do_not_spin),
		TEST(test_timer_beside_a_busy_watch),
		TEST(test_stop_before_run),
		TEST(test_wake_from_threads),
		cmocka_unit_test(test_no_descriptors_left),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
