// SPDX-License-Identifier: GPL-2.0-only
/* The PC test device: its ports, its memory, its lines. */
#include "dev_test.h"

#include "dev/testdev.h"

struct fixture {
	struct bench bench;
	struct hv_testdev dev;
	uint64_t flushed;
	unsigned int flushes;
};

static struct fixture fixture;

static void flush(void *ctx, uint64_t gpa)
{
	((struct fixture *)ctx)->flushed = gpa;
	((struct fixture *)ctx)->flushes++;
}

static struct hv_testdev_config config_for(struct fixture *f)
{
	return (struct hv_testdev_config){
		.bus = &f->bench.bus,
		.irq = bench_irq(&f->bench, 4),
		.flush = flush,
		.ctx = f,
	};
}

static int setup(void **state)
{
	struct hv_testdev_config config = config_for(&fixture);

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	return hv_testdev_init(&fixture.dev, &config);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_testdev_exit(&f->dev);
	assert_int_equal(f->bench.bus.count[HV_PORT] + f->bench.bus.count[HV_MMIO], 0);
	return 0;
}

static void test_value(void **state)
{
	struct bench *b = &((struct fixture *)*state)->bench;

	outl(b, 0xe0, 0x12345678);
	assert_int_equal(inl(b, 0xe0), 0x12345678);
	assert_int_equal(inw(b, 0xe1), 0x3456);
	assert_int_equal(inl(b, 0xe8), 0x12345678);
	outb(b, 0xe2, 0xab);
	outw(b, 0xea, 0xcdef);
	assert_int_equal(inl(b, 0xe0), 0xcdef5678);
	/* Behind it is nothing that keeps a value. */
	outl(b, 0xe2, 0xffff1111);
	assert_int_equal(inl(b, 0xe0), 0x11115678);
	assert_int_equal(inl(b, 0xe4), 0);
	assert_int_equal(inw(b, 0xe6), 0);
}

static void test_flush(void **state)
{
	struct fixture *f = *state;

	outl(&f->bench, 0xe4, 0x12345678);
	assert_int_equal(f->flushed, 0x12345000);
	assert_int_equal(f->flushes, 1);
	outw(&f->bench, 0xe4, 0x1000);
	outb(&f->bench, 0xe4, 0);
	outw(&f->bench, 0xe6, 0x1000);
	assert_int_equal(f->flushes, 1);
	f->dev.config.flush = NULL;
	outl(&f->bench, 0xe4, 0x1000);
	assert_int_equal(inl(&f->bench, 0xe0), 0);
}

static void test_lines(void **state)
{
	struct bench *b = &((struct fixture *)*state)->bench;

	outb(b, 0x2000, 1);
	outb(b, 0x2017, 0x80);
	assert_true(b->level[4] && b->level[4 + 23]);
	outb(b, 0x2018, 1);
	assert_false(b->level[4 + 24]);
	outb(b, 0x2017, 0);
	outl(b, 0x2001, 0x100);
	assert_true(b->level[4] && b->level[4 + 1]);
	assert_false(b->level[4 + 23]);
	assert_int_equal(inb(b, 0x2000), 0);
}

static void test_memory(void **state)
{
	struct bench *b = &((struct fixture *)*state)->bench;

	bench_write(b, HV_MMIO, 0xff000000, 8, 0x1122334455667788);
	assert_int_equal(bench_read(b, HV_MMIO, 0xff000000, 8), 0x1122334455667788);
	assert_int_equal(bench_read(b, HV_MMIO, 0xff000001, 4), 0x44556677);
	bench_write(b, HV_MMIO, 0xff00ffff, 1, 0x5a);
	assert_int_equal(bench_read(b, HV_MMIO, 0xff00ffff, 2), 0xff5a);
	hv_testdev_reset(&((struct fixture *)*state)->dev);
	assert_int_equal(bench_read(b, HV_MMIO, 0xff000000, 8), 0);
}

/* Each place taken by somebody else: nothing is left on the bus. */
static void test_places_taken(void **state)
{
	static const struct {
		enum hv_space space;
		uint64_t base;
	} taken[] = { { HV_PORT, 0xe3 }, { HV_PORT, 0x2017 }, { HV_MMIO, 0xff00ffff } };
	struct fixture *f = *state;
	struct hv_testdev_config config = config_for(f);
	static struct hv_testdev dev;

	for (size_t i = 0; i < 3; i++) {
		struct hv_bus bus = { 0 };
		struct hv_region other = { .space = taken[i].space,
					   .base = taken[i].base,
					   .len = 1 };

		config.bus = &bus;
		assert_int_equal(hv_bus_register(&bus, &other), 0);
		assert_int_equal(hv_testdev_init(&dev, &config), -EEXIST);
		assert_int_equal(bus.count[HV_PORT] + bus.count[HV_MMIO], 1);
	}
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	static struct hv_testdev_state saved, again;

	outl(&f->bench, 0xe0, 7);
	bench_write(&f->bench, HV_MMIO, 0xff001000, 4, 0x1234);
	hv_testdev_save(&f->dev, &saved);
	hv_testdev_reset(&f->dev);
	assert_int_equal(hv_testdev_load(&f->dev, &saved), 0);
	assert_int_equal(inl(&f->bench, 0xe0), 7);
	assert_int_equal(bench_read(&f->bench, HV_MMIO, 0xff001000, 4), 0x1234);
	saved.pad = 1;
	saved.value[0] = 9;
	assert_int_equal(hv_testdev_load(&f->dev, &saved), -EINVAL);
	hv_testdev_save(&f->dev, &again);
	assert_int_equal(again.value[0], 7);
}

#define TESTDEV_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TESTDEV_TEST(test_value),        TESTDEV_TEST(test_flush),
		TESTDEV_TEST(test_lines),        TESTDEV_TEST(test_memory),
		TESTDEV_TEST(test_places_taken), TESTDEV_TEST(test_save_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
