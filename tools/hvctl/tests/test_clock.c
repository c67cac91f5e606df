// SPDX-License-Identifier: GPL-2.0-only
/* Timers: order, moving, cancelling, re-arming themselves. */
#include "dev/bus.h"
#include "hv_test.h"

static uint64_t now;
static unsigned int rearms;
static char order[16];

static uint64_t test_now(struct hv_clock *clock)
{
	(void)clock;
	return now;
}

static void test_rearm(struct hv_clock *clock)
{
	(void)clock;
	rearms++;
}

static void fire(void *dev)
{
	strcat(order, dev);
}

static struct hv_clock new_clock(void)
{
	now = rearms = 0;
	order[0] = 0;
	return (struct hv_clock){ .now_ns = test_now, .rearm = test_rearm };
}

static void test_fires_in_order_of_deadlines(void **state)
{
	struct hv_clock clock = new_clock();
	struct hv_timer a = { .fn = fire, .dev = "a" }, b = { .fn = fire, .dev = "b" },
			c = { .fn = fire, .dev = "c" };

	(void)state;
	assert_true(hv_clock_next(&clock) == UINT64_MAX);
	hv_timer_arm(&clock, &a, 30);
	hv_timer_arm(&clock, &b, 10);
	hv_timer_arm(&clock, &c, 20);
	assert_int_equal(hv_clock_next(&clock), 10);
	now = 20;
	hv_clock_run(&clock);
	assert_string_equal(order, "bc");
	assert_false(b.armed);
	assert_true(a.armed);
	now = 1000;
	hv_clock_run(&clock);
	assert_string_equal(order, "bca");
	assert_true(hv_clock_next(&clock) == UINT64_MAX);
}

static void test_arming_moves(void **state)
{
	struct hv_clock clock = new_clock();
	struct hv_timer a = { .fn = fire, .dev = "a" }, b = { .fn = fire, .dev = "b" };

	(void)state;
	hv_timer_arm(&clock, &a, 10);
	hv_timer_arm(&clock, &b, 20);
	hv_timer_arm(&clock, &a, 30);
	now = 25;
	hv_clock_run(&clock);
	assert_string_equal(order, "b");
	hv_timer_cancel(&clock, &a);
	hv_timer_cancel(&clock, &a);
	now = 100;
	hv_clock_run(&clock);
	assert_string_equal(order, "b");
}

static void test_tells_when_the_next_deadline_moves(void **state)
{
	struct hv_clock clock = new_clock();
	struct hv_timer a = { .fn = fire, .dev = "a" }, b = { .fn = fire, .dev = "b" };

	(void)state;
	hv_timer_arm(&clock, &a, 10);
	assert_int_equal(rearms, 1);
	hv_timer_arm(&clock, &b, 20);
	assert_int_equal(rearms, 1);
	hv_timer_cancel(&clock, &b);
	assert_int_equal(rearms, 1);
	hv_timer_cancel(&clock, &a);
	assert_int_equal(rearms, 2);
}

static struct hv_clock *periodic_clock;
static struct hv_timer periodic;
static unsigned int ticks;
static uint64_t period;

static void tick(void *dev)
{
	(void)dev;
	ticks++;
	hv_timer_arm(periodic_clock, &periodic, periodic.deadline_ns + period);
}

static void test_periodic_catches_up(void **state)
{
	struct hv_clock clock = new_clock();

	(void)state;
	periodic_clock = &clock;
	periodic = (struct hv_timer){ .fn = tick };
	ticks = 0;
	period = 10;
	hv_timer_arm(&clock, &periodic, 10);
	now = 55;
	hv_clock_run(&clock);
	assert_int_equal(ticks, 5);
	assert_int_equal(hv_clock_next(&clock), 60);
}

static void test_a_timer_cannot_keep_the_loop(void **state)
{
	struct hv_clock clock = new_clock();

	(void)state;
	periodic_clock = &clock;
	periodic = (struct hv_timer){ .fn = tick };
	ticks = 0;
	period = 0;
	hv_timer_arm(&clock, &periodic, 10);
	now = 10;
	hv_clock_run(&clock);
	assert_in_range(ticks, 1, 100000);
	assert_true(periodic.armed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fires_in_order_of_deadlines),
		cmocka_unit_test(test_arming_moves),
		cmocka_unit_test(test_tells_when_the_next_deadline_moves),
		cmocka_unit_test(test_periodic_catches_up),
		cmocka_unit_test(test_a_timer_cannot_keep_the_loop),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
