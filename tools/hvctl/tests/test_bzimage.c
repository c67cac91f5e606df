// SPDX-License-Identifier: GPL-2.0-only
/* Linux bzImages, made here: what the kernel is told, and each reason to refuse one. */
#include "firmware/acpi.h"
#include "lib/util.h"
#include "lib/x86.h"
#include "load_test.h"

#define PARAMS HV_BOOT_INFO
#define SECTOR 512
#define SETUP_SECTORS 3
#define SETUP ((SETUP_SECTORS + 1) * SECTOR)
#define CODE 0x3000			/* bytes of the compressed kernel */
#define RAM (64 * HV_MIB)
#define PREFERRED 0x1000000
#define INIT_SIZE 0x1000000

struct bzimage {
	uint8_t byte[SETUP + CODE];
};

static void put(struct bzimage *image, size_t at, uint64_t value, unsigned int bytes)
{
	memcpy(image->byte + at, &value, bytes);
}

static const struct {
	uint16_t at;
	uint8_t bytes;
	uint32_t value;
} header[] = {
	{ 0x1f1, 1, SETUP_SECTORS }, { 0x1f4, 4, CODE / 16 },
	{ 0x1fe, 2, 0xaa55 },        { 0x200, 2, 0x6aeb },
	{ 0x206, 2, 0x20f },         { 0x211, 1, 1 },          /* loadflags: high */
	{ 0x214, 4, 0x100000 },      { 0x22c, 4, 0x7fffffff }, /* initrd_addr_max */
	{ 0x230, 4, 0x200000 },      { 0x234, 1, 1 },
	{ 0x236, 2, 0x3f }, /* xloadflags */
	{ 0x238, 4, 2047 }, /* cmdline_size */
	{ 0x248, 4, 0x100 },         { 0x24c, 4, CODE - 0x100 },
	{ 0x258, 4, PREFERRED },     { 0x260, 4, INIT_SIZE },
};

static struct bzimage new_image(void)
{
	struct bzimage image = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(header); i++)
		put(&image, header[i].at, header[i].value, header[i].bytes);
	memcpy(image.byte + 0x202, "HdrS", 4);
	memset(image.byte + SETUP, 0x90, CODE);
	return image;
}

DEFINE_LOAD_TEST(RAM);

static void use(const struct bzimage *image)
{
	t.config.path = load_test_file(&t, image, sizeof(*image));
}

static void test_64_bit_entry(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	use(&image);
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "linux");
	assert_true(t.payload.protocol->pc);
	assert_int_equal(t.boot.regs.rip, 0x100200);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RSI], PARAMS);
	assert_int_equal(t.boot.sregs.seg[TINYVMX_CS].selector, 0x10);
	assert_int_equal(t.boot.sregs.seg[TINYVMX_DS].selector, 0x18);
	assert_int_equal(t.boot.sregs.gdt_limit, 0x1f);
	assert_int_equal(load_test_get(&t, t.boot.sregs.gdt_base + 0x10, 8), 0x00af9b000000ffff);
	assert_int_equal(load_test_get(&t, t.boot.sregs.gdt_base + 0x18, 8), 0x00cf93000000ffff);
	assert_int_equal(t.boot.sregs.efer, X86_EFER_LME | X86_EFER_LMA);
	assert_int_equal(t.boot.regs.rflags & X86_RFLAGS_IF, 0);
	assert_int_equal(load_test_get(&t, 0x100000, 1), 0x90);
	assert_int_equal(load_test_get(&t, 0x100000 + CODE - 1, 1), 0x90);
	assert_int_equal(load_test_get(&t, 0x100000 + CODE, 1), 0);
}

static void test_32_bit_entry(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	/* Too old to say that it is for x86-64, too. */
	put(&image, 0x206, 0x20b, 2);
	put(&image, 0x236, 0, 2);
	use(&image);
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, 0x100000);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RSI], PARAMS);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RBP], 0);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RDI], 0);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RBX], 0);
	assert_int_equal(t.boot.sregs.cr0 & (X86_CR0_PE | X86_CR0_PG), X86_CR0_PE);
	assert_int_equal(t.boot.sregs.seg[TINYVMX_CS].selector, 0x10);
	assert_int_equal(t.boot.sregs.seg[TINYVMX_CS].ar, 0xc09b);
	assert_int_equal(load_test_get(&t, t.boot.sregs.gdt_base + 0x10, 8), 0x00cf9b000000ffff);
}

