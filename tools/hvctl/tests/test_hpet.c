// SPDX-License-Identifier: GPL-2.0-only
/* The HPET: the counter, each kind of comparator, and who gets the interrupt. */
#include "dev_test.h"

#include "dev/hpet.h"
#include "lib/util.h"

#define BASE 0xfed00000ull
#define CONFIG 0x10
#define STATUS 0x20
#define COUNTER 0xf0
#define TN_CONFIG(n) (0x100 + 0x20 * (n))
#define TN_COMPARATOR(n) (0x108 + 0x20 * (n))

struct fixture {
	struct bench bench;
	struct hv_hpet hpet;
	int legacy;		/* -1: never told */
};

static struct fixture fixture;

static void legacy(void *ctx, bool on)
{
	((struct fixture *)ctx)->legacy = on;
}

static int setup(void **state)
{
	struct hv_hpet_config config = {
		.bus = &fixture.bench.bus,
		.clock = &fixture.bench.clock,
		.base = BASE,
		.irq0 = bench_irq(&fixture.bench, 0),
		.irq8 = bench_irq(&fixture.bench, 8),
		.pins = bench_irq(&fixture.bench, 0),
		.legacy = legacy,
		.ctx = &fixture,
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	fixture.bench.now_ns = 1000007; /* between two ticks */
	fixture.legacy = -1;
	*state = &fixture;
	return hv_hpet_init(&fixture.hpet, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_hpet_exit(&f->hpet);
	assert_int_equal(f->bench.bus.count[HV_MMIO], 0);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	return 0;
}

static uint64_t get(struct fixture *f, uint64_t reg)
{
	return bench_read(&f->bench, HV_MMIO, BASE + reg, 8);
}

static uint32_t get32(struct fixture *f, uint64_t reg)
{
	return (uint32_t)bench_read(&f->bench, HV_MMIO, BASE + reg, 4);
}

static void put(struct fixture *f, uint64_t reg, uint64_t value)
{
	bench_write(&f->bench, HV_MMIO, BASE + reg, 8, value);
}

static void put32(struct fixture *f, uint64_t reg, uint32_t value)
{
	bench_write(&f->bench, HV_MMIO, BASE + reg, 4, value);
}

static void test_capabilities(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, 0), 0x009896808086a201ull);
	assert_int_equal(get32(f, 4), 10000000);
	put(f, 0, 0);
	assert_int_equal(get32(f, 0), 0x8086a201);
	assert_int_equal(get(f, TN_CONFIG(0)), 0x00f0000000000030ull);
	assert_int_equal(get(f, TN_COMPARATOR(2)), UINT64_MAX);
	assert_int_equal(get(f, TN_CONFIG(3)), 0);
	assert_int_equal(get(f, 0x110), 0);
}

static void test_counter(void **state)
{
	struct fixture *f = *state;

	bench_run_ns(&f->bench, 1000);
	assert_int_equal(get(f, COUNTER), 0);
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 999);
	assert_int_equal(get(f, COUNTER), 99);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(get(f, COUNTER), 100);
	put(f, CONFIG, 0);
	bench_run_ns(&f->bench, 1000);
	assert_int_equal(get(f, COUNTER), 100);
	put(f, COUNTER, 0x1fffffff0ull);
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 0x20 * 10);
	assert_int_equal(get(f, COUNTER), 0x200000010ull);
	assert_int_equal(get32(f, COUNTER), 0x10);
	assert_int_equal(get32(f, COUNTER + 4), 2);
}

static void test_counter_written_by_halves(void **state)
{
	struct fixture *f = *state;

	put32(f, COUNTER, 0x89abcdef);
	put32(f, COUNTER + 4, 0x01234567);
	assert_int_equal(get(f, COUNTER), 0x0123456789abcdefull);
}

static void test_access_across_registers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(bench_read(&f->bench, HV_MMIO, BASE + 6, 4), 0xffffffff);
	bench_write(&f->bench, HV_MMIO, BASE + 0xe, 4, 0xffffffff);
	assert_int_equal(get(f, CONFIG), 0);
	assert_int_equal(bench_read(&f->bench, HV_MMIO, BASE + 1, 1), 0xa2);
}

