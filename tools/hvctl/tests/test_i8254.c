// SPDX-License-Identifier: GPL-2.0-only
/* The 8254: each mode's waveform tick by tick, and the ways to read a count. */
#include "dev_test.h"

#include "dev/i8254.h"

struct fixture {
	struct bench bench;
	struct hv_i8254 pit;
};

static struct fixture fixture;

/* The first instant of a tick, so that tests can speak of ticks. */
static uint64_t tick_ns(uint64_t tick)
{
	return (tick * 1000000000ull + 1193181) / 1193182;
}

static uint64_t now_tick(struct fixture *f)
{
	return f->bench.now_ns * 1193182 / 1000000000ull;
}

static void run_ticks(struct fixture *f, uint64_t ticks)
{
	bench_run_until(&f->bench, tick_ns(now_tick(f) + ticks));
}

static int setup(void **state)
{
	struct hv_i8254_config config = {
		.bus = &fixture.bench.bus,
		.clock = &fixture.bench.clock,
		.irq = bench_irq(&fixture.bench, 0),
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	fixture.bench.now_ns = tick_ns(1000);
	*state = &fixture;
	return hv_i8254_init(&fixture.pit, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_i8254_exit(&f->pit);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	return 0;
}

/* Channel, mode, binary, LSB then MSB. */
static void program(struct fixture *f, unsigned int ch, unsigned int mode, uint16_t count)
{
	outb(&f->bench, 0x43, (uint8_t)(ch << 6 | 0x30 | mode << 1));
	outb(&f->bench, (uint16_t)(0x40 + ch), (uint8_t)count);
	outb(&f->bench, (uint16_t)(0x40 + ch), (uint8_t)(count >> 8));
}

static uint16_t count(struct fixture *f, unsigned int ch)
{
	uint8_t low;

	outb(&f->bench, 0x43, (uint8_t)(ch << 6));
	low = inb(&f->bench, (uint16_t)(0x40 + ch));
	return (uint16_t)(low | inb(&f->bench, (uint16_t)(0x40 + ch)) << 8);
}

static bool out2(struct fixture *f)
{
	return inb(&f->bench, 0x61) & 0x20;
}

/* One character a tick of channel 2's OUT, beginning now. */
static const char *wave(struct fixture *f, unsigned int ticks)
{
	static char text[64];

	for (unsigned int i = 0; i < ticks; i++) {
		text[i] = out2(f) ? '#' : '_';
		run_ticks(f, 1);
	}
	text[ticks] = 0;
	return text;
}

static void gate2(struct fixture *f, bool gate)
{
	outb(&f->bench, 0x61, gate);
}

static void test_mode0(void **state)
{
	struct fixture *f = *state;

	gate2(f, true);
	program(f, 2, 0, 4);
	/* N + 1 ticks after the write */
	assert_string_equal(wave(f, 8), "_____###");
	assert_int_equal(count(f, 2), 0xfffd);
	/* A new count starts again; its first byte already. */
	outb(&f->bench, 0x42, 2);
	assert_string_equal(wave(f, 4), "____");
	outb(&f->bench, 0x42, 0);
	assert_string_equal(wave(f, 4), "___#");
}

static void test_mode0_gate_pauses(void **state)
{
	struct fixture *f = *state;

	gate2(f, true);
	program(f, 2, 0, 100);
	run_ticks(f, 41);
	assert_int_equal(count(f, 2), 60);
	gate2(f, false);
	run_ticks(f, 1000);
	assert_int_equal(count(f, 2), 60);
	gate2(f, true);
	run_ticks(f, 59);
	assert_false(out2(f));
	run_ticks(f, 1);
	assert_true(out2(f));
}

static void test_count_written_while_gate_is_low(void **state)
{
	struct fixture *f = *state;

	program(f, 2, 0, 100);
	run_ticks(f, 50);
	assert_int_equal(count(f, 2), 100);
	gate2(f, true);
	run_ticks(f, 99);
	assert_false(out2(f));
	run_ticks(f, 1);
	assert_true(out2(f));
	/* Writing the gate again as it is changes nothing. */
	program(f, 2, 2, 4);
	run_ticks(f, 3);
	gate2(f, true);
	assert_string_equal(wave(f, 4), "#_##");
}

static void test_mode1(void **state)
{
	struct fixture *f = *state;

	program(f, 2, 1, 3);
	assert_string_equal(wave(f, 4), "####");
	gate2(f, true);
	assert_string_equal(wave(f, 6), "____##");
	/* Triggered again before its end, it begins anew; the gate's fall is nothing. */
	gate2(f, false);
	gate2(f, true);
	assert_string_equal(wave(f, 2), "__");
	gate2(f, false);
	gate2(f, true);
	assert_string_equal(wave(f, 6), "____##");
}

static void test_mode1_new_count_waits_for_trigger(void **state)
{
	struct fixture *f = *state;

	program(f, 2, 1, 3);
	gate2(f, true);
	outb(&f->bench, 0x42, 1);
	outb(&f->bench, 0x42, 0);
	assert_string_equal(wave(f, 6), "____##");
	gate2(f, false);
	gate2(f, true);
	assert_string_equal(wave(f, 4), "__##");
}

static void test_mode2(void **state)
{
	struct fixture *f = *state;

	gate2(f, true);
	program(f, 2, 2, 4);
	assert_string_equal(wave(f, 13), "####_###_###_");
	assert_int_equal(count(f, 2), 4);
	gate2(f, false);
	assert_string_equal(wave(f, 6), "######");
	gate2(f, true);
	assert_string_equal(wave(f, 6), "####_#");
}

static void test_mode2_new_count_at_end_of_cycle(void **state)
{
	struct fixture *f = *state;

	gate2(f, true);
	program(f, 2, 2, 5);
	run_ticks(f, 2);
	outb(&f->bench, 0x42, 3);
	outb(&f->bench, 0x42, 0);
	assert_string_equal(wave(f, 10), "###_##_##_");
}

static void test_mode3(void **state)
{
	struct fixture *f = *state;
	static const uint16_t even[] = { 4, 2, 4, 2 }, odd[] = { 4, 2, 0, 4, 2, 4 };

	gate2(f, true);
	program(f, 2, 3, 4);
	run_ticks(f, 1);
	for (unsigned int i = 0; i < 4; i++, run_ticks(f, 1))
		assert_int_equal(count(f, 2), even[i]);
	assert_string_equal(wave(f, 8), "##__##__");
	program(f, 2, 3, 5);
	run_ticks(f, 1);
	for (unsigned int i = 0; i < 6; i++, run_ticks(f, 1))
		assert_int_equal(count(f, 2), odd[i]);
	assert_string_equal(wave(f, 9), "##__###__");
}

static void test_mode3_new_count_at_half_cycle(void **state)
{
	struct fixture *f = *state;

	gate2(f, true);
	program(f, 2, 3, 8);
	run_ticks(f, 2);
	outb(&f->bench, 0x42, 4);
	outb(&f->bench, 0x42, 0);
	assert_string_equal(wave(f, 9), "###__##__");
}

static void test_mode4(void **state)
{
	struct fixture *f = *state;

	gate2(f, true);
	program(f, 2, 4, 3);
	assert_string_equal(wave(f, 8), "####_###");
	program(f, 2, 4, 3);
	gate2(f, false);
	assert_string_equal(wave(f, 8), "########");
}

static void test_mode5(void **state)
{
	struct fixture *f = *state;

	program(f, 2, 5, 3);
	assert_string_equal(wave(f, 6), "######");
	gate2(f, true);
	assert_string_equal(wave(f, 8), "####_###");
}

static void test_modes_6_and_7(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 6, 100);
	outb(&f->bench, 0x43, 0xe2);
	assert_int_equal(inb(&f->bench, 0x40) & 0x0e, 0x04);
	program(f, 0, 7, 100);
	outb(&f->bench, 0x43, 0xe2);
	assert_int_equal(inb(&f->bench, 0x40) & 0x0e, 0x06);
}

static void test_latch(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	program(f, 0, 2, 0x1234);
	run_ticks(f, 0x35);
	outb(b, 0x43, 0x00);
	run_ticks(f, 0x100);
	outb(b, 0x43, 0x00); /* ignored: the first is not read yet */
	assert_int_equal(inb(b, 0x40), 0x00);
	assert_int_equal(inb(b, 0x40), 0x12);
	assert_int_equal(inb(b, 0x40), 0x00);
	assert_int_equal(inb(b, 0x40), 0x11);
	assert_int_equal(inb(b, 0x43), 0xff);
}

static void test_read_back(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	program(f, 0, 2, 0x1000);
	outb(b, 0x43, 0xc2);
	/* Status first: OUT high, count not loaded yet, both bytes, mode 2 */
	assert_int_equal(inb(b, 0x40), 0xf4);
	inw(b, 0x40);
	inb(b, 0x40);
	run_ticks(f, 0x101);
	outb(b, 0x43, 0xca);
	run_ticks(f, 10);
	assert_int_equal(inb(b, 0x40), 0xb4);
	assert_int_equal(inb(b, 0x40), 0x00);
	assert_int_equal(inb(b, 0x40), 0x0f);
	assert_int_equal(inb(b, 0x42), 0x70);
}

static void test_single_byte_access(void **state)
{
	struct fixture *f = *state;
	struct bench *b = &f->bench;

	outb(b, 0x43, 0x14); /* LSB only, mode 2 */
	outb(b, 0x40, 0x80);
	run_ticks(f, 2);
	assert_int_equal(inb(b, 0x40), 0x7f);
	assert_int_equal(inb(b, 0x40), 0x7f);
	outb(b, 0x43, 0x24); /* MSB only */
	outb(b, 0x40, 0x80);
	run_ticks(f, 2);
	assert_int_equal(inb(b, 0x40), 0x7f);
}

static void test_bcd(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x43, 0x35);
	outb(&f->bench, 0x40, 0x00);
	outb(&f->bench, 0x40, 0x10);
	run_ticks(f, 2);
	assert_int_equal(count(f, 0), 0x0999);
	outb(&f->bench, 0x43, 0x31);
	outb(&f->bench, 0x40, 0x00);
	outb(&f->bench, 0x40, 0x00);
	run_ticks(f, 1);
	assert_int_equal(count(f, 0), 0x0000);
	run_ticks(f, 1);
	assert_int_equal(count(f, 0), 0x9999);
}

