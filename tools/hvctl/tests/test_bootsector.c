// SPDX-License-Identifier: GPL-2.0-only
/* Boot sectors: what is taken for one, where it goes, and what is refused. */
#include "lib/x86.h"
#include "load_test.h"

static struct load_test t;
static uint8_t sector[1024];

static int begin(void **state)
{
	(void)state;
	load_test_begin(&t, 4 * HV_MIB);
	memset(sector, 0x90, sizeof(sector));
	memcpy(sector + 510, "\x55\xaa", 2);
	return 0;
}

static int end(void **state)
{
	(void)state;
	load_test_end(&t);
	return 0;
}

static void use(size_t size)
{
	t.config.path = load_test_file(&t, sector, size);
}

static void test_by_signature(void **state)
{
	(void)state;
	use(sizeof(sector));
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "bios");
	assert_true(t.payload.image.bios && t.payload.protocol->pc);
	assert_null(t.payload.image.note);
	assert_int_equal(t.boot.regs.rip, 0x7c00);
	assert_int_equal(t.boot.sregs.seg[TINYVMX_CS].base, 0);
	assert_true(t.boot.regs.rflags & X86_RFLAGS_IF);
	/* One sector, and no more. */
	assert_int_equal(load_test_get(&t, 0x7c00 + 510, 4), 0xaa55);
}

static void test_by_address(void **state)
{
	(void)state;
	/* Without a signature, and all of it. */
	sector[510] = 0;
	use(sizeof(sector));
	t.config.options.mode = HV_MODE_REAL;
	t.config.options.load = 0x7c00;
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "bios");
	assert_int_equal(load_test_get(&t, 0x7c00 + 512, 1), 0x90);
	t.config.options.entry = 0x7c02;
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, 0x7c02);
	t.config.options.entry = 0x7c00 + sizeof(sector);
	load_test_refuse(&t, "outside the boot sector");
}

static void test_short(void **state)
{
	(void)state;
	use(3);
	t.config.boot = "bios";
	load_test_accept(&t);
	assert_int_equal(load_test_get(&t, 0x7c00, 4), 0x909090);
}

/* Who says where a flat image goes means that. */
static void test_flat_all_the_same(void **state)
{
	(void)state;
	use(sizeof(sector));
	t.config.options.load = 0x8000;
	t.config.options.mode = HV_MODE_REAL;
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "flat");
	assert_false(t.payload.image.bios);
	t.config.options.load = HV_UNSET;
	t.config.options.mode = HV_MODE_LONG;
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "flat");
	t.config.boot = "bios";
	load_test_refuse(&t, "in real mode");
	t.config.options.mode = HV_MODE_REAL;
	t.config.options.load = 0x8000;
	load_test_refuse(&t, "runs at 0x7c00");
}

/* GRUB's core, behind its boot sector; and an ELF file that has the signature by chance. */
static void test_multiboot(void **state)
{
	const uint32_t header[3] = { 0x1badb002, 0, -0x1badb002 };

	(void)state;
	memcpy(sector + 512, header, sizeof(header));
	use(sizeof(sector));
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "bios");
	memcpy(sector, "\177ELF", 4);
	use(sizeof(sector));
	load_test_refuse(&t, "");
	assert_string_not_equal(t.payload.protocol ? t.payload.protocol->name : "", "bios");
}

static void test_disks(void **state)
{
	char last[3];

	(void)state;
	t.config.path = load_test_file(&t, NULL, 3 * HV_MIB);
	assert_int_equal(pwrite(t.file[0].fd, sector, 512, 0), 512);
	load_test_accept(&t);
	assert_non_null(strstr(t.payload.image.note, "finds no disk"));
	/* All of it is there to be read, of a large one, too. */
	t.config.path = load_test_file(&t, NULL, HV_FILE_HEAD + 1024);
	assert_int_equal(pwrite(t.file[1].fd, sector, 512, 0), 512);
	assert_int_equal(pwrite(t.file[1].fd, "end", 3, HV_FILE_HEAD + 1021), 3);
	load_test_accept(&t);
	assert_int_equal(t.payload.file.size, HV_FILE_HEAD + 1024);
	assert_true(hv_payload_read_image(&t.payload, HV_FILE_HEAD + 1021, last, sizeof(last)));
	assert_memory_equal(last, "end", sizeof(last));
	t.config.path = t.file[0].path;
	/* What has a name of its own is called by that. */
	assert_int_equal(pwrite(t.file[0].fd, "EFI PART", 8, 512), 8);
	load_test_refuse(&t, "GPT");
	t.config.boot = "bios";
	load_test_accept(&t);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_by_signature),      T(test_by_address), T(test_short),
		T(test_flat_all_the_same), T(test_multiboot),  T(test_disks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
