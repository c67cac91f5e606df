// SPDX-License-Identifier: GPL-2.0-only
/* The MC146818: every format of the time, every interrupt, and the calendar against libc's. */
#include "dev_test.h"

#include <time.h>

#include "dev/cmos.h"

#define SECOND 1000000000ull

struct fixture {
	struct bench bench;
	struct hv_cmos cmos;
	uint64_t wall_at_0;	/* the wall clock when the bench's clock was 0 */
};

static struct fixture fixture;

static uint64_t wall(void *ctx)
{
	struct fixture *f = ctx;

	return f->wall_at_0 + f->bench.now_ns;
}

/* Thursday 29 February 2024, 23:59:58 and a quarter of a second */
#define START (1709251198ull * SECOND + SECOND / 4)

static int setup(void **state)
{
	struct hv_cmos_config config = {
		.bus = &fixture.bench.bus,
		.clock = &fixture.bench.clock,
		.irq = bench_irq(&fixture.bench, 8),
		.wall_ns = wall,
		.ctx = &fixture,
		.ram_below_4g = 3ull << 30,
		.ram_above_4g = 5ull << 30,
		.cpus = 2,
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	fixture.wall_at_0 = START - fixture.bench.now_ns;
	*state = &fixture;
	return hv_cmos_init(&fixture.cmos, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_cmos_exit(&f->cmos);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	return 0;
}

static uint8_t get(struct fixture *f, uint8_t index)
{
	outb(&f->bench, 0x70, index);
	return inb(&f->bench, 0x71);
}

static void put(struct fixture *f, uint8_t index, uint8_t value)
{
	outb(&f->bench, 0x70, index);
	outb(&f->bench, 0x71, value);
}

static bool irq(struct fixture *f)
{
	return f->bench.level[8];
}

/* Seconds, minutes, hours, weekday, day, month, year, century */
static void assert_time(struct fixture *f, const uint8_t want[8])
{
	static const uint8_t index[] = { 0, 2, 4, 6, 7, 8, 9, 0x32 };

	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(get(f, index[i]), want[i]);
}

static void test_bcd_24h(void **state)
{
	struct fixture *f = *state;

	assert_time(f, (uint8_t[]){ 0x58, 0x59, 0x23, 0x05, 0x29, 0x02, 0x24, 0x20 });
	bench_run_ns(&f->bench, 2 * SECOND);
	assert_time(f, (uint8_t[]){ 0x00, 0x00, 0x00, 0x06, 0x01, 0x03, 0x24, 0x20 });
}

static void test_binary_and_12h(void **state)
{
	struct fixture *f = *state;

	put(f, 0x0b, 0x06);
	assert_time(f, (uint8_t[]){ 58, 59, 23, 5, 29, 2, 24, 20 });
	put(f, 0x0b, 0x04);
	assert_int_equal(get(f, 4), 0x80 | 11);
	put(f, 0x0b, 0x00);
	assert_int_equal(get(f, 4), 0x91);
	bench_run_ns(&f->bench, 2 * SECOND);
	assert_int_equal(get(f, 4), 0x12);
	bench_run_ns(&f->bench, 3600 * SECOND);
	assert_int_equal(get(f, 4), 0x01);
	bench_run_ns(&f->bench, 11 * 3600 * SECOND);
	assert_int_equal(get(f, 4), 0x92);
}

static void assert_libc_time(struct fixture *f, const struct tm *tm)
{
	const int year = tm->tm_year + 1900;
	const uint8_t time[] = {
		tm->tm_sec,  tm->tm_min,     tm->tm_hour, tm->tm_wday + 1,
		tm->tm_mday, tm->tm_mon + 1, year % 100,  year / 100,
	};

	assert_time(f, time);
}

static void test_calendar_like_libc(void **state)
{
	struct fixture *f = *state;
	struct tm tm;
	time_t t;

	put(f, 0x0b, 0x06);
	for (unsigned int i = 0; i < 20000; i++) {
		t = (time_t)i * 1234567; /* to the year 2752, each month and day */
		f->cmos.s.offset_s = (int64_t)t - (int64_t)(START / SECOND);
		assert_non_null(gmtime_r(&t, &tm));
		assert_libc_time(f, &tm);
	}
}

static void test_set_time(void **state)
{
	static const uint8_t index[] = { 0, 2, 4, 7, 8, 9, 0x32 };
	static const uint8_t value[] = { 0x30, 0x15, 0x07, 0x31, 0x12, 0x99, 0x19 };
	struct fixture *f = *state;

	put(f, 0x0b, 0x82);
	bench_run_ns(&f->bench, 10 * SECOND);
	assert_int_equal(get(f, 0), 0x58);
	for (unsigned int i = 0; i < 7; i++)
		put(f, index[i], value[i]);
	bench_run_ns(&f->bench, 10 * SECOND);
	put(f, 0x0b, 0x02);
	assert_time(f, (uint8_t[]){ 0x30, 0x15, 0x07, 0x06, 0x31, 0x12, 0x99, 0x19 });
	/* SET leaves the divider alone: a quarter of the second is over. */
	bench_run_ns(&f->bench, 3 * SECOND / 4 - 1);
	assert_int_equal(get(f, 0), 0x30);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(get(f, 0), 0x31);
}

static void test_set_field_while_running(void **state)
{
	struct fixture *f = *state;

	put(f, 9, 0x30);
	/* 29 February 2030 is 1 March. */
	assert_time(f, (uint8_t[]){ 0x58, 0x59, 0x23, 0x06, 0x01, 0x03, 0x30, 0x20 });
}

static void test_garbage_time(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 256; i += 51) {
		put(f, 0x0b, i & 4 ? 0x86 : 0x80);
		for (unsigned int j = 0; j < 10; j++)
			put(f, (uint8_t)j, (uint8_t)i);
		put(f, 0x32, (uint8_t)i);
		put(f, 0x0b, 0x02);
		assert_in_range(get(f, 8), 1, 0x12);
		assert_in_range(get(f, 7), 1, 0x31);
	}
}

static void test_divider_reset(void **state)
{
	struct fixture *f = *state;

	put(f, 0x0a, 0x76);
	bench_run_ns(&f->bench, 10 * SECOND);
	assert_int_equal(get(f, 0), 0x58);
	put(f, 0x0a, 0x26);
	bench_run_ns(&f->bench, SECOND / 2 - 1);
	assert_int_equal(get(f, 0), 0x58);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(get(f, 0), 0x59);
	/* Once more, with the wall clock late in its second. */
	bench_run_until(&f->bench,
			f->bench.now_ns + SECOND - (f->wall_at_0 + f->bench.now_ns) % SECOND - 1);
	put(f, 0x0a, 0x76);
	put(f, 0x0a, 0x26);
	bench_run_ns(&f->bench, SECOND / 2 - 1);
	assert_int_equal(get(f, 0), 0x59);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(get(f, 0), 0x00);
}

static void test_uip(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, 0x0a), 0x26);
	bench_run_ns(&f->bench, 3 * SECOND / 4 - 2228001);
	assert_int_equal(get(f, 0x0a), 0x26);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(get(f, 0x0a), 0xa6);
	bench_run_ns(&f->bench, 2227999);
	assert_int_equal(get(f, 0x0a), 0xa6);
	bench_run_ns(&f->bench, 1);
	assert_int_equal(get(f, 0x0a), 0x26);
	/* Not while SET holds back the update; and it cannot be written. */
	put(f, 0x0b, 0x82);
	put(f, 0x0a, 0xa6);
	bench_run_ns(&f->bench, SECOND - 1000);
	assert_int_equal(get(f, 0x0a), 0x26);
}