static void test_irq_rate_without_drift(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 2, 11932); /* 100 Hz, as Linux sets it */
	bench_run_ns(&f->bench, 10000000000ull);
	assert_in_range(f->bench.rises[0], 1000, 1001);
	/* 65536 ticks: 18.2 Hz over an hour */
	program(f, 0, 3, 0);
	f->bench.rises[0] = 0;
	bench_run_ns(&f->bench, 3600000000000ull);
	assert_int_equal(f->bench.rises[0], 3600ull * 1193182 / 65536);
}

static void test_irq_one_shot(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 4, 1000);
	f->bench.rises[0] = 0;
	run_ticks(f, 1001);
	assert_int_equal(f->bench.rises[0], 0);
	run_ticks(f, 1);
	assert_int_equal(f->bench.rises[0], 1);
	run_ticks(f, 200000);
	assert_int_equal(f->bench.rises[0], 1);
	program(f, 0, 0, 10);
	assert_false(f->bench.level[0]);
	run_ticks(f, 11);
	assert_true(f->bench.level[0]);
}

static void test_late_event_loop_makes_one_edge(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 2, 1000);
	f->bench.rises[0] = 0;
	f->bench.now_ns = tick_ns(now_tick(f) + 10500);
	hv_clock_run(&f->bench.clock);
	assert_int_equal(f->bench.rises[0], 1);
	run_ticks(f, 501);
	assert_int_equal(f->bench.rises[0], 2);
}

