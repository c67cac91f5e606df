// SPDX-License-Identifier: GPL-2.0-only
/* pvpanic: what it offers, and what it passes on. */
#include "dev_test.h"

#include "dev/pvpanic.h"

static unsigned int calls;
static uint8_t heard;

static void panicked(void *ctx, uint8_t events)
{
	(void)ctx;
	calls++;
	heard = events;
}

static void test_port(void **state)
{
	static struct bench bench;
	static struct hv_pvpanic dev, second;
	const struct hv_pvpanic_config config = { .bus = &bench.bus, .panicked = panicked };

	(void)state;
	bench_init(&bench);
	assert_int_equal(hv_pvpanic_init(&dev, &config), 0);
	assert_int_equal(hv_pvpanic_init(&second, &config), -EEXIST);
	assert_int_equal(inb(&bench, 0x505), 3);
	outb(&bench, 0x505, 0);
	outb(&bench, 0x505, 0xfc);
	assert_int_equal(calls, 0);
	outb(&bench, 0x505, 0xfd);
	assert_int_equal(calls, 1);
	assert_int_equal(heard, HV_PVPANIC_PANICKED);
	outb(&bench, 0x505, 2);
	assert_int_equal(heard, HV_PVPANIC_CRASH_LOADED);
	hv_pvpanic_exit(&dev);
	assert_int_equal(bench.bus.count[HV_PORT], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_port) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
