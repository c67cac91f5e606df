// SPDX-License-Identifier: GPL-2.0-only
/* INS and OUTS: counts, directions, address sizes, faults in the middle. */
#include "emul/strio.h"
#include "hv_test.h"
#include "lib/x86.h"

static struct hv_memory memory;
static struct hv_bus bus;
static struct hv_region port;
static uint8_t sent[8192];
static unsigned int logged, reads;

static void port_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	(void)dev;
	(void)offset;
	if (write) {
		memcpy(sent + logged, value, width);
		logged += width;
	} else {
		*value = 0xa0a0a0a0 + reads++;
	}
}

static int setup(void **state)
{
	(void)state;
	test_memory(&memory, 2 * HV_MIB);
	bus = (struct hv_bus){ 0 };
	port = (struct hv_region){ "port", HV_PORT, 0x300, 4, port_access, NULL };
	logged = reads = 0;
	return hv_bus_register(&bus, &port);
}

static int teardown(void **state)
{
	(void)state;
	hv_memory_exit(&memory);
	return 0;
}

static struct hv_guest new_guest(void)
{
	return (struct hv_guest){ .memory = &memory, .bus = &bus };
}

static struct tinyvmx_exit_io new_io(unsigned int width, uint32_t flags, unsigned int address_size,
				     uint64_t gla)
{
	return (struct tinyvmx_exit_io){
		.port = 0x300,
		.width = width,
		.flags = flags | TINYVMX_IO_STRING,
		.address_size = address_size,
		.gla = gla,
	};
}

static void test_rep_outsb(void **state)
{
	struct hv_guest guest = new_guest();
	struct tinyvmx_regs regs = { .rip = 0x100,
				     .gpr[TINYVMX_RSI] = 0x5000,
				     .gpr[TINYVMX_RCX] = 5 };
	struct tinyvmx_exit_io io = new_io(1, TINYVMX_IO_REP, 4, 0x5000);

	(void)state;
	test_put(&memory, 0x5000, "hello", 5);
	assert_true(hv_strio(&guest, &regs, &io, 2));
	assert_int_equal(logged, 5);
	assert_memory_equal(sent, "hello", 5);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 0);
	assert_int_equal(regs.gpr[TINYVMX_RSI], 0x5005);
	assert_int_equal(regs.rip, 0x102);
}

static void test_one_insd_backwards(void **state)
{
	struct hv_guest guest = new_guest();
	struct tinyvmx_regs regs = { .rflags = X86_RFLAGS_DF,
				     .gpr[TINYVMX_RDI] = 0x5000,
				     .gpr[TINYVMX_RCX] = 9 };
	struct tinyvmx_exit_io io = new_io(4, TINYVMX_IO_IN, 8, 0x5000);

	(void)state;
	assert_true(hv_strio(&guest, &regs, &io, 1));
	assert_int_equal(test_get(&memory, 0x5000, 8), 0xa0a0a0a0);
	assert_int_equal(regs.gpr[TINYVMX_RDI], 0x4ffc);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 9);
	assert_int_equal(regs.rip, 1);
}

static void test_16_bit_addresses_wrap_in_their_segment(void **state)
{
	struct hv_guest guest = new_guest();
	struct tinyvmx_regs regs = {
		.gpr[TINYVMX_RDI] = 0xabcd0000ffff,
		.gpr[TINYVMX_RCX] = 0x10002,
	};
	/* ES base 0x20000: the first element is at its end, the next at its beginning. */
	struct tinyvmx_exit_io io = new_io(1, TINYVMX_IO_IN | TINYVMX_IO_REP, 2, 0x2ffff);

	(void)state;
	assert_true(hv_strio(&guest, &regs, &io, 2));
	assert_int_equal(reads, 2);
	assert_int_equal(test_get(&memory, 0x2ffff, 1), 0xa0);
	assert_int_equal(test_get(&memory, 0x20000, 1), 0xa1);
	assert_int_equal(regs.gpr[TINYVMX_RDI], 0xabcd00000001);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 0x10000);
	assert_int_equal(regs.rip, 2);
}

static void test_32_bit_addresses_clear_the_upper_half(void **state)
{
	struct hv_guest guest = new_guest();
	struct tinyvmx_regs regs = {
		.gpr[TINYVMX_RSI] = 0x1200005000,
		.gpr[TINYVMX_RCX] = 0x3400000001,
	};
	struct tinyvmx_exit_io io = new_io(2, TINYVMX_IO_REP, 4, 0x5000);

	(void)state;
	assert_true(hv_strio(&guest, &regs, &io, 2));
	assert_int_equal(regs.gpr[TINYVMX_RSI], 0x5002);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 0);
}

static void test_count_zero(void **state)
{
	struct hv_guest guest = new_guest();
	struct tinyvmx_regs regs = { .gpr[TINYVMX_RSI] = 0x5000 };
	struct tinyvmx_exit_io io = new_io(1, TINYVMX_IO_REP, 8, 0x5000);

	(void)state;
	assert_true(hv_strio(&guest, &regs, &io, 2));
	assert_int_equal(logged, 0);
	assert_int_equal(regs.rip, 2);
}

static void test_long_ones_come_back(void **state)
{
	struct hv_guest guest = new_guest();
	struct tinyvmx_regs regs = { .rip = 7,
				     .gpr[TINYVMX_RSI] = 0x5000,
				     .gpr[TINYVMX_RCX] = HV_STRIO_BATCH + 1 };
	struct tinyvmx_exit_io io = new_io(1, TINYVMX_IO_REP, 8, 0x5000);

	(void)state;
	assert_true(hv_strio(&guest, &regs, &io, 2));
	assert_int_equal(logged, HV_STRIO_BATCH);
	assert_int_equal(regs.rip, 7);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 1);
	io.gla += HV_STRIO_BATCH;
	assert_true(hv_strio(&guest, &regs, &io, 2));
	assert_int_equal(regs.rip, 9);
}

static void test_fault_in_the_middle(void **state)
{
	struct hv_guest guest = new_guest();
	struct tinyvmx_regs regs = { .gpr[TINYVMX_RDI] = 0x5ffe, .gpr[TINYVMX_RCX] = 4 };
	struct tinyvmx_exit_io io = new_io(1, TINYVMX_IO_IN | TINYVMX_IO_REP, 4, 0x5ffe);

	(void)state;
	/* Two levels, page 5 mapped, page 6 not. */
	guest.paging = (struct hv_paging){ .cr0 = X86_CR0_PE | X86_CR0_PG, .cr3 = 0x1000 };
	test_put32(&memory, 0x1000, 0x2000 | X86_PTE_P | X86_PTE_W);
	test_put32(&memory, 0x2000 + 5 * 4, 0x5000 | X86_PTE_P | X86_PTE_W);
	assert_false(hv_strio(&guest, &regs, &io, 2));
	assert_int_equal(guest.fault.vector, X86_VECTOR_PF);
	assert_int_equal(guest.fault.cr2, 0x6000);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 2);
	assert_int_equal(regs.gpr[TINYVMX_RDI], 0x6000);
	assert_int_equal(regs.rip, 0);
	/* The third element was not taken from the port. */
	assert_int_equal(reads, 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rep_outsb),
		T(test_one_insd_backwards),
		T(test_16_bit_addresses_wrap_in_their_segment),
		T(test_32_bit_addresses_clear_the_upper_half),
		T(test_count_zero),
		T(test_long_ones_come_back),
		T(test_fault_in_the_middle),
	};

	return cmocka_run_group_tests_name("strio", tests, NULL, NULL);
}
