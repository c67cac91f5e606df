// SPDX-License-Identifier: GPL-2.0-only
/* First states: what VM entry and the guests' authors rely on. */
#include "emul/walk.h"
#include "hv_test.h"
#include "lib/x86.h"
#include "load/boot.h"

static struct hv_memory memory;
static struct hv_boot_areas areas;
static struct hv_boot boot;

static int new_memory(void **state)
{
	(void)state;
	test_memory(&memory, 2 * HV_MIB);
	return 0;
}

static int free_memory(void **state)
{
	(void)state;
	hv_memory_exit(&memory);
	return 0;
}

static struct hv_image flat(enum hv_mode mode, uint64_t load, uint64_t entry)
{
	return (struct hv_image){
		.mode = mode,
		.entry = entry,
		.count = 1,
		.segment[0] = { .gpa = load, .mem_size = 0x100 },
	};
}

static void start(enum hv_mode mode, uint64_t load, uint64_t entry, const char *cmdline)
{
	struct hv_image image = flat(mode, load, entry);
	struct hv_error err;

	if (hv_boot_plan(&areas, &image, cmdline, &err))
		fail_msg("refused: %s", err.text);
	hv_boot_prepare(&boot, &areas, &image, &memory, cmdline, &(struct hv_boot_env){ 0 });
}

static void test_long(void **state)
{
	const struct tinyvmx_segment *cs = &boot.sregs.seg[TINYVMX_CS];
	struct hv_paging paging;
	struct hv_fault fault;
	uint64_t gpa;

	(void)state;
	start(HV_MODE_LONG, 0x100000, 0x100004, "console=ttyS0");
	assert_int_equal(boot.regs.rip, 0x100004);
	assert_int_equal(boot.regs.rflags, 2);
	assert_int_equal(boot.regs.gpr[TINYVMX_RSP], HV_BOOT_STACK);
	assert_int_equal(boot.regs.gpr[TINYVMX_RDI], 2 * HV_MIB);
	assert_int_equal(boot.regs.gpr[TINYVMX_RAX], 0);
	assert_string_equal(hv_memory_at(&memory, boot.regs.gpr[TINYVMX_RSI], 14), "console=ttyS0");
	assert_int_equal(cs->ar, 0xa09b);
	assert_int_equal(boot.sregs.seg[TINYVMX_SS].ar, 0xc093);
	assert_int_equal(boot.sregs.seg[TINYVMX_TR].ar, 0x8b);
	assert_int_equal(test_get(&memory, boot.sregs.gdt_base + cs->selector, 8),
			 0x00af9b000000ffff);
	paging = (struct hv_paging){
		boot.sregs.cr0, boot.sregs.cr3, boot.sregs.cr4, boot.sregs.efer, 0, false
	};
	for (uint64_t gla = 0; gla < 4 * HV_GIB; gla += 0x1ffffff) {
		assert_true(hv_walk(&memory, &paging, gla, HV_WALK_WRITE | HV_WALK_PEEK, &gpa,
				    &fault, NULL));
		assert_int_equal(gpa, gla);
	}
	assert_false(hv_walk(&memory, &paging, 4 * HV_GIB, 0, &gpa, &fault, NULL));
}

static void test_long_with_much_ram(void **state)
{
	struct hv_image image = flat(HV_MODE_LONG, 0x100000, 0x100000);
	struct hv_memory big;
	struct hv_paging paging;
	struct hv_error err;
	struct hv_fault fault;
	uint64_t gpa;

	(void)state;
	if (hv_memory_init(&big, 5 * HV_GIB, &err))
		skip();
	assert_int_equal(hv_boot_plan(&areas, &image, "", &err), 0);
	hv_boot_prepare(&boot, &areas, &image, &big, "", &(struct hv_boot_env){ .huge_1g = true });
	paging = (struct hv_paging){
		boot.sregs.cr0, boot.sregs.cr3, boot.sregs.cr4, boot.sregs.efer, 0, false
	};
	assert_true(hv_walk(&big, &paging, 6 * HV_GIB - 1, 0, &gpa, &fault, NULL));
	assert_int_equal(gpa, 6 * HV_GIB - 1);
	assert_false(hv_walk(&big, &paging, 6 * HV_GIB, 0, &gpa, &fault, NULL));
	assert_int_equal(boot.regs.gpr[TINYVMX_RDI], 3 * HV_GIB);
	hv_memory_exit(&big);
}

