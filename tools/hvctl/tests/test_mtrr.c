// SPDX-License-Identifier: GPL-2.0-only
/* What hvctl tells a guest's CPU of memory types. */
#include "firmware/mtrr.h"
#include "hv_test.h"

static struct tinyvmx_msr msrs[HV_MTRR_COUNT];

static uint64_t value(uint32_t index)
{
	for (size_t i = 0; i < HV_MTRR_COUNT; i++)
		if (msrs[i].index == index)
			return msrs[i].value;
	fail_msg("no MSR 0x%x", index);
	return 0;
}

static void test_hole(void **state)
{
	(void)state;
	hv_mtrr_build(msrs, 40);
	assert_int_equal(value(0x200), 0xc0000000);
	assert_int_equal(value(0x201), 0xffc0000800);
	hv_mtrr_build(msrs, 36);
	assert_int_equal(value(0x201), 0xfc0000800);
}

static void test_low(void **state)
{
	(void)state;
	hv_mtrr_build(msrs, 40);
	assert_int_equal(value(0x250), 0x0606060606060606);
	assert_int_equal(value(0x258), 0x0606060606060606);
	assert_int_equal(value(0x259), 0);
	for (uint32_t index = 0x268; index < 0x270; index++)
		assert_int_equal(value(index), 0x0606060606060606);
}

/* The default is turned on when all else is there. */
static void test_order(void **state)
{
	(void)state;
	hv_mtrr_build(msrs, 40);
	assert_int_equal(msrs[HV_MTRR_COUNT - 1].index, 0x2ff);
	assert_int_equal(msrs[HV_MTRR_COUNT - 1].value, 0xc06);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_low),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