static void test_update_interrupt(void **state)
{
	struct fixture *f = *state;

	put(f, 0x0b, 0x12);
	bench_run_ns(&f->bench, 3 * SECOND / 4 - 1);
	assert_false(irq(f));
	bench_run_ns(&f->bench, 1);
	assert_true(irq(f));
	assert_int_equal(get(f, 0x0c) & 0xb0, 0x90);
	assert_false(irq(f));
	assert_int_equal(get(f, 0x0c), 0x00);
	bench_run_ns(&f->bench, SECOND);
	assert_true(irq(f));
	/* Nobody reads register C: no more timers. */
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
}

static void test_flags_without_enable(void **state)
{
	struct fixture *f = *state;

	get(f, 0x0c);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	bench_run_ns(&f->bench, SECOND);
	assert_int_equal(get(f, 0x0c), 0x50);
	assert_int_equal(get(f, 0x0c), 0x00);
	assert_int_equal(f->bench.rises[8], 0);
}

static void test_set_clears_uie(void **state)
{
	struct fixture *f = *state;

	put(f, 0x0b, 0x92);
	assert_int_equal(get(f, 0x0b), 0x82);
}

static void test_alarm(void **state)
{
	struct fixture *f = *state;

	/* At 00:00:05, seven seconds from now */
	put(f, 1, 0x05);
	put(f, 3, 0x00);
	put(f, 5, 0x00);
	put(f, 0x0b, 0x22);
	bench_run_ns(&f->bench, 6 * SECOND + 3 * SECOND / 4 - 1);
	assert_false(irq(f));
	bench_run_ns(&f->bench, 1);
	assert_true(irq(f));
	assert_int_equal(get(f, 0x0c) & 0xa0, 0xa0);
	bench_run_ns(&f->bench, 86399 * SECOND);
	assert_false(irq(f));
	bench_run_ns(&f->bench, SECOND);
	assert_true(irq(f));
}

