// SPDX-License-Identifier: GPL-2.0-only
/* Kernels with a PVH entry note: how it is found, and what the kernel is told. */
#include <elf.h>

#include "firmware/acpi.h"
#include "firmware/layout.h"
#include "lib/x86.h"
#include "load_test.h"

#define RAM (32 * HV_MIB)
#define BASE 0x1000000

struct note {
	uint32_t name_size, size, type;
	char name[4];
	uint32_t value;
};

struct kernel {
	Elf64_Ehdr header;
	Elf64_Phdr ph[3];
	struct note note[2];
	uint8_t code[64];
};

DEFINE_LOAD_TEST(RAM);

static struct kernel new_kernel(void)
{
	struct kernel kernel = {
		.header = {
			.e_ident = ELF_IDENT(ELFCLASS64),
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			/* As in a vmlinux: the physical address. */
			.e_entry = BASE,
			.e_phoff = offsetof(struct kernel, ph),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.ph[0] = {
			.p_type = PT_LOAD,
			.p_offset = offsetof(struct kernel, code),
			.p_vaddr = 0xffffffff81000000,
			.p_paddr = BASE,
			.p_filesz = 64,
			.p_memsz = 0x10000,
		},
		.ph[1] = {
			.p_type = PT_NOTE,
			.p_offset = offsetof(struct kernel, note),
			.p_filesz = 2 * sizeof(struct note),
			.p_align = 4,
		},
		.note = {
			{ 4, 4, 7, "Xen", 0 },
			{ 4, 4, 18, "Xen", BASE + 0x20 },
		},
	};

	memset(kernel.code, 0x90, sizeof(kernel.code));
	return kernel;
}

static void use(const struct kernel *kernel)
{
	hv_payload_free(&t.payload);
	t.config.path = load_test_file(&t, kernel, sizeof(*kernel));
}

static void test_entry(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	use(&kernel);
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "pvh");
	assert_int_equal(t.boot.regs.rip, BASE + 0x20);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RBX], HV_BOOT_INFO);
	assert_int_equal(t.boot.sregs.cr0 & (X86_CR0_PE | X86_CR0_PG), X86_CR0_PE);
	assert_int_equal(t.boot.sregs.cr4, 0);
	assert_int_equal(t.boot.sregs.efer, 0);
	assert_int_equal(t.boot.sregs.seg[TINYVMX_CS].ar, 0xc09b);
	assert_int_equal(t.boot.sregs.seg[TINYVMX_TR].limit, 0x67);
}

static uint64_t info(unsigned int at, unsigned int len)
{
	return load_test_get(&t, HV_BOOT_INFO + at, len);
}

static void test_information(void **state)
{
	struct kernel kernel = new_kernel();
	uint64_t at, gpa;
	char initrd[50];

	(void)state;
	use(&kernel);
	t.env.rsdp = HV_ACPI_GPA;
	snprintf(initrd, sizeof(initrd), "%s,words", load_test_file(&t, "initrd", 6));
	hv_payload_config_add_initrd(&t.config, initrd);
	load_test_accept(&t);
	assert_int_equal(info(0, 4), 0x336ec578);
	assert_int_equal(info(4, 4), 1);
	assert_int_equal(info(12, 4), 1);
	at = info(16, 8);
	gpa = load_test_get(&t, at, 8);
	assert_string_equal(load_test_string(&t, gpa), "initrd");
	assert_int_equal(load_test_get(&t, at + 8, 8), 6);
	assert_string_equal(load_test_string(&t, load_test_get(&t, at + 16, 8)), "words");
	assert_int_equal(gpa, BASE + 0x10000);
	assert_string_equal(load_test_string(&t, info(24, 8)), "console=ttyS0 panic=-1");
	assert_int_equal(info(32, 8), HV_ACPI_GPA);
	at = info(40, 8);
	assert_in_range(info(48, 4), 3, HV_LAYOUT_MAX_RANGES);
	assert_int_equal(load_test_get(&t, at, 8), 0);
	assert_int_equal(load_test_get(&t, at + 8, 8), HV_LAYOUT_EBDA);
	assert_int_equal(load_test_get(&t, at + 16, 4), 1);
}

