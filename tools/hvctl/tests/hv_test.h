/* SPDX-License-Identifier: GPL-2.0-only */
/* What the unit tests of hvctl share. */
#ifndef HV_TEST_H
#define HV_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/memory.h"

static inline void test_sleep_ms(unsigned int ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* Guest RAM for a test. */
static inline void test_memory(struct hv_memory *memory, uint64_t size)
{
	struct hv_error err;

	assert_int_equal(hv_memory_init(memory, size, &err), 0);
}

static inline void test_put(const struct hv_memory *memory, uint64_t gpa, const void *data,
			    size_t len)
{
	void *ram = hv_memory_at(memory, gpa, len);

	assert_non_null(ram);
	memcpy(ram, data, len);
}

static inline void test_put64(const struct hv_memory *memory, uint64_t gpa, uint64_t value)
{
	test_put(memory, gpa, &value, sizeof(value));
}

static inline void test_put32(const struct hv_memory *memory, uint64_t gpa, uint32_t value)
{
	test_put(memory, gpa, &value, sizeof(value));
}

static inline uint64_t test_get(const struct hv_memory *memory, uint64_t gpa, size_t len)
{
	uint64_t value = 0;
	const void *ram = hv_memory_at(memory, gpa, len);

	assert_non_null(ram);
	memcpy(&value, ram, len);
	return value;
}

#endif