static void test_32_bit_on_request(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	use(&image);
	t.config.options.mode = HV_MODE_PROTECTED;
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, 0x100000);
}

static void test_old_protocol(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	/* 2.03: all later fields mean nothing yet. */
	put(&image, 0x206, 0x203, 2);
	put(&image, 0x1f4, 0xffff0000 | CODE / 16, 4);
	put(&image, 0x260, UINT32_MAX, 4);
	use(&image);
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, 0x100000);
}

static void test_boot_params(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	use(&image);
	t.env.rsdp = HV_ACPI_GPA;
	load_test_accept(&t);
	/* The header as it was, and what the loader fills in. */
	assert_int_equal(load_test_get(&t, PARAMS + 0x202, 4), 0x53726448);
	assert_int_equal(load_test_get(&t, PARAMS + 0x260, 4), INIT_SIZE);
	assert_int_equal(load_test_get(&t, PARAMS + 0x210, 1), 0xff);
	assert_int_equal(load_test_get(&t, PARAMS + 0x1ef, 1), 0);
	assert_int_equal(load_test_get(&t, PARAMS + 0x070, 8), HV_ACPI_GPA);
	assert_string_equal(load_test_string(&t, load_test_get(&t, PARAMS + 0x228, 4)),
			    "console=ttyS0 panic=-1");
	assert_int_equal(load_test_get(&t, PARAMS + 0x218, 4), 0);
	/* e820: first and last RAM */
	assert_in_range(load_test_get(&t, PARAMS + 0x1e8, 1), 3, 128);
	assert_int_equal(load_test_get(&t, PARAMS + 0x2d0, 8), 0);
	assert_int_equal(load_test_get(&t, PARAMS + 0x2d8, 8), 0x9fc00);
	assert_int_equal(load_test_get(&t, PARAMS + 0x2e0, 4), 1);
	/* Nothing from behind the header: the code there would be taken for fields. */
	assert_int_equal(load_test_get(&t, PARAMS + 0x26c, 4), 0);
	/* No screen. */
	assert_int_equal(load_test_get(&t, PARAMS, 8), 0);
	assert_int_equal(load_test_get(&t, PARAMS + 8, 8), 0);
}

/* Text mode 3 of a VGA, of 80 by 25 characters of 16 lines, the cursor at home. */
static void test_screen_info(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	use(&image);
	t.env.screen = true;
	load_test_accept(&t);
	assert_int_equal(load_test_get(&t, PARAMS, 8), 0x5003000000000000);
	assert_int_equal(load_test_get(&t, PARAMS + 8, 8), 0x0119000000030000);
	assert_int_equal(load_test_get(&t, PARAMS + 16, 2), 16);
}

static void test_no_acpi(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	use(&image);
	load_test_accept(&t);
	assert_int_equal(load_test_get(&t, PARAMS + 0x070, 8), 0);
}

static void test_header_longer_than_we_know(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	memset(image.byte + 0x264, 0xcc, 0x300 - 0x264);
	put(&image, 0x201, 0xfe, 1);
	use(&image);
	load_test_accept(&t);
	assert_int_equal(load_test_get(&t, PARAMS + 0x28f, 1), 0xcc);
	assert_int_equal(load_test_get(&t, PARAMS + 0x290, 1), 0);
}

static void test_command_lines(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	use(&image);
	t.config.append = "quiet";
	load_test_accept(&t);
	assert_string_equal(load_test_string(&t, HV_BOOT_CMDLINE), "console=ttyS0 panic=-1 quiet");
	t.config.cmdline = "root=/dev/vda";
	hv_payload_free(&t.payload);
	load_test_accept(&t);
	assert_string_equal(load_test_string(&t, HV_BOOT_CMDLINE), "root=/dev/vda quiet");
	/* Who looks at the screen is to see it there; what the user says stands. */
	t.config.desk = true;
	hv_payload_free(&t.payload);
	load_test_accept(&t);
	assert_string_equal(load_test_string(&t, HV_BOOT_CMDLINE), "root=/dev/vda quiet");
	t.config.cmdline = NULL;
	hv_payload_free(&t.payload);
	load_test_accept(&t);
	assert_string_equal(load_test_string(&t, HV_BOOT_CMDLINE),
			    "console=ttyS0 console=tty0 panic=-1 quiet");
	t.config.cmdline = "";
	hv_payload_free(&t.payload);
	load_test_accept(&t);
	assert_string_equal(load_test_string(&t, HV_BOOT_CMDLINE), "quiet");
}

