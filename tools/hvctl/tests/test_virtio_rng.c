// SPDX-License-Identifier: GPL-2.0-only
/* Random numbers for the guest: that they are, and no more than a guest is to have. */
#include <errno.h>

#include "virtio/rng.h"
#include "virtio_test.h"

static struct driver driver;

static int begin(void **state, bool packed)
{
	const struct hv_virtio_env env = { .memory = &driver.memory };
	struct hv_error err = { .text = "" };
	struct hv_virtio *dev;

	(void)state;
	driver_init(&driver, packed);
	dev = hv_virtio_rng_create(&env, NULL, &err);
	assert_non_null(dev);
	driver_start(&driver, dev, 0);
	return 0;
}

static int begin_split(void **state)
{
	return begin(state, false);
}

static int begin_packed(void **state)
{
	return begin(state, true);
}

static int end(void **state)
{
	(void)state;
	driver_exit(&driver);
	return 0;
}

static unsigned int zeroes(uint64_t gpa, unsigned int len)
{
	const uint8_t *bytes = driver_at(&driver, gpa, len);
	unsigned int count = 0;

	for (unsigned int i = 0; i < len; i++)
		count += !bytes[i];
	return count;
}

static void test_random(void **state)
{
	uint64_t gpa = driver_alloc(&driver, 8192);

	(void)state;
	driver_add(&driver, 0, (struct buffer[]){ { gpa, 100, true }, { gpa + 100, 3900, true } },
		   2);
	driver_kick(&driver, 0);
	assert_int_equal(driver_wait(&driver, 0), 4000);
	/* 16 of them are zero on average; a hundred, once in the life of many universes. */
	assert_in_range(zeroes(gpa, 4000), 0, 100);
	assert_int_equal(zeroes(gpa + 4000, 4192), 4192);
	/* Not the same again. */
	driver_add(&driver, 0, (struct buffer[]){ { gpa + 4096, 64, true } }, 1);
	driver_kick(&driver, 0);
	assert_int_equal(driver_wait(&driver, 0), 64);
	assert_memory_not_equal(driver_at(&driver, gpa, 64), driver_at(&driver, gpa + 4096, 64),
				64);
}

/* More than a chain gets, room for nothing, and what is only to be read. */
static void test_lengths(void **state)
{
	uint64_t gpa = driver_alloc(&driver, HV_MIB);

	(void)state;
	driver_add(&driver, 0, (struct buffer[]){ { gpa, HV_MIB, true } }, 1);
	driver_kick(&driver, 0);
	assert_int_equal(driver_wait(&driver, 0), 64 * HV_KIB);
	assert_int_equal(zeroes(gpa + 64 * HV_KIB, 4096), 4096);
	driver_add(&driver, 0, (struct buffer[]){ { gpa, 16, false } }, 1);
	driver_kick(&driver, 0);
	assert_int_equal(driver_wait(&driver, 0), 0);
	driver_add(&driver, 0, (struct buffer[]){ { gpa, 0, true } }, 1);
	driver_kick(&driver, 0);
	assert_int_equal(driver_wait(&driver, 0), 0);
	driver_add(&driver, 0, (struct buffer[]){ { gpa, 16, false }, { gpa + 16, 1, true } }, 2);
	driver_kick(&driver, 0);
	assert_int_equal(driver_wait(&driver, 0), 1);
}

static uint64_t now_ms(void)
{
	return hv_monotonic_ns() / 1000000;
}

/* As fast as it can: 64 KiB in 10 ms, so that 2 MiB last 310. */
static void test_rate(void **state)
{
	uint64_t gpa = driver_alloc(&driver, 64 * HV_KIB), begin_ms = now_ms();
	const struct buffer buffer = { gpa, 64 * HV_KIB, true };

	(void)state;
	for (unsigned int i = 0; i < DRIVER_SIZE / 2; i++)
		driver_add(&driver, 0, &buffer, 1);
	driver_kick(&driver, 0);
	for (unsigned int i = 0; i < DRIVER_SIZE / 2; i++)
		assert_int_equal(driver_wait(&driver, 0), 64 * HV_KIB);
	assert_true(now_ms() - begin_ms >= 300);
}

/* The thread is there for others between two periods: a reset comes to its turn at once. */
static void test_reset(void **state)
{
	uint64_t gpa = driver_alloc(&driver, 64 * HV_KIB);
	const struct buffer buffer = { gpa, 64 * HV_KIB, true };
	uint32_t len;

	(void)state;
	for (unsigned int i = 0; i < DRIVER_SIZE; i++)
		driver_add(&driver, 0, &buffer, 1);
	driver_kick(&driver, 0);
	(void)driver_wait(&driver, 0);
	driver_stop(&driver);
	memset(driver_at(&driver, gpa, 64 * HV_KIB), 0, 64 * HV_KIB);
	usleep(30000);
	assert_int_equal(zeroes(gpa, 64 * HV_KIB), 64 * HV_KIB);
	driver_start(&driver, driver.dev, 0);
	assert_false(driver_take(&driver, 0, &len));
	driver_add(&driver, 0, &(struct buffer){ gpa, 32, true }, 1);
	driver_kick(&driver, 0);
	assert_int_equal(driver_wait(&driver, 0), 32);
}

/* Held while chains wait for the next period; it goes on with them without a kick. */
static void test_hold(void **state)
{
	uint64_t gpa = driver_alloc(&driver, 64 * HV_KIB);
	const struct buffer buffer = { gpa, 64 * HV_KIB, true };

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		driver_add(&driver, 0, &buffer, 1);
	driver_kick(&driver, 0);
	(void)driver_wait(&driver, 0);
	hv_virtio_hold(driver.dev);
	usleep(20000);
	hv_virtio_go_on(driver.dev);
	for (unsigned int i = 1; i < 8; i++)
		assert_int_equal(driver_wait(&driver, 0), 64 * HV_KIB);
}

static void test_outside_ram(void **state)
{
	(void)state;
	driver_add(&driver, 0, &(struct buffer){ DRIVER_MEMORY - 8, 16, true }, 1);
	driver_kick(&driver, 0);
	assert_true(driver_is_broken(&driver));
}

static void test_options(void **state)
{
	const struct hv_virtio_row *row = hv_virtio_find("rng");
	struct hv_error err = { .text = "" };

	(void)state;
	assert_non_null(row);
	assert_int_equal(row->check(NULL, &err), 0);
	assert_int_equal(row->check("", &err), 0);
	assert_int_equal(row->check("rate=5", &err), -EINVAL);
	assert_non_null(strstr(err.text, "\"rate=5\""));
}

#define BOTH(test)                                              \
	cmocka_unit_test_setup_teardown(test, begin_split, end), \
	cmocka_unit_test_setup_teardown(test, begin_packed, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_random),
		BOTH(test_lengths),
		BOTH(test_rate),
		BOTH(test_reset),
		BOTH(test_hold),
		BOTH(test_outside_ram),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests_name("virtio_rng", tests, NULL, NULL);
}
