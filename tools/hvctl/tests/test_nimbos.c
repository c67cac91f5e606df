// SPDX-License-Identifier: GPL-2.0-only
/* NimbOS kernels: the stub, ours or a foreign one, and the real mode it is entered in. */
#include "lib/x86.h"
#include "load/nimbos_stub.h"
#include "load_test.h"

static struct load_test t;

static int begin(void **state)
{
	(void)state;
	load_test_begin(&t, 16 * HV_MIB);
	t.config.boot = "nimbos";
	t.config.path = load_test_file(&t, "\x90\x90kernel", 9);
	return 0;
}

static int end(void **state)
{
	(void)state;
	load_test_end(&t);
	return 0;
}

static void check_state(uint64_t rip)
{
	for (unsigned int i = 0; i < TINYVMX_NR_GPR; i++)
		assert_int_equal(t.boot.regs.gpr[i], 0);
	assert_int_equal(t.boot.regs.rip, rip);
	for (unsigned int i = TINYVMX_ES; i <= TINYVMX_GS; i++) {
		assert_int_equal(t.boot.sregs.seg[i].selector, 0);
		assert_int_equal(t.boot.sregs.seg[i].base, 0);
	}
	assert_int_equal(t.boot.sregs.cr0 & X86_CR0_PE, 0);
}

static void test_own_stub(void **state)
{
	size_t size = hv_nimbos_stub_end - hv_nimbos_stub;

	(void)state;
	load_test_accept(&t);
	check_state(0x8000);
	assert_in_range(size, 1, 0x200);
	assert_memory_equal(hv_memory_at(&t.memory, 0x8000, size), hv_nimbos_stub, size);
	assert_string_equal(load_test_string(&t, 0x200002), "kernel");
	/* It hands over multiboot information. */
	assert_int_equal(load_test_get(&t, HV_BOOT_INFO + 8, 4), 15 * 1024);
	assert_int_equal(load_test_get(&t, HV_BOOT_INFO, 4) & 4, 4);
	assert_int_not_equal(load_test_get(&t, HV_BOOT_INFO + 16, 4), 0);
	assert_string_equal(load_test_string(&t, load_test_get(&t, HV_BOOT_INFO + 16, 4)), "");
}

static void test_foreign_stub(void **state)
{
	(void)state;
	t.config.bios = load_test_file(&t, "stub", 5);
	load_test_accept(&t);
	check_state(0x8000);
	assert_string_equal(load_test_string(&t, 0x8000), "stub");
}

static void test_foreign_stub_elsewhere(void **state)
{
	(void)state;
	t.config.bios = load_test_file(&t, "stub", 5);
	t.config.bios_gpa = 0x9000;
	load_test_accept(&t);
	check_state(0x9000);
	assert_string_equal(load_test_string(&t, 0x9000), "stub");
	assert_int_equal(load_test_get(&t, 0x8000, 1), 0);
}

static void test_place_without_stub(void **state)
{
	(void)state;
	t.config.bios_gpa = 0x9000;
	load_test_accept(&t);
	check_state(0x8000);
}

static void refuse_stub_at(uint64_t gpa, size_t size, const char *with)
{
	t.config.bios = load_test_file(&t, NULL, size);
	t.config.bios_gpa = gpa;
	load_test_refuse(&t, with);
	assert_string_equal(t.payload.subject, t.config.bios);
	hv_payload_free(&t.payload);
}

static void test_refused_stub(void **state)
{
	(void)state;
	refuse_stub_at(0x6fff, 1, "another @GPA");
	refuse_stub_at(0x10000, 1, "another @GPA");
	refuse_stub_at(0xffff, 2, "another @GPA");
	refuse_stub_at(0x8000, 0x8001, "another @GPA");
	refuse_stub_at(0x8000, 0, "empty");
	t.config.bios = "/nonexistent/stub";
	load_test_refuse(&t, "no such file");
	assert_string_equal(t.payload.subject, "/nonexistent/stub");
}

static void test_refused_options(void **state)
{
	(void)state;
	t.config.options.load = 0x100000;
	load_test_refuse(&t, "--load");
	hv_payload_free(&t.payload);
	t.config.options.load = HV_UNSET;
	t.config.options.mode = HV_MODE_PROTECTED;
	load_test_refuse(&t, "--mode");
	hv_payload_free(&t.payload);
	t.config.options.mode = HV_MODE_DEFAULT;
	t.config.boot = "flat";
	t.config.bios = load_test_file(&t, "x", 1);
	load_test_refuse(&t, "--boot nimbos");
	assert_string_equal(t.payload.subject, "--bios");
}

static void test_refused_elf(void **state)
{
	(void)state;
	t.config.path = load_test_file(&t, "\177ELF and more", 13);
	load_test_refuse(&t, ".bin");
}

static void test_refused_ram(void **state)
{
	(void)state;
	hv_memory_exit(&t.memory);
	test_memory(&t.memory, 15 * HV_MIB);
	load_test_refuse(&t, "16 MiB");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_own_stub),           T(test_foreign_stub), T(test_foreign_stub_elsewhere),
		T(test_place_without_stub), T(test_refused_stub), T(test_refused_options),
		T(test_refused_elf),        T(test_refused_ram),
	};

	return cmocka_run_group_tests_name("nimbos", tests, NULL, NULL);
}
