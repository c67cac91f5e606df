// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC's page: which accesses reach which register, and the ICR of two halves. */
#include "dev_test.h"

#include "dev/xapic.h"

static struct {
	unsigned int reg;
	uint64_t value;
	unsigned int reads, writes;
	int error;
} kernel;

static int kernel_read(unsigned int reg, uint64_t *value)
{
	kernel.reg = reg;
	kernel.reads++;
	*value = 0x11223344 + reg;
	return kernel.error;
}

static int kernel_write(unsigned int reg, uint64_t value)
{
	kernel.reg = reg;
	kernel.value = value;
	kernel.writes++;
	return kernel.error;
}

static struct bench bench;
static struct hv_xapic xapic;

static int setup(void **state)
{
	static const struct hv_xapic_config config = {
		.bus = &bench.bus,
		.read = kernel_read,
		.write = kernel_write,
	};

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	bench_init(&bench);
	return hv_xapic_init(&xapic, &config);
}

static uint64_t read_at(uint64_t offset, unsigned int width)
{
	return bench_read(&bench, HV_MMIO, offset, width);
}

static void write_at(uint64_t offset, unsigned int width, uint64_t value)
{
	bench_write(&bench, HV_MMIO, offset, width, value);
}

static void test_read(void **state)
{
	(void)state;
	assert_int_equal(read_at(0x20, 4), 0x11223346);
	assert_int_equal(kernel.reg, 2);
	assert_int_equal(read_at(0x30, 1), 0x47);
	assert_int_equal(read_at(0x32, 2), 0x1122);
	assert_int_equal(kernel.reads, 3);
}

static void test_undefined_reads(void **state)
{
	(void)state;
	assert_int_equal(read_at(0x24, 4), 0);
	assert_int_equal(read_at(0x20, 8), 0);
	assert_int_equal(read_at(0x400, 4), 0);
	assert_int_equal(read_at(0xffc, 4), 0);
	assert_int_equal(kernel.reads, 0);
	kernel.error = -EINVAL;
	assert_int_equal(read_at(0x20, 4), 0);
}

static void test_write(void **state)
{
	(void)state;
	write_at(0xf0, 4, 0x1ff);
	assert_int_equal(kernel.reg, 0x0f);
	assert_int_equal(kernel.value, 0x1ff);
	write_at(0x320, 4, UINT32_MAX);
	assert_int_equal(kernel.reg, 0x32);
	assert_true(kernel.value == UINT32_MAX);
	kernel.error = -EINVAL;
	write_at(0xb0, 4, 0);
	assert_int_equal(kernel.reg, 0x0b);
	assert_int_equal(kernel.writes, 3);
	write_at(0xf4, 4, 1);
	write_at(0xf0, 1, 1);
	write_at(0xf0, 8, 1);
	write_at(0x400, 4, 1);
	assert_int_equal(kernel.writes, 3);
}

static void test_icr(void **state)
{
	(void)state;
	write_at(0x310, 4, 0x03000000);
	assert_int_equal(kernel.reg, 0x31);
	assert_int_equal(kernel.writes, 1);
	/* The destination is what the kernel has in the high half, here 11H. */
	write_at(0x300, 4, 0x40f0);
	assert_int_equal(kernel.reg, 0x30);
	assert_int_equal(kernel.writes, 2);
	assert_true(kernel.value == 0x11000040f0ULL);
	kernel.error = -EINVAL;
	write_at(0x300, 4, 0x40f0);
	assert_true(kernel.value == 0x40f0);
}

static void test_taken_place(void **state)
{
	struct hv_xapic other;

	(void)state;
	assert_int_equal(hv_xapic_init(&other, &xapic.config), -EEXIST);
	hv_xapic_exit(&xapic);
	assert_int_equal(bench.bus.count[HV_MMIO], 0);
	assert_int_equal(hv_xapic_init(&other, &xapic.config), 0);
	hv_xapic_exit(&other);
}

#define XAPIC_TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		XAPIC_TEST(test_read), XAPIC_TEST(test_undefined_reads), XAPIC_TEST(test_write),
		XAPIC_TEST(test_icr),  XAPIC_TEST(test_taken_place),
	};

	return cmocka_run_group_tests_name("xapic", tests, NULL, NULL);
}