static void test_holes(void **state)
{
	static const unsigned int holes[] = { 0x08,  0x18,  0x28,  0xe8,  0xf8,
					      0x110, 0x118, 0x160, 0x3e0, 0x3f8 };
	struct fixture *f = *state;

	for (unsigned int i = 0; i < ARRAY_SIZE(holes); i++) {
		put(f, holes[i], UINT64_MAX);
		assert_int_equal(get(f, holes[i]), 0);
	}
}

static void test_one_shot_edge(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(0), 20 << 9 | 0x4);
	put(f, TN_COMPARATOR(0), 500);
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 4999);
	assert_int_equal(f->bench.rises[20], 0);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(f->bench.rises[20], 1);
	assert_false(f->bench.level[20]);
	assert_int_equal(get(f, STATUS), 0);
	/* Neither again in 64 bits, nor for a comparator in the past. */
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	put(f, TN_COMPARATOR(0), 499);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	put(f, TN_COMPARATOR(0), 501);
	bench_run_ns(&f->bench, 10);
	assert_int_equal(f->bench.rises[20], 2);
}

static void test_one_shot_32_bits_wraps(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(0), 20 << 9 | 0x104);
	put(f, TN_COMPARATOR(0), 0xffffffff00000100ull);
	assert_int_equal(get(f, TN_COMPARATOR(0)), 0x100);
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 0x100 * 10);
	assert_int_equal(f->bench.rises[20], 1);
	bench_run_ns(&f->bench, 0xffffffffull * 10);
	assert_int_equal(f->bench.rises[20], 1);
	bench_run_ns(&f->bench, 10);
	assert_int_equal(f->bench.rises[20], 2);
}

static void test_periodic(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(0), 20 << 9 | 0x4c);
	put(f, TN_COMPARATOR(0), 100000); /* the first match */
	put(f, TN_COMPARATOR(0), 30000);  /* the period */
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 999999);
	assert_int_equal(f->bench.rises[20], 0);
	for (uint64_t i = 1; i <= 1000; i++) {
		bench_run_ns(&f->bench, 1);
		assert_int_equal(f->bench.rises[20], i);
		assert_int_equal(get(f, TN_COMPARATOR(0)), 100000 + i * 30000);
		bench_run_ns(&f->bench, 299999);
		assert_int_equal(f->bench.rises[20], i);
	}
}

static void test_periodic_late_loop(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(0), 20 << 9 | 0x4c);
	put(f, TN_COMPARATOR(0), 100000);
	put(f, CONFIG, 1);
	f->bench.now_ns += 1000000 * 10 + 5;
	/* The guest looks before the event loop gets to run: nothing is lost, nothing doubled. */
	assert_int_equal(get(f, TN_COMPARATOR(0)), 1100000);
	assert_int_equal(f->bench.rises[20], 1);
	hv_clock_run(&f->bench.clock);
	assert_int_equal(f->bench.rises[20], 1);
	bench_run_ns(&f->bench, 100000 * 10);
	assert_int_equal(f->bench.rises[20], 2);
}

static void test_absurd_period_is_limited(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(0), 20 << 9 | 0x4c);
	put(f, TN_COMPARATOR(0), 1);
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 1000000);
	assert_in_range(f->bench.rises[20], 90, 110);
}

static void test_level_and_status(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(1), 21 << 9 | 0x6);
	put(f, TN_COMPARATOR(1), 10);
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 100);
	assert_true(f->bench.level[21]);
	assert_int_equal(get(f, STATUS), 2);
	put(f, STATUS, 0);
	put(f, STATUS, 5);
	assert_int_equal(get(f, STATUS), 2);
	assert_int_equal(f->bench.rises[21], 1);
	put32(f, STATUS, 2);
	assert_false(f->bench.level[21]);
	assert_int_equal(get(f, STATUS), 0);
}

static void test_level_without_enable(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(1), 21 << 9 | 0x2);
	put(f, TN_COMPARATOR(1), 10);
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 100);
	assert_int_equal(get(f, STATUS), 2);
	assert_false(f->bench.level[21]);
	put(f, TN_CONFIG(1), 21 << 9 | 0x6);
	assert_true(f->bench.level[21]);
	/* A level interrupt that becomes an edge one is over. */
	put(f, TN_CONFIG(1), 21 << 9 | 0x4);
	assert_false(f->bench.level[21]);
	assert_int_equal(get(f, STATUS), 0);
}