static void test_alarm_any_hour_and_minute(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 0x30);
	put(f, 3, 0xff);
	put(f, 5, 0xc0);
	put(f, 0x0b, 0x22);
	bench_run_ns(&f->bench, 31 * SECOND + 3 * SECOND / 4);
	for (unsigned int i = 1; i < 100; i++) {
		assert_int_equal(f->bench.rises[8], i);
		get(f, 0x0c);
		bench_run_ns(&f->bench, 60 * SECOND);
	}
}

static void test_alarm_12h(void **state)
{
	struct fixture *f = *state;

	put(f, 0x0b, 0x20);
	put(f, 1, 0x59);
	put(f, 3, 0x59);
	put(f, 5, 0x91);
	bench_run_ns(&f->bench, SECOND);
	assert_true(irq(f));
}

static void test_impossible_alarm(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 0x7a);
	put(f, 0x0b, 0x22);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	bench_run_ns(&f->bench, 200000 * SECOND);
	assert_int_equal(get(f, 0x0c) & 0x20, 0);
}

static void test_periodic(void **state)
{
	static const struct {
		uint8_t rate;
		unsigned int hz;
	} rows[] = {
		{ 1, 256 }, { 2, 128 }, { 3, 8192 }, { 6, 1024 }, { 15, 2 },
	};
	struct fixture *f = *state;
	unsigned int n;
	uint64_t end;

	put(f, 0x0b, 0x42);
	for (unsigned int i = 0; i < 5; i++) {
		put(f, 0x0a, 0x20 | rows[i].rate);
		get(f, 0x0c);
		for (n = 0, end = f->bench.now_ns + SECOND; hv_clock_next(&f->bench.clock) <= end;
		     n++) {
			bench_run_until(&f->bench, hv_clock_next(&f->bench.clock));
			assert_true(irq(f));
			assert_int_equal(get(f, 0x0c) & 0xc0, 0xc0);
		}
		bench_run_until(&f->bench, end);
		assert_in_range(n, rows[i].hz - 1, rows[i].hz + 1);
	}
	put(f, 0x0a, 0x20);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
}

static void test_ram(void **state)
{
	struct fixture *f = *state;

	put(f, 0x0f, 0x0a);
	put(f, 0x7f, 0x55);
	assert_int_equal(get(f, 0x8f), 0x0a); /* bit 7 is the NMI mask */
	assert_int_equal(get(f, 0x7f), 0x55);
	put(f, 0x0d, 0x00);
	assert_int_equal(get(f, 0x0d), 0x80);
	put(f, 0x0c, 0xff);
	assert_int_equal(get(f, 0x0c), 0x00);
	assert_int_equal(inb(&f->bench, 0x70), 0xff);
	hv_cmos_reset(&f->cmos);
	assert_int_equal(get(f, 0x0f), 0x0a);
}

