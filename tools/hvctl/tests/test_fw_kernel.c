// SPDX-License-Identifier: GPL-2.0-only
/* A kernel that firmware is to start: taken apart, its header filled in, and each refusal. */
#include "lib/util.h"
#include "load_test.h"

#define SETUP     (4 * 512)
#define CODE      0x3000
#define PREFERRED 0x1000000
#define INIT_SIZE 0x800000
#define RAM       (64 * HV_MIB)

static const struct {
	uint16_t at;
	uint8_t bytes;
	uint32_t value;
} header[] = {
	{ 0x1f1, 1, 3 },         { 0x1fe, 2, 0xaa55 },     { 0x206, 2, 0x20f },
	{ 0x211, 1, 1 },         { 0x22c, 4, 0x7fffffff }, { 0x238, 4, 2047 },
	{ 0x258, 4, PREFERRED }, { 0x260, 4, INIT_SIZE },
};

static struct load_test t;
static uint8_t image[SETUP + CODE];

static void put(size_t at, uint64_t value, unsigned int bytes)
{
	memcpy(image + at, &value, bytes);
}

static uint64_t setup_field(size_t at, unsigned int bytes)
{
	return hv_file_field(&t.payload.setup, at, bytes);
}

static int begin(void **state)
{
	static const uint8_t rom[0x1000];

	(void)state;
	load_test_begin(&t, RAM);
	memset(image, 0, sizeof(image));
	memset(image + SETUP, 0x90, CODE);
	memcpy(image + 0x202, "HdrS", 4);
	for (size_t i = 0; i < ARRAY_SIZE(header); i++)
		put(header[i].at, header[i].value, header[i].bytes);
	t.config.boot = "firmware";
	t.config.path = load_test_file(&t, rom, sizeof(rom));
	return 0;
}

static int end(void **state)
{
	(void)state;
	load_test_end(&t);
	return 0;
}

static void use_image(size_t size)
{
	t.config.kernel = load_test_file(&t, image, size);
}

static void test_parts(void **state)
{
	const struct hv_fw_kernel *kernel = &t.payload.fw_kernel;

	(void)state;
	use_image(sizeof(image));
	/* Firmware finds no VGA BIOS: a screen is no console. */
	t.config.desk = true;
	t.config.append = "quiet";
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "12345", 5));
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "6", 1));
	load_test_accept(&t);
	assert_int_equal(kernel->setup.size, SETUP);
	assert_int_equal(kernel->kernel.size, CODE);
	assert_memory_equal(kernel->kernel.data, image + SETUP, CODE);
	assert_string_equal(kernel->cmdline, "console=ttyS0 panic=-1 quiet");
	assert_int_equal(kernel->initrd.size, 12);
	assert_memory_equal(kernel->initrd.data,
			    "12345\0\0\0"
			    "6\0\0",
			    12);
	/* As high as firmware leaves room, and behind the kernel. */
	assert_int_equal(kernel->initrd_gpa, RAM - 4 * HV_MIB - 0x1000);
	assert_int_equal(setup_field(0x210, 1), 0xff);
	assert_int_equal(setup_field(0x211, 1), 0x81);
	assert_int_equal(setup_field(0x218, 4), kernel->initrd_gpa);
	assert_int_equal(setup_field(0x21c, 4), 12);
	assert_int_equal(setup_field(0x224, 2), 0xfe00);
	assert_int_equal(setup_field(0x228, 4), 0x20000);
	/* Firmware fetches it: RAM is as it was. */
	assert_int_equal(load_test_get(&t, kernel->initrd_gpa, 4), 0);
	assert_int_equal(load_test_get(&t, 0x100000, 4), 0);
	assert_int_equal(load_test_get(&t, HV_BOOT_CMDLINE, 4), 0);
}

static void test_no_initrd(void **state)
{
	(void)state;
	use_image(sizeof(image));
	load_test_accept(&t);
	assert_int_equal(t.payload.fw_kernel.initrd.size, 0);
	assert_int_equal(setup_field(0x218, 4), 0);
	assert_int_equal(setup_field(0x21c, 4), 0);
}

static void test_no_kernel(void **state)
{
	(void)state;
	load_test_accept(&t);
	assert_int_equal(t.payload.fw_kernel.kernel.size, 0);
	hv_payload_free(&t.payload);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "x", 1));
	load_test_refuse(&t, "to a kernel only");
	assert_string_equal(t.payload.subject, t.config.initrd[0]);
}

static void refuse(size_t size, const char *with)
{
	hv_memory_exit(&t.memory);
	test_memory(&t.memory, RAM);
	use_image(size);
	load_test_refuse(&t, with);
	assert_string_equal(t.payload.subject, t.config.kernel);
	hv_payload_free(&t.payload);
}

static void test_refused(void **state)
{
	(void)state;
	refuse(0x22f, "truncated");
	refuse(SETUP, "truncated");
	put(0x1f4, CODE / 16 + 2, 4);
	refuse(sizeof(image), "truncated");
	put(0x1f4, 0, 4);
	put(0x206, 0x202, 2);
	refuse(sizeof(image), "boot protocol 2.02");
	put(0x206, 0x20f, 2);
	put(0x211, 0, 1);
	refuse(sizeof(image), "zImage");
	put(0x211, 1, 1);
	put(0x238, 1, 4);
	refuse(sizeof(image), "command line of 1 bytes");
	put(0x238, 2047, 4);
	put(0x260, RAM - PREFERRED, 4);
	refuse(sizeof(image), "--mem 68M");
	put(0x258, UINT64_MAX, 8);
	refuse(sizeof(image), "damaged");
	put(0x202, 0, 1);
	refuse(sizeof(image), "leave out --firmware");
}

static void test_initrd_too_large(void **state)
{
	(void)state;
	put(0x22c, 0x1800fff, 4);
	use_image(sizeof(image));
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, NULL, 0x2000));
	load_test_refuse(&t, "do not fit");
}

/* What firmware and kernels find by name. */
static void test_files(void **state)
{
	(void)state;
	assert_true(hv_payload_config_add_fw_file(&t.config, "opt/a", load_test_file(&t, "a", 1)));
	assert_true(hv_payload_config_add_fw_file(&t.config, "opt/b", "/nonexistent"));
	load_test_refuse(&t, "no such file");
	assert_string_equal(t.payload.subject, "/nonexistent");
	hv_payload_free(&t.payload);
	hv_memory_exit(&t.memory);
	test_memory(&t.memory, RAM);
	t.config.fw_files = 1;
	load_test_accept(&t);
	assert_memory_equal(t.payload.fw_file[0].data, "a", 1);
	t.config.fw_files = HV_PAYLOAD_MAX_FW_FILES;
	assert_false(hv_payload_config_add_fw_file(&t.config, "opt/c", "c"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_parts),   T(test_no_initrd),        T(test_no_kernel),
		T(test_refused), T(test_initrd_too_large), T(test_files),
	};

	return cmocka_run_group_tests_name("fw_kernel", tests, NULL, NULL);
}