static void test_initrd(void **state)
{
	struct bzimage image = new_image();
	uint64_t gpa;

	(void)state;
	use(&image);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "first", 5));
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "second", 6));
	load_test_accept(&t);
	gpa = load_test_get(&t, PARAMS + 0x218, 4);
	assert_int_equal(gpa, RAM - 0x1000);
	assert_string_equal(load_test_string(&t, gpa), "first");
	assert_string_equal(load_test_string(&t, gpa + 8), "second");
	assert_int_equal(load_test_get(&t, PARAMS + 0x21c, 4), 14);
}

static void test_initrd_below_limit(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	put(&image, 0x22c, 0x2ffffff, 4);
	use(&image);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, NULL, 0x1001));
	load_test_accept(&t);
	assert_int_equal(load_test_get(&t, PARAMS + 0x218, 4), 0x3000000 - 0x2000);
}

static void test_initrd_does_not_fit(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	use(&image);
	/* 32 MiB are left behind the kernel. */
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, NULL, 16 * HV_MIB));
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, NULL, 16 * HV_MIB));
	load_test_accept(&t);
	hv_payload_free(&t.payload);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "x", 1));
	load_test_refuse(&t, "the end of guest RAM; use --mem 65M or more");
	assert_string_equal(t.payload.subject, t.payload.module[0].path);
	hv_payload_free(&t.payload);
	hv_memory_exit(&t.memory);
	test_memory(&t.memory, 65 * HV_MIB);
	load_test_accept(&t);
}

static void test_initrd_above_limit(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	put(&image, 0x22c, 0, 4);
	use(&image);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "x", 1));
	load_test_refuse(&t, "the highest address it can use; use a smaller one");
}

static void test_initrd_missing(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	use(&image);
	hv_payload_config_add_initrd(&t.config, "/nonexistent/initrd");
	load_test_refuse(&t, "no such file");
	assert_string_equal(t.payload.subject, "/nonexistent/initrd");
}

static void refuse_image(const struct bzimage *image, size_t size, const char *with)
{
	struct load_test *test = &t;

	test->config.path = load_test_file(test, image, size);
	load_test_refuse(test, with);
	hv_payload_free(&test->payload);
}

static void refuse_field(size_t at, uint64_t value, unsigned int bytes, const char *with)
{
	struct bzimage image = new_image();

	put(&image, at, value, bytes);
	refuse_image(&image, sizeof(image), with);
}

static void test_refused_ram(void **state)
{
	(void)state;
	refuse_field(0x260, RAM - PREFERRED + 1, 4, "use --mem 65M or more");
	refuse_field(0x258, RAM, 8, "init_size");
	refuse_field(0x258, UINT64_MAX - 4096, 8, "init_size");
	refuse_field(0x260, UINT32_MAX, 4, "the file is damaged");
}

static void test_refused_header(void **state)
{
	(void)state;
	refuse_field(0x206, 0x202, 2, "2.02");
	refuse_field(0x211, 0, 1, "zImage");
	refuse_field(0x1f4, CODE / 16 + 1, 4, "truncated");
	refuse_field(0x1f4, UINT32_MAX, 4, "truncated");
	refuse_field(0x1f1, 255, 1, "truncated");
	refuse_field(0x24c, CODE, 4, "truncated");
	refuse_field(0x248, UINT32_MAX, 4, "truncated");
	refuse_field(0x238, 10, 4, "command line");
}

static void test_truncated_anywhere(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	t.config.boot = "linux";
	for (size_t size = 1; size < sizeof(image); size += size < 0x300 ? 13 : 997) {
		refuse_image(&image, size, "");
		close(t.file[--t.files].fd);
	}
}

