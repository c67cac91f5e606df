// SPDX-License-Identifier: GPL-2.0-only
/* The memory map: ascending, without overlaps, all RAM but the BIOS area in it. */
#include "firmware/layout.h"
#include "hv_test.h"

static struct hv_memory memory_of(uint64_t low, uint64_t high)
{
	struct hv_memory memory = {
		.size = low + high,
		.range = { { 0, low, NULL }, { HV_GAP_END, high, NULL } },
		.count = high ? 2 : 1,
	};

	return memory;
}

static void check(uint64_t low, uint64_t high)
{
	struct hv_memory memory = memory_of(low, high);
	struct hv_range range[HV_LAYOUT_MAX_RANGES];
	size_t count = hv_layout_map(&memory, range, HV_LAYOUT_MAX_RANGES);
	uint64_t ram = 0, end = 0;

	assert_in_range(count, 1, HV_LAYOUT_MAX_RANGES);
	for (size_t i = 0; i < count; i++) {
		assert_true(range[i].len);
		assert_true(range[i].gpa >= end);
		end = range[i].gpa + range[i].len;
		if (range[i].kind == HV_RANGE_RAM)
			ram += range[i].len;
	}
	assert_int_equal(ram, low + high - (HV_LAYOUT_HIGH - HV_LAYOUT_EBDA));
}

static void test_map(void **state)
{
	(void)state;
	check(1 * HV_MIB, 0);
	check(128 * HV_MIB, 0);
	check(3 * HV_GIB, 0);
	check(3 * HV_GIB, 4096);
	check(3 * HV_GIB, 5 * HV_GIB);
}

static void test_short_of_room(void **state)
{
	struct hv_memory memory = memory_of(3 * HV_GIB, HV_GIB);
	struct hv_range range[2] = { { 0 } };

	(void)state;
	assert_int_equal(hv_layout_map(&memory, range, 1), 7);
	assert_int_equal(range[0].len, HV_LAYOUT_EBDA);
	assert_int_equal(range[1].len, 0);
	assert_int_equal(hv_layout_map(&memory, NULL, 0), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_short_of_room),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
