// SPDX-License-Identifier: GPL-2.0-only
/* Port 92h: a reset is an edge of bit 0, nothing else is. */
#include "dev_test.h"

#include "dev/port92.h"

struct fixture {
	struct bench bench;
	struct hv_port92 port;
	unsigned int resets;
};

static struct fixture fixture;

static void reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static int setup(void **state)
{
	struct hv_port92_config config = {
		.bus = &fixture.bench.bus,
		.reset = reset,
		.ctx = &fixture,
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	return hv_port92_init(&fixture.port, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_port92_exit(&f->port);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	return 0;
}

static void test_a20(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(inb(&f->bench, 0x92), 0x02);
	outb(&f->bench, 0x92, 0xfc);
	assert_int_equal(inb(&f->bench, 0x92), 0x00);
	assert_int_equal(f->resets, 0);
}

static void test_reset(void **state)
{
	struct fixture *f = *state;

	outb(&f->bench, 0x92, 0x03);
	assert_int_equal(f->resets, 1);
	outb(&f->bench, 0x92, 0x01);
	assert_int_equal(f->resets, 1);
	outb(&f->bench, 0x92, 0x02);
	outb(&f->bench, 0x92, 0x03);
	assert_int_equal(f->resets, 2);
	hv_port92_reset(&f->port);
	assert_int_equal(inb(&f->bench, 0x92), 0x02);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_port92_state s;

	outb(&f->bench, 0x92, 0x01);
	hv_port92_save(&f->port, &s);
	hv_port92_reset(&f->port);
	assert_int_equal(hv_port92_load(&f->port, &s), 0);
	assert_int_equal(inb(&f->bench, 0x92), 0x01);
	assert_int_equal(f->resets, 1);
	s.value = 4;
	assert_int_equal(hv_port92_load(&f->port, &s), -EINVAL);
	s.value = 0;
	s.pad = 1;
	assert_int_equal(hv_port92_load(&f->port, &s), -EINVAL);
}

#define PORT92_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PORT92_TEST(test_a20),
		PORT92_TEST(test_reset),
		PORT92_TEST(test_save_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
