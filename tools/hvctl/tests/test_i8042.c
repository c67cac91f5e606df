// SPDX-License-Identifier: GPL-2.0-only
/* The 8042 with nothing plugged in: each probe gets its answer at once. */
#include "dev_test.h"

#include "dev/i8042.h"

struct fixture {
	struct bench bench;
	struct hv_i8042 kbc;
	unsigned int resets;
};

static struct fixture fixture;

static void reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static int setup(void **state)
{
	struct hv_i8042_config config = {
		.bus = &fixture.bench.bus,
		.irq = bench_irq(&fixture.bench, 1),
		.aux_irq = bench_irq(&fixture.bench, 12),
		.reset = reset,
		.ctx = &fixture,
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	return hv_i8042_init(&fixture.kbc, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_i8042_exit(&f->kbc);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	return 0;
}

/* Send a command; returns the answer, or -1 if none came. The status at that time is kept. */
static uint8_t status_seen;

static int command(struct fixture *f, uint8_t value)
{
	outb(&f->bench, 0x64, value);
	status_seen = inb(&f->bench, 0x64);
	return status_seen & 1 ? inb(&f->bench, 0x60) : -1;
}

static int data(struct fixture *f, uint8_t value)
{
	outb(&f->bench, 0x60, value);
	status_seen = inb(&f->bench, 0x64);
	return status_seen & 1 ? inb(&f->bench, 0x60) : -1;
}

static void test_reset_state(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(inb(&f->bench, 0x64), 0x14);
	assert_int_equal(command(f, 0x20), 0x74);
	assert_int_equal(status_seen, 0x1d);
	assert_int_equal(inb(&f->bench, 0x64), 0x1c);
}

static void test_self_tests(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(command(f, 0xaa), 0x55);
	assert_int_equal(command(f, 0xab), 0x00);
	assert_int_equal(command(f, 0xa9), 0x01);
	assert_int_equal(command(f, 0xc0), 0x80);
	assert_int_equal(command(f, 0xd0), 0x03);
	assert_int_equal(command(f, 0x00), -1);
	assert_int_equal(f->resets, 0);
}

static void test_command_byte(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(command(f, 0x60), -1);
	assert_int_equal(data(f, 0x45), -1);
	assert_int_equal(command(f, 0x20), 0x45);
	command(f, 0xad);
	command(f, 0xa7);
	assert_int_equal(command(f, 0x20), 0x75);
	command(f, 0xae);
	command(f, 0xa8);
	assert_int_equal(command(f, 0x20), 0x45);
}

static void test_silent_devices_time_out_at_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(data(f, 0xf2), 0xfe);
	assert_int_equal(status_seen & 0x61, 0x41);
	assert_int_equal(command(f, 0xd4), -1);
	assert_int_equal(data(f, 0xf2), 0xfe);
	assert_int_equal(status_seen & 0x61, 0x61);
	assert_int_equal(inb(&f->bench, 0x64) & 0x61, 0);
}

static void test_no_mouse_port(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(command(f, 0xd3), -1);
	assert_int_equal(data(f, 0x5a), 0x5a);
	assert_int_equal(status_seen & 0x20, 0);
	assert_int_equal(command(f, 0xd2), -1);
	assert_int_equal(data(f, 0xa5), 0xa5);
}

static void test_new_command_forgets_old(void **state)
{
	struct fixture *f = *state;

	command(f, 0x60);
	command(f, 0xab);
	assert_int_equal(data(f, 0x00), 0xfe);
	assert_int_equal(command(f, 0x20), 0x74);
}

static void test_interrupts(void **state)
{
	struct fixture *f = *state;

	command(f, 0x60);
	data(f, 0x03);
	outb(&f->bench, 0x60, 0xff);
	assert_true(f->bench.level[1]);
	inb(&f->bench, 0x60);
	assert_false(f->bench.level[1]);
	outb(&f->bench, 0x64, 0xd4);
	outb(&f->bench, 0x60, 0xff);
	assert_true(f->bench.level[12]);
	assert_false(f->bench.level[1]);
	inb(&f->bench, 0x60);
	assert_false(f->bench.level[12]);
	assert_int_equal(f->bench.rises[1], 1);
}

static void test_cpu_reset(void **state)
{
	struct fixture *f = *state;

	command(f, 0xff);
	command(f, 0xf1);
	assert_int_equal(f->resets, 0);
	command(f, 0xfe);
	assert_int_equal(f->resets, 1);
	command(f, 0xd1);
	data(f, 0x03);
	assert_int_equal(f->resets, 1);
	command(f, 0xd1);
	data(f, 0x02);
	assert_int_equal(f->resets, 2);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_i8042_state saved;

	command(f, 0x60);
	data(f, 0x01);
	outb(&f->bench, 0x64, 0xaa);
	outb(&f->bench, 0x64, 0x60);
	hv_i8042_save(&f->kbc, &saved);
	hv_i8042_reset(&f->kbc);
	assert_false(f->bench.level[1]);
	assert_int_equal(hv_i8042_load(&f->kbc, &saved), 0);
	assert_true(f->bench.level[1]);
	assert_int_equal(inb(&f->bench, 0x60), 0x55);
	assert_int_equal(data(f, 0x77), -1);
	assert_int_equal(command(f, 0x20), 0x77);
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_i8042_state good, s;

	hv_i8042_save(&f->kbc, &good);
#define REFUSE(change)                                                 \
	do {                                                           \
		s = good;                                              \
		change;                                                \
		assert_int_equal(hv_i8042_load(&f->kbc, &s), -EINVAL); \
	} while (0)
	REFUSE(s.status |= 0x82);
	REFUSE(s.output_port = 0);
	REFUSE(s.command = 0xd0);
	REFUSE(s.command = 0xd5);
	REFUSE(s.pad[2] = 1);
#undef REFUSE
}

#define KBC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		KBC_TEST(test_reset_state),   KBC_TEST(test_self_tests),
		KBC_TEST(test_command_byte),  KBC_TEST(test_silent_devices_time_out_at_once),
		KBC_TEST(test_no_mouse_port), KBC_TEST(test_new_command_forgets_old),
		KBC_TEST(test_interrupts),    KBC_TEST(test_cpu_reset),
		KBC_TEST(test_save_load),     KBC_TEST(test_load_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