static void test_absurd_rate_is_limited(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 2, 1);
	f->bench.rises[0] = 0;
	run_ticks(f, 1200);
	assert_in_range(f->bench.rises[0], 50, 100);
}

static void test_connect_irq(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 2, 1000);
	hv_i8254_connect_irq(&f->pit, false);
	assert_false(f->bench.level[0]);
	f->bench.rises[0] = 0;
	run_ticks(f, 5000);
	program(f, 0, 2, 1000);
	assert_int_equal(f->bench.rises[0], 0);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	hv_i8254_connect_irq(&f->pit, true);
	run_ticks(f, 1001);
	assert_int_equal(f->bench.rises[0], 2);
}

static void test_port61(void **state)
{
	struct fixture *f = *state;
	unsigned int i, toggles = 0;
	uint8_t last, next;

	outb(&f->bench, 0x61, 0xff);
	assert_int_equal(inb(&f->bench, 0x61) & 0xcf, 0x0f);
	last = inb(&f->bench, 0x61) & 0x10;
	for (i = 0; i < 1800; i++) {
		run_ticks(f, 1);
		next = inb(&f->bench, 0x61) & 0x10;
		toggles += next != last;
		last = next;
	}
	assert_int_equal(toggles, 100);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_i8254_state saved, again;

	gate2(f, true);
	program(f, 2, 3, 8);
	program(f, 0, 2, 5000);
	run_ticks(f, 1001);
	outb(&f->bench, 0x43, 0x00);
	outb(&f->bench, 0x42, 4);
	outb(&f->bench, 0x42, 0);
	hv_i8254_save(&f->pit, &saved);
	hv_i8254_reset(&f->pit);
	run_ticks(f, 123456);
	assert_int_equal(hv_i8254_load(&f->pit, &saved), 0);
	hv_i8254_save(&f->pit, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	assert_int_equal(inb(&f->bench, 0x40), 4000 % 256);
	assert_int_equal(inb(&f->bench, 0x40), 4000 / 256);
	f->bench.rises[0] = 0;
	assert_string_equal(wave(f, 8), "####__##");
	run_ticks(f, 3991);
	assert_int_equal(f->bench.rises[0], 0);
	run_ticks(f, 1);
	assert_int_equal(f->bench.rises[0], 1);
}

/* As above, with the rise due and the event loop late: it is not lost. */
static void test_due_rise_survives_a_snapshot(void **state)
{
	struct fixture *f = *state;
	struct hv_i8254_state saved;
	unsigned int rises;

	program(f, 0, 2, 1000);
	run_ticks(f, 2);
	f->bench.now_ns += 1000 * 838;
	hv_i8254_save(&f->pit, &saved);
	hv_i8254_reset(&f->pit);
	assert_int_equal(hv_i8254_load(&f->pit, &saved), 0);
	rises = f->bench.rises[0];
	hv_clock_run(&f->bench.clock);
	assert_int_equal(f->bench.rises[0], rises + 1);
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_i8254_state good, s;

	program(f, 0, 2, 5000);
	hv_i8254_save(&f->pit, &good);
#define REFUSE(change)                                                 \
	do {                                                           \
		s = good;                                              \
		change;                                                \
		assert_int_equal(hv_i8254_load(&f->pit, &s), -EINVAL); \
	} while (0)
	REFUSE(s.port61 = 0x10);
	REFUSE(s.connected = 2);
	REFUSE(s.channel[0].mode = 6);
	REFUSE(s.channel[0].access = 0);
	REFUSE(s.channel[0].access = 4);
	REFUSE(s.channel[0].count = 65537);
	REFUSE(s.channel[0].count = 0);
	REFUSE(s.channel[0].loaded = 0);
	REFUSE(s.channel[1].next_count = 65537);
	REFUSE(s.irq_level = 2);
	REFUSE(s.connected = 0; s.irq_level = 1);
	REFUSE(s.pad[4] = 1);
	REFUSE(s.rise_in = INT64_MAX - 1);
	REFUSE(s.rise_in = INT64_MIN);
	REFUSE(s.channel[2].elapsed = INT64_MAX);
	REFUSE(s.channel[0].elapsed = -2);
	REFUSE(s.channel[2].elapsed = -1);
	REFUSE(s.channel[2].switch_in = INT64_MAX);
	REFUSE(s.channel[2].switch_in = INT64_MIN);
	REFUSE(s.channel[2].gate = 2);
	REFUSE(s.channel[2].pad[0] = 1);
#undef REFUSE
}

static void test_taken_ports(void **state)
{
	struct fixture *f = *state;
	struct hv_i8254_config config = { .bus = &f->bench.bus, .clock = &f->bench.clock };
	struct hv_i8254 other;

	assert_int_equal(hv_i8254_init(&other, &config), -EEXIST);
	hv_bus_unregister(&f->bench.bus, &f->pit.region);
	assert_int_equal(hv_i8254_init(&other, &config), -EEXIST);
	assert_int_equal(hv_bus_register(&f->bench.bus, &f->pit.region), 0);
}

#define PIT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PIT_TEST(test_mode0),
		PIT_TEST(test_mode0_gate_pauses),
		PIT_TEST(test_count_written_while_gate_is_low),
		PIT_TEST(test_mode1),
		PIT_TEST(test_mode1_new_count_waits_for_trigger),
		PIT_TEST(test_mode2),
		PIT_TEST(test_mode2_new_count_at_end_of_cycle),
		PIT_TEST(test_mode3),
		PIT_TEST(test_mode3_new_count_at_half_cycle),
		PIT_TEST(test_mode4),
		PIT_TEST(test_mode5),
		PIT_TEST(test_modes_6_and_7),
		PIT_TEST(test_latch),
		PIT_TEST(test_read_back),
		PIT_TEST(test_single_byte_access),
		PIT_TEST(test_bcd),
		PIT_TEST(test_irq_rate_without_drift),
		PIT_TEST(test_irq_one_shot),
		PIT_TEST(test_late_event_loop_makes_one_edge),
		PIT_TEST(test_absurd_rate_is_limited),
		PIT_TEST(test_connect_irq),
		PIT_TEST(test_port61),
		PIT_TEST(test_save_load),
		PIT_TEST(test_due_rise_survives_a_snapshot),
		PIT_TEST(test_load_refuses),
		PIT_TEST(test_taken_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