static void test_protected(void **state)
{
	(void)state;
	start(HV_MODE_PROTECTED, 0x100000, 0x100000, "");
	assert_int_equal(boot.sregs.cr0 & (X86_CR0_PE | X86_CR0_PG), X86_CR0_PE);
	assert_int_equal(boot.sregs.efer, 0);
	assert_int_equal(boot.sregs.seg[TINYVMX_CS].ar, 0xc09b);
	assert_int_equal(test_get(&memory, boot.sregs.gdt_base + 8, 8), 0x00cf9b000000ffff);
	assert_int_equal(boot.sregs.idt_limit, 0);
	assert_int_equal(test_get(&memory, boot.regs.gpr[TINYVMX_RSI], 1), 0);
}

static void real(uint64_t load, uint64_t entry, uint16_t selector, uint64_t base, uint64_t ip)
{
	start(HV_MODE_REAL, load, entry, "");
	assert_int_equal(boot.sregs.seg[TINYVMX_CS].selector, selector);
	assert_int_equal(boot.sregs.seg[TINYVMX_CS].base, base);
	assert_int_equal(boot.regs.rip, ip);
	assert_int_equal(boot.sregs.cr0 & X86_CR0_PE, 0);
	assert_int_equal(boot.sregs.seg[TINYVMX_DS].base, 0);
	assert_int_equal(boot.sregs.seg[TINYVMX_DS].limit, 0xffff);
}

static void test_real(void **state)
{
	(void)state;
	real(0x8000, 0x8000, 0, 0, 0x8000);
	real(0x7c00, 0x7c10, 0, 0, 0x7c10);
	real(0x20000, 0x20010, 0x2000, 0x20000, 0x10);
	real(0x100000, 0x100000, 0, 0x100000, 0);
	real(0x120008, 0x120010, 0x2000, 0x120000, 0x10);
}

static void refused(struct hv_image image, const char *cmdline, const char *with)
{
	struct hv_error err = { .text = "" };

	assert_true(hv_boot_plan(&areas, &image, cmdline, &err) < 0);
	if (!strstr(err.text, with))
		fail_msg("\"%s\" does not say \"%s\"", err.text, with);
	assert_non_null(strchr(err.text, ';'));
}

/* Below 1 MiB from @begin to @end */
static struct hv_image low(enum hv_mode mode, uint64_t begin, uint64_t end)
{
	struct hv_image image = flat(mode, begin, begin);

	image.segment[0].mem_size = end - begin;
	return image;
}

static void test_refused(void **state)
{
	(void)state;
	refused(flat(HV_MODE_REAL, 4 * HV_GIB, 4 * HV_GIB), "", "4 GiB, which real");
	refused(flat(HV_MODE_PROTECTED, 4 * HV_GIB, 4 * HV_GIB), "", "4 GiB, which protected");
	refused(low(HV_MODE_PROTECTED, 0x800, 0xa0000), "", "no room for a GDT");
	refused(low(HV_MODE_PROTECTED, 0x2000, 0xa0000), "", "no room for a stack");
	refused(low(HV_MODE_PROTECTED, 0x3000, 0xa0000), "", "no room for the command line");
	refused(low(HV_MODE_LONG, 0x6000, 0xa0000), "", "no room for page tables");
	refused(low(HV_MODE_REAL, 0x600, 0xa0000), "words", "no room for the command line");
}