static void test_refused_options(void **state)
{
	struct bzimage image = new_image();
	char cmdline[2100];

	(void)state;
	use(&image);
	t.config.options.load = 0x200000;
	load_test_refuse(&t, "--load");
	hv_payload_free(&t.payload);
	t.config.options.load = HV_UNSET;
	t.config.options.entry = 0x200000;
	load_test_refuse(&t, "--entry");
	hv_payload_free(&t.payload);
	t.config.options.entry = HV_UNSET;
	memset(cmdline, 'x', sizeof(cmdline));
	cmdline[2048] = 0;
	t.config.cmdline = cmdline;
	load_test_refuse(&t, "2047 bytes, and this one has 2048; shorten --cmdline");
	hv_payload_free(&t.payload);
	t.config.append = "";
	load_test_refuse(&t, "; shorten --cmdline or --append");
	hv_payload_free(&t.payload);
	t.config.cmdline = NULL;
	t.config.append = cmdline;
	load_test_refuse(&t, "; shorten --append");
	hv_payload_free(&t.payload);
	t.config.append = NULL;
	t.config.cmdline = cmdline;
	cmdline[2047] = 0;
	load_test_accept(&t);
}

static void test_cmdline_longer_than_any(void **state)
{
	struct bzimage image = new_image();
	char cmdline[5000];

	(void)state;
	use(&image);
	memset(cmdline, 'x', sizeof(cmdline));
	cmdline[4999] = 0;
	t.config.append = cmdline;
	load_test_refuse(&t, "longer than 4095 bytes; shorten --append");
	hv_payload_free(&t.payload);
	cmdline[4095 - strlen("console=ttyS0 panic=-1 ") + 1] = 0;
	load_test_refuse(&t, "longer than 4095 bytes; shorten --append");
	hv_payload_free(&t.payload);
	t.config.append = NULL;
	t.config.cmdline = cmdline;
	memset(cmdline, 'x', 4096);
	load_test_refuse(&t, "longer than 4095 bytes; shorten --cmdline");
}

static void test_no_64_bit_entry_on_request(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	put(&image, 0x206, 0x20b, 2);
	use(&image);
	t.config.options.mode = HV_MODE_LONG;
	load_test_refuse(&t, "long-mode");
}

static void test_32_bit_kernel(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	put(&image, 0x236, 0x3e, 2);
	use(&image);
	/* Its mode is chosen for it, and its user is told. */
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, 0x100000);
	assert_int_equal(t.boot.sregs.efer, 0);
	assert_non_null(strstr(t.payload.image.note, "32-bit kernel: started in protected mode"));
	t.config.options.mode = HV_MODE_LONG;
	load_test_refuse(&t, "is a 32-bit kernel");
	hv_payload_free(&t.payload);
	t.config.options.mode = HV_MODE_PROTECTED;
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, 0x100000);
	assert_null(t.payload.image.note);
}

/* Its setup code, in real mode, with a BIOS: if there is no other entry, or on request. */
static void check_setup(void)
{
	const struct tinyvmx_segment *segments = t.boot.sregs.seg;
	uint64_t setup, words;

	load_test_accept(&t);
	setup = segments[TINYVMX_DS].base;
	assert_true(t.payload.image.bios);
	assert_int_equal(t.boot.sregs.cr0 & X86_CR0_PE, 0);
	assert_int_equal(segments[TINYVMX_DS].selector << 4, setup);
	assert_int_equal(segments[TINYVMX_CS].selector, segments[TINYVMX_DS].selector + 0x20);
	assert_int_equal(segments[TINYVMX_SS].base, setup);
	assert_int_equal(segments[TINYVMX_CS].base + t.boot.regs.rip, setup + 0x200);
	assert_int_equal(t.boot.regs.rflags & X86_RFLAGS_IF, 0);
	assert_int_equal(load_test_get(&t, setup + 0x202, 4), 0x53726448);
	assert_int_equal(load_test_get(&t, setup + 0x210, 1), 0xff);
	assert_int_equal(load_test_get(&t, setup + 0x211, 1) & 0x80, 0x80);
	/* The stack begins behind the heap. */
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RSP], load_test_get(&t, setup + 0x224, 2) + 0x200);
	words = load_test_get(&t, setup + 0x228, 4);
	assert_string_equal(load_test_string(&t, words), "words");
	assert_int_equal(load_test_get(&t, 0x100000, 1), 0x90);
	assert_int_equal(load_test_get(&t, load_test_get(&t, setup + 0x218, 4), 3), 0x737469);
}