static void test_halted_counter_matches_nothing(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(0), 20 << 9 | 0x4);
	put(f, TN_COMPARATOR(0), 100);
	bench_run_ns(&f->bench, 1000000);
	assert_int_equal(f->bench.rises[20], 0);
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 500);
	put(f, CONFIG, 0);
	bench_run_ns(&f->bench, 1000000);
	assert_int_equal(f->bench.rises[20], 0);
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 500);
	assert_int_equal(f->bench.rises[20], 1);
}

static void test_route_must_exist(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(2), 23 << 9);
	put(f, TN_CONFIG(2), 5 << 9 | 0x4);
	assert_int_equal(get32(f, TN_CONFIG(2)), 23 << 9 | 0x34);
}

static void test_legacy_replacement(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 3; i++) {
		put(f, TN_CONFIG(i), (20 + i) << 9 | 0x4);
		put(f, TN_COMPARATOR(i), 100);
	}
	put(f, CONFIG, 2);
	assert_int_equal(f->legacy, -1);
	put(f, CONFIG, 3);
	assert_int_equal(f->legacy, 1);
	bench_run_ns(&f->bench, 1000);
	assert_int_equal(f->bench.rises[0], 1);
	assert_int_equal(f->bench.rises[8], 1);
	assert_int_equal(f->bench.rises[20], 0);
	assert_int_equal(f->bench.rises[21], 0);
	assert_int_equal(f->bench.rises[22], 1);
	put(f, CONFIG, 1);
	assert_int_equal(f->legacy, 0);
}

/* What Linux does for its periodic tick: comparator by VAL_SET, then the period; 32 bits. */
static void test_like_linux(void **state)
{
	struct fixture *f = *state;

	put32(f, CONFIG, 3);
	bench_run_ns(&f->bench, 12345);
	put32(f, TN_CONFIG(0), 0x14c);
	put32(f, TN_COMPARATOR(0), get32(f, COUNTER) + 400000);
	put32(f, TN_COMPARATOR(0), 400000);
	bench_run_ns(&f->bench, 1000000000);
	assert_int_equal(f->bench.rises[0], 250);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_hpet_state saved, again;

	put(f, TN_CONFIG(0), 0x4c);
	put(f, TN_COMPARATOR(0), 1000);
	put(f, TN_COMPARATOR(0), 2000);
	put(f, TN_CONFIG(1), 21 << 9 | 0x6);
	put(f, TN_COMPARATOR(1), 10);
	put(f, CONFIG, 3);
	bench_run_ns(&f->bench, 9000);
	hv_hpet_save(&f->hpet, &saved);
	hv_hpet_reset(&f->hpet);
	assert_int_equal(f->legacy, 0);
	assert_false(f->bench.level[8]);
	bench_run_ns(&f->bench, 1000000);
	assert_int_equal(hv_hpet_load(&f->hpet, &saved), 0);
	hv_hpet_save(&f->hpet, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	assert_int_equal(f->legacy, 1);
	assert_true(f->bench.level[8]);
	bench_run_ns(&f->bench, 999);
	assert_int_equal(f->bench.rises[0], 0);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(f->bench.rises[0], 1);
}

/*
 * The tick is due and the event loop late when the snapshot is taken: it comes, and the next
 * too.
 */
static void test_due_tick_survives_a_snapshot(void **state)
{
	struct fixture *f = *state;
	struct hv_hpet_state saved;

	put(f, TN_CONFIG(0), 20 << 9 | 0x4c);
	put(f, TN_COMPARATOR(0), 2000);
	put(f, CONFIG, 1);
	f->bench.now_ns += 25000;
	hv_hpet_save(&f->hpet, &saved);
	hv_hpet_reset(&f->hpet);
	assert_int_equal(hv_hpet_load(&f->hpet, &saved), 0);
	hv_clock_run(&f->bench.clock);
	assert_int_equal(f->bench.rises[20], 1);
	bench_run_ns(&f->bench, 14999);
	assert_int_equal(f->bench.rises[20], 1);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(f->bench.rises[20], 2);
}

/* The line of two level-triggered timers falls when both have been acknowledged. */
static void test_timers_share_a_line(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(0), 20 << 9 | 0x6);
	put(f, TN_CONFIG(1), 20 << 9 | 0x6);
	put(f, TN_COMPARATOR(0), 10);
	put(f, TN_COMPARATOR(1), 20);
	put(f, CONFIG, 1);
	bench_run_ns(&f->bench, 1000);
	assert_int_equal(get(f, STATUS), 3);
	put(f, STATUS, 1);
	assert_true(f->bench.level[20]);
	put(f, STATUS, 2);
	assert_false(f->bench.level[20]);
}