static void test_longest_command_line(void **state)
{
	char cmdline[HV_BOOT_CMDLINE_MAX];

	(void)state;
	memset(cmdline, 'x', sizeof(cmdline));
	cmdline[HV_BOOT_CMDLINE_MAX - 1] = 0;
	start(HV_MODE_LONG, 0x100000, 0x100000, cmdline);
	start(HV_MODE_REAL, 0x2000, 0x2000, "");
}

/* No two of hvctl's things in one place, and none where the image is. */
static void check_apart(const struct hv_image *image)
{
	for (size_t i = 0; i < HV_BOOT_THINGS; i++) {
		const struct hv_boot_area *a = &areas.area[i];

		if (!a->len)
			continue;
		assert_in_range(a->gpa, 0x1000, 0x9f000 - a->len);
		assert_false(hv_image_uses(image, a->gpa, a->len));
		for (size_t k = 0; k < i; k++) {
			const struct hv_boot_area *b = &areas.area[k];

			assert_true(a->gpa >= b->gpa + b->len || b->gpa >= a->gpa + a->len);
		}
	}
}

/* Wherever below 1 MiB an image is, hvctl's own things are elsewhere. */
static void test_things_give_way(void **state)
{
	struct hv_error err;

	(void)state;
	for (enum hv_mode mode = HV_MODE_REAL; mode <= HV_MODE_LONG; mode++)
		for (uint64_t begin = 0x600; begin < 0x9f000; begin += 0xa00) {
			struct hv_image image = low(mode, begin, begin + 0x10000);

			assert_int_equal(hv_boot_plan(&areas, &image, "x", &err), 0);
			assert_int_equal(
				hv_boot_take(&areas, HV_BOOT_THE_INFO, 0x3001, &image, &err), 0);
			assert_int_equal(areas.area[HV_BOOT_THE_INFO].len, 0x4000);
			check_apart(&image);
		}
}

/* A teaching kernel at 0x1000: its GDT and its words are elsewhere, and found. */
static void test_where_the_gdt_usually_is(void **state)
{
	(void)state;
	start(HV_MODE_PROTECTED, 0x1000, 0x1000, "words");
	assert_int_equal(boot.sregs.gdt_base, 0x9e000);
	assert_int_equal(test_get(&memory, boot.sregs.gdt_base + 8, 8), 0x00cf9b000000ffff);
	assert_string_equal(hv_memory_at(&memory, boot.regs.gpr[TINYVMX_RSI], 6), "words");
	assert_int_equal(boot.regs.gpr[TINYVMX_RSI], HV_BOOT_CMDLINE);
}

/* Protected mode has no page tables: 0x10000 is the image's. In long mode they move. */
static void test_where_page_tables_usually_are(void **state)
{
	(void)state;
	start(HV_MODE_PROTECTED, 0x10000, 0x10000, "");
	assert_int_equal(areas.area[HV_BOOT_THE_PAGE_TABLES].len, 0);
	assert_int_equal(boot.sregs.gdt_base, HV_BOOT_GDT);
	start(HV_MODE_LONG, 0x10000, 0x10000, "");
	assert_int_equal(boot.sregs.cr3, 0x99000);
	assert_int_equal(test_get(&memory, boot.sregs.cr3, 8), 0x9a003);
	start(HV_MODE_LONG, 0x7f000, 0x7f000, "");
	assert_int_equal(boot.sregs.cr3, HV_BOOT_PAGE_TABLES);
	assert_int_equal(boot.regs.gpr[TINYVMX_RSP], 0x9f000);
}

#define T(name) cmocka_unit_test_setup_teardown(name, new_memory, free_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_long),
		T(test_long_with_much_ram),
		T(test_protected),
		T(test_real),
		T(test_refused),
		T(test_longest_command_line),
		T(test_things_give_way),
		T(test_where_the_gdt_usually_is),
		T(test_where_page_tables_usually_are),
	};

	return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