static void test_16_bit_entry(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	t.config.append = "words";
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "its", 3));
	/* What is no Linux gets none of Linux' words. */
	put(&image, 0x214, 0, 4);
	use(&image);
	check_setup();
	t.config.options.mode = HV_MODE_PROTECTED;
	load_test_refuse(&t, "has a 16-bit entry alone");
	put(&image, 0x214, 0x100000, 4);
	use(&image);
	t.config.options.mode = HV_MODE_REAL;
	t.config.cmdline = "";
	check_setup();
}

static void test_memdisk(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	t.config.append = "words";
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "its", 3));
	put(&image, 0x20e, 0x100, 2);
	memcpy(image.byte + 0x300, "MEMDISK 6.04", 12);
	use(&image);
	check_setup();
	t.config.options.mode = HV_MODE_LONG;
	load_test_refuse(&t, "has a 16-bit entry alone");
	/* A version that is not in the file says nothing. */
	t.config.options.mode = HV_MODE_DEFAULT;
	put(&image, 0x20e, 0xffff, 2);
	use(&image);
	load_test_accept(&t);
	assert_false(t.payload.image.bios);
}

static void test_setup_too_large(void **state)
{
	static uint8_t image[256 * SECTOR + CODE];
	struct bzimage header_of = new_image();

	(void)state;
	put(&header_of, 0x1f1, 255, 1);
	memcpy(image, &header_of, SETUP);
	t.config.path = load_test_file(&t, image, sizeof(image));
	load_test_accept(&t);
	t.config.options.mode = HV_MODE_REAL;
	load_test_refuse(&t, "setup code of 128 KiB");
}

/* syssize counts 16-byte units, rounded up: files end up to 15 bytes before. */
static void test_last_unit_not_whole(void **state)
{
	struct bzimage image = new_image();

	(void)state;
	put(&image, 0x24c, CODE - 0x100 - 16, 4);
	t.config.path = load_test_file(&t, &image, sizeof(image) - 15);
	load_test_accept(&t);
	assert_int_equal(t.payload.image.segment[0].file_size, CODE - 15);
	refuse_image(&image, sizeof(image) - 16, "truncated");
}

static void test_initrd_with_arguments(void **state)
{
	struct bzimage image = new_image();
	char initrd[50];

	(void)state;
	use(&image);
	snprintf(initrd, sizeof(initrd), "%s,words", load_test_file(&t, "x", 1));
	hv_payload_config_add_initrd(&t.config, initrd);
	load_test_refuse(&t, "leave out what is behind the comma");
	assert_string_equal(t.payload.subject, initrd);
	*strchr(initrd, '/') = '.';
	load_test_refuse(&t, "no such file");
	assert_string_equal(t.payload.subject, initrd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_64_bit_entry),
		T(test_32_bit_entry),
		T(test_32_bit_on_request),
		T(test_16_bit_entry),
		T(test_memdisk),
		T(test_setup_too_large),
		T(test_old_protocol),
		T(test_boot_params),
		T(test_screen_info),
		T(test_no_acpi),
		T(test_header_longer_than_we_know),
		T(test_command_lines),
		T(test_initrd),
		T(test_initrd_below_limit),
		T(test_initrd_does_not_fit),
		T(test_initrd_above_limit),
		T(test_initrd_missing),
		T(test_refused_ram),
		T(test_refused_header),
		T(test_truncated_anywhere),
		T(test_last_unit_not_whole),
		T(test_initrd_with_arguments),
		T(test_refused_options),
		T(test_cmdline_longer_than_any),
		T(test_no_64_bit_entry_on_request),
		T(test_32_bit_kernel),
	};

	return cmocka_run_group_tests_name("bzimage", tests, NULL, NULL);
}