static void test_without_modules_and_command_line(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	use(&kernel);
	t.config.cmdline = "";
	load_test_accept(&t);
	assert_int_equal(info(12, 4), 0);
	assert_int_equal(info(16, 8), 0);
	assert_int_equal(info(24, 8), 0);
	assert_int_equal(info(32, 8), 0);
}

static void is_plain_elf(const struct kernel *kernel)
{
	use(kernel);
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "elf");
}

/* FreeBSD's kernel names an interpreter, and others are position-independent: PVH minds neither. */
static void test_interpreter(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	kernel.header.e_type = ET_DYN;
	kernel.header.e_phnum = 3;
	kernel.ph[2].p_type = PT_INTERP;
	use(&kernel);
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "pvh");
	assert_int_equal(t.boot.regs.rip, BASE + 0x20);
}

static void test_no_note(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	kernel.note[1].type = 17;
	is_plain_elf(&kernel);
	kernel = new_kernel();
	kernel.note[1].name[0] = 'x';
	is_plain_elf(&kernel);
	kernel = new_kernel();
	kernel.note[1].size = 5;
	is_plain_elf(&kernel);
	kernel = new_kernel();
	kernel.note[0].size = UINT32_MAX;
	is_plain_elf(&kernel);
	kernel = new_kernel();
	kernel.note[0].name_size = UINT32_MAX;
	is_plain_elf(&kernel);
	kernel = new_kernel();
	kernel.ph[1].p_filesz -= 1;
	is_plain_elf(&kernel);
	kernel = new_kernel();
	kernel.ph[1].p_offset = sizeof(kernel) - 4;
	is_plain_elf(&kernel);
	kernel = new_kernel();
	kernel.ph[1].p_offset = UINT64_MAX - 4;
	is_plain_elf(&kernel);
}

static void test_xen_alone(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	kernel.note[0].type = 6;
	use(&kernel);
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "pvh");
	kernel.note[1].type = 17;
	use(&kernel);
	load_test_refuse(&t, "paravirtual");
	t.config.boot = "elf";
	load_test_accept(&t);
}

static void test_eight_byte_value(void **state)
{
	struct {
		struct kernel kernel;
		struct {
			uint32_t name_size, size, type;
			char name[4];
			uint64_t value;
		} __attribute__((packed)) note;
	} file = { .kernel = new_kernel(), .note = { 4, 8, 18, "Xen", BASE + 8 } };

	(void)state;
	file.kernel.ph[1].p_offset = sizeof(struct kernel);
	file.kernel.ph[1].p_filesz = sizeof(file.note);
	t.config.path = load_test_file(&t, &file, sizeof(file));
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, BASE + 8);
}

static void test_refused(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	use(&kernel);
	t.config.options.mode = HV_MODE_LONG;
	load_test_refuse(&t, "--mode");
	t.config.options.mode = HV_MODE_DEFAULT;
	kernel.note[1].value = RAM;
	use(&kernel);
	load_test_refuse(&t, "outside guest RAM");
	kernel = new_kernel();
	kernel.header.e_type = ET_REL;
	use(&kernel);
	load_test_refuse(&t, "object file");
	kernel = new_kernel();
	kernel.note[1].type = 17;
	use(&kernel);
	t.config.boot = "pvh";
	load_test_refuse(&t, "no PVH entry");
	kernel = new_kernel();
	kernel.ph[0].p_paddr = kernel.note[1].value = 0x1000;
	kernel.ph[0].p_memsz = 0x9b000;
	t.config.boot = NULL;
	use(&kernel);
	load_test_refuse(&t, "no room for what the boot protocol tells");
}

/* With its debug information, which no segment has: it is the segments that must fit. */
static void test_file_larger_than_ram(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	use(&kernel);
	assert_int_equal(ftruncate(t.file[0].fd, RAM + 1), 0);
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, BASE + 0x20);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_file_larger_than_ram),
		T(test_entry),
		T(test_information),
		T(test_without_modules_and_command_line),
		T(test_interpreter),
		T(test_no_note),
		T(test_xen_alone),
		T(test_eight_byte_value),
		T(test_refused),
	};

	return cmocka_run_group_tests_name("pvh", tests, NULL, NULL);
}