static void test_memory_sizes(void **state)
{
	struct fixture *f = *state;
	unsigned int i, sum = 0;

	assert_int_equal(get(f, 0x15) | get(f, 0x16) << 8, 640);
	assert_int_equal(get(f, 0x17) | get(f, 0x18) << 8, 0xffff);
	assert_int_equal(get(f, 0x30) | get(f, 0x31) << 8, 0xffff);
	assert_int_equal(get(f, 0x34) | get(f, 0x35) << 8, (3072 - 16) * 16);
	assert_int_equal(get(f, 0x5b) | get(f, 0x5c) << 8 | get(f, 0x5d) << 16, 5 * 16384);
	assert_int_equal(get(f, 0x5f), 1);
	/* The checksum of what lies between 10h and 2Dh */
	for (i = 0x10; i <= 0x2d; i++)
		sum += get(f, (uint8_t)i);
	assert_int_equal(get(f, 0x2e) << 8 | get(f, 0x2f), sum);
}

static void test_reset_and_connect(void **state)
{
	struct fixture *f = *state;

	put(f, 0x0b, 0x12);
	bench_run_ns(&f->bench, SECOND);
	hv_cmos_connect_irq(&f->cmos, false);
	assert_false(irq(f));
	get(f, 0x0c);
	bench_run_ns(&f->bench, SECOND);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	hv_cmos_connect_irq(&f->cmos, true);
	assert_true(irq(f));
	hv_cmos_reset(&f->cmos);
	assert_false(irq(f));
	assert_int_equal(get(f, 0x0b), 0x02);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_cmos_state saved;

	put(f, 9, 0x30);
	put(f, 0x0b, 0x12);
	get(f, 0x0c);
	hv_cmos_save(&f->cmos, &saved);
	put(f, 9, 0x10);
	put(f, 0x0b, 0x02);
	bench_run_ns(&f->bench, SECOND / 2);
	assert_int_equal(hv_cmos_load(&f->cmos, &saved), 0);
	assert_int_equal(get(f, 9), 0x30);
	assert_false(irq(f));
	bench_run_ns(&f->bench, SECOND / 4);
	assert_true(irq(f));
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_cmos_state good, s;

	hv_cmos_save(&f->cmos, &good);
#define REFUSE(change)                                                 \
	do {                                                           \
		s = good;                                              \
		change;                                                \
		assert_int_equal(hv_cmos_load(&f->cmos, &s), -EINVAL); \
	} while (0)
	REFUSE(s.connected = 2);
	REFUSE(s.period_unseen = 2);
	REFUSE(s.pad = 1);
	REFUSE(s.offset_s = INT64_MAX);
	REFUSE(s.offset_s = INT64_MIN);
	REFUSE(s.offset_ns = 1000000000);
	REFUSE(s.seen_s = INT64_MIN);
	REFUSE(s.ram[0x0a] |= 0x80);
	REFUSE(s.ram[0x0c] = 1);
	REFUSE(s.ram[0x0d] = 0);
#undef REFUSE
	good.offset_s = -(1ll << 40);
	assert_int_equal(hv_cmos_load(&f->cmos, &good), 0);
	assert_in_range(get(f, 8), 1, 0x12);
}

#define CMOS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CMOS_TEST(test_bcd_24h),
		CMOS_TEST(test_binary_and_12h),
		CMOS_TEST(test_calendar_like_libc),
		CMOS_TEST(test_set_time),
		CMOS_TEST(test_set_field_while_running),
		CMOS_TEST(test_garbage_time),
		CMOS_TEST(test_divider_reset),
		CMOS_TEST(test_uip),
		CMOS_TEST(test_update_interrupt),
		CMOS_TEST(test_flags_without_enable),
		CMOS_TEST(test_set_clears_uie),
		CMOS_TEST(test_alarm),
		CMOS_TEST(test_alarm_any_hour_and_minute),
		CMOS_TEST(test_alarm_12h),
		CMOS_TEST(test_impossible_alarm),
		CMOS_TEST(test_periodic),
		CMOS_TEST(test_ram),
		CMOS_TEST(test_memory_sizes),
		CMOS_TEST(test_reset_and_connect),
		CMOS_TEST(test_save_load),
		CMOS_TEST(test_load_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