/* A comparator that was years away comes near when the guest looks at it. */
static void test_far_comparator_is_rearmed(void **state)
{
	struct fixture *f = *state;

	put(f, TN_CONFIG(0), 20 << 9 | 0x4c);
	put(f, TN_COMPARATOR(0), 1ull << 60);
	put(f, TN_COMPARATOR(0), 10000);
	put(f, COUNTER, 1ull << 61);
	put(f, CONFIG, 1);
	get(f, TN_COMPARATOR(0));
	bench_run_ns(&f->bench, 100000);
	assert_int_equal(f->bench.rises[20], 1);
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_hpet_state good, s;

	hv_hpet_save(&f->hpet, &good);
#define REFUSE(change)                                                 \
	do {                                                           \
		s = good;                                              \
		change;                                                \
		assert_int_equal(hv_hpet_load(&f->hpet, &s), -EINVAL); \
	} while (0)
	REFUSE(s.config = 4);
	REFUSE(s.due = 1);
	REFUSE(s.due = 8);
	REFUSE(s.phase_ns = 10);
	REFUSE(s.timer[0].late_ns = 1);
	REFUSE(s.timer[0].late_ns = -1);
	REFUSE(s.status = 1);
	REFUSE(s.status = 8);
	REFUSE(s.timer[2].config = 1);
	REFUSE(s.timer[2].config = 5 << 9);
	REFUSE(s.timer[0].config = 0x100);
	REFUSE(s.timer[0].config = 0x100; s.timer[0].comparator = 0;
	       s.timer[0].period = 1ull << 32);
#undef REFUSE
}

static void test_hostile_values(void **state)
{
	static const uint64_t values[] = { 0, 1, 0x7fffffffffffffff, 0x8000000000000000,
					   UINT64_MAX };
	struct fixture *f = *state;

	put(f, CONFIG, 3);
	for (unsigned int i = 0; i < 5; i++)
		for (unsigned int j = 0; j < 5; j++)
			for (unsigned int k = 0; k < 0x400; k += 0x20) {
				put(f, TN_CONFIG(1), k | 20 << 9);
				put(f, COUNTER, values[i]);
				put(f, TN_COMPARATOR(1), values[j]);
				bench_run_ns(&f->bench, 20000);
				get(f, TN_COMPARATOR(1));
			}
	put(f, CONFIG, 0);
}

#define HPET_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		HPET_TEST(test_capabilities),
		HPET_TEST(test_counter),
		HPET_TEST(test_counter_written_by_halves),
		HPET_TEST(test_access_across_registers),
		HPET_TEST(test_holes),
		HPET_TEST(test_one_shot_edge),
		HPET_TEST(test_one_shot_32_bits_wraps),
		HPET_TEST(test_periodic),
		HPET_TEST(test_periodic_late_loop),
		HPET_TEST(test_absurd_period_is_limited),
		HPET_TEST(test_level_and_status),
		HPET_TEST(test_level_without_enable),
		HPET_TEST(test_halted_counter_matches_nothing),
		HPET_TEST(test_route_must_exist),
		HPET_TEST(test_legacy_replacement),
		HPET_TEST(test_like_linux),
		HPET_TEST(test_save_load),
		HPET_TEST(test_due_tick_survives_a_snapshot),
		HPET_TEST(test_timers_share_a_line),
		HPET_TEST(test_far_comparator_is_rearmed),
		HPET_TEST(test_load_refuses),
		HPET_TEST(test_hostile_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
