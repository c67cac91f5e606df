// SPDX-License-Identifier: GPL-2.0-only
/* Flat firmware: ROM, shadow, reset vector; and the ROM as memory. */
#include "emul/guest.h"
#include "lib/x86.h"
#include "load_test.h"

static struct load_test t;
static uint8_t rom[512 * 1024];

static int begin(void **state)
{
	(void)state;
	load_test_begin(&t, 2 * HV_MIB);
	t.config.boot = "firmware";
	for (size_t i = 0; i < sizeof(rom); i++)
		rom[i] = i >> 10;
	return 0;
}

static int end(void **state)
{
	(void)state;
	load_test_end(&t);
	return 0;
}

static void test_reset_vector(void **state)
{
	const struct tinyvmx_segment *cs = &t.boot.sregs.seg[TINYVMX_CS];

	(void)state;
	t.config.path = load_test_file(&t, rom, 0x20000);
	load_test_accept(&t);
	assert_int_equal(cs->base, 0xffff0000);
	assert_int_equal(cs->selector, 0xf000);
	assert_int_equal(cs->limit, 0xffff);
	assert_int_equal(t.boot.regs.rip, 0xfff0);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RDX], t.env.signature);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RSP], 0);
	assert_int_equal(t.boot.sregs.cr0 & (X86_CR0_PE | X86_CR0_PG), 0);
	assert_memory_equal(hv_memory_at(&t.memory, 4 * HV_GIB - 0x20000, 0x20000), rom, 0x20000);
	assert_memory_equal(hv_memory_at(&t.memory, 0xe0000, 0x20000), rom, 0x20000);
}

static void test_shadow_of_the_last_part(void **state)
{
	(void)state;
	t.config.path = load_test_file(&t, rom, sizeof(rom));
	load_test_accept(&t);
	assert_memory_equal(hv_memory_at(&t.memory, 4 * HV_GIB - sizeof(rom), sizeof(rom)), rom,
			    sizeof(rom));
	assert_memory_equal(hv_memory_at(&t.memory, 0xc0000, 0x40000), rom + 0x40000, 0x40000);
	assert_int_equal(load_test_get(&t, 0xbffff, 1), 0);
	assert_null(hv_memory_at(&t.memory, 4 * HV_GIB - sizeof(rom) - 1, 2));
	assert_null(hv_memory_at(&t.memory, 4 * HV_GIB - 1, 2));
}

static void test_larger_than_ram(void **state)
{
	(void)state;
	t.config.path = load_test_file(&t, NULL, 4 * HV_MIB);
	load_test_accept(&t);
	assert_non_null(hv_memory_at(&t.memory, 4 * HV_GIB - 4 * HV_MIB, 4 * HV_MIB));
}

static void test_rom_is_not_written(void **state)
{
	struct hv_bus bus = { 0 };
	struct hv_guest guest = { .memory = &t.memory, .bus = &bus };
	uint64_t value = 0x55;

	(void)state;
	t.config.path = load_test_file(&t, rom, 0x1000);
	load_test_accept(&t);
	assert_true(hv_guest_access(&guest, 0xffffffff, 1, true, &value));
	assert_true(hv_guest_access(&guest, 0xffffffff, 1, false, &value));
	assert_int_equal(value, rom[0xfff]);
	value = 0x55;
	assert_true(hv_guest_access(&guest, 0xfffff, 1, true, &value));
	assert_int_equal(load_test_get(&t, 0xfffff, 1), 0x55);
}

static void refuse_size(size_t size)
{
	hv_memory_exit(&t.memory);
	test_memory(&t.memory, 32 * HV_MIB);
	t.config.path = load_test_file(&t, NULL, size);
	load_test_refuse(&t, "16 MiB");
	hv_payload_free(&t.payload);
}

static void test_refused(void **state)
{
	(void)state;
	refuse_size(0x1001);
	refuse_size(16);
	refuse_size(HV_ROM_MAX + 0x1000);
	t.config.path = load_test_file(&t, rom, 0x1000);
	t.config.options.entry = 0xffff0;
	load_test_refuse(&t, "--entry");
	hv_payload_free(&t.payload);
	t.config.options.entry = HV_UNSET;
	load_test_accept(&t);
}

static void test_module_refused(void **state)
{
	(void)state;
	t.config.path = load_test_file(&t, rom, 0x1000);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "x", 1));
	load_test_refuse(&t, "to a kernel only");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_reset_vector),    T(test_shadow_of_the_last_part),
		T(test_larger_than_ram), T(test_rom_is_not_written),
		T(test_refused),         T(test_module_refused),
	};

	return cmocka_run_group_tests_name("firmware", tests, NULL, NULL);
}
