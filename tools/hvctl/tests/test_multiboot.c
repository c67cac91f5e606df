// SPDX-License-Identifier: GPL-2.0-only
/* Multiboot kernels, by address fields and by ELF: what they are told, and why they are refused. */
#include <elf.h>

#include "firmware/layout.h"
#include "lib/x86.h"
#include "load_test.h"

#define RAM (32 * HV_MIB)
#define MAGIC 0x1badb002
#define FILE_SIZE 0x1000
#define HEADER 0x40			/* where it is in the file */
#define LOAD 0x200000

struct header {
	uint32_t magic, flags, checksum, header_addr, load_addr, load_end, bss_end, entry;
};

struct kernel {
	uint8_t byte[FILE_SIZE];
};

DEFINE_LOAD_TEST(RAM);

static struct header new_header(void)
{
	return (struct header){
		.magic = MAGIC,
		.flags = 0x10003,
		.header_addr = LOAD + HEADER,
		.load_addr = LOAD,
		.load_end = LOAD + FILE_SIZE,
		.bss_end = LOAD + 0x5000,
		.entry = LOAD + 0x100,
	};
}

static struct kernel new_kernel(struct header header, size_t at)
{
	struct kernel kernel;

	memset(&kernel, 0x90, sizeof(kernel));
	header.checksum = -(header.magic + header.flags);
	memcpy(kernel.byte + at, &header, sizeof(header));
	return kernel;
}

static void use(struct header header)
{
	struct kernel kernel = new_kernel(header, HEADER);

	hv_payload_free(&t.payload);
	t.config.path = load_test_file(&t, &kernel, sizeof(kernel));
}

static void test_registers(void **state)
{
	(void)state;
	use(new_header());
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "multiboot");
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RAX], 0x2badb002);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RBX], HV_BOOT_INFO);
	assert_int_equal(t.boot.regs.rip, LOAD + 0x100);
	assert_int_equal(t.boot.sregs.cr0 & (X86_CR0_PE | X86_CR0_PG), X86_CR0_PE);
	assert_int_equal(t.boot.sregs.seg[TINYVMX_CS].ar, 0xc09b);
	assert_int_equal(t.boot.sregs.seg[TINYVMX_SS].limit, UINT32_MAX);
	assert_int_equal(t.boot.regs.rflags & (X86_RFLAGS_IF | X86_RFLAGS_VM), 0);
	assert_int_equal(load_test_get(&t, LOAD, 1), 0x90);
	assert_int_equal(load_test_get(&t, LOAD + FILE_SIZE - 1, 1), 0x90);
	assert_int_equal(t.payload.image.segment[0].mem_size, 0x5000);
}

static uint32_t info(unsigned int word)
{
	return load_test_get(&t, HV_BOOT_INFO + 4 * word, 4);
}

static void test_information(void **state)
{
	uint64_t at, last;
	char words[60];

	(void)state;
	use(new_header());
	t.config.cmdline = "one two";
	load_test_accept(&t);
	assert_int_equal(info(0), 0x24d);
	assert_int_equal(info(1), HV_LAYOUT_EBDA / 1024);
	assert_int_equal(info(2), (RAM - HV_MIB) / 1024);
	snprintf(words, sizeof(words), "%s one two", t.config.path);
	assert_string_equal(load_test_string(&t, info(4)), words);
	assert_int_equal(info(5), 0);
	assert_string_equal(load_test_string(&t, info(16)), "hvctl");
	/* The map's entries are told to be 20 bytes behind their size. */
	at = info(12);
	last = at + info(11);
	assert_true(at < last);
	assert_int_equal(load_test_get(&t, at, 4), 20);
	assert_int_equal(load_test_get(&t, at + 4, 8), 0);
	assert_int_equal(load_test_get(&t, at + 12, 8), HV_LAYOUT_EBDA);
	assert_int_equal(load_test_get(&t, at + 20, 4), 1);
	assert_int_equal((last - at) % 24, 0);
}

static void test_modules(void **state)
{
	uint64_t at, second;

	(void)state;
	use(new_header());
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "first", 5));
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, NULL, 0x1001));
	load_test_accept(&t);
	assert_int_equal(info(5), 2);
	at = info(6);
	/* Right behind the kernel, which may have mapped no more. */
	assert_int_equal(load_test_get(&t, at, 4), LOAD + 0x5000);
	assert_string_equal(load_test_string(&t, load_test_get(&t, at, 4)), "first");
	assert_int_equal(load_test_get(&t, at + 4, 4), load_test_get(&t, at, 4) + 5);
	assert_string_equal(load_test_string(&t, load_test_get(&t, at + 8, 4)),
			    t.payload.module[0].path);
	second = load_test_get(&t, at + 16, 4);
	assert_int_equal(second % 0x1000, 0);
	assert_true(second >= load_test_get(&t, at + 4, 4));
	assert_int_equal(load_test_get(&t, at + 20, 4), second + 0x1001);
}

/* FILE,ARGS: the words stand behind the name. */
static void test_module_arguments(void **state)
{
	char initrd[60], string[60];

	(void)state;
	use(new_header());
	snprintf(initrd, sizeof(initrd), "%s,a=b,c d", load_test_file(&t, "m", 1));
	snprintf(string, sizeof(string), "%s a=b,c d", t.file[t.files - 1].path);
	hv_payload_config_add_initrd(&t.config, initrd);
	load_test_accept(&t);
	assert_string_equal(load_test_string(&t, load_test_get(&t, info(6) + 8, 4)), string);
	assert_int_equal(load_test_get(&t, load_test_get(&t, info(6), 4), 1), 'm');
	/* Without a command line the name stands alone. */
	assert_string_equal(load_test_string(&t, info(4)), t.config.path);
}

static void test_module_does_not_fit(void **state)
{
	(void)state;
	use(new_header());
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, NULL, RAM - LOAD - 0x5000));
	load_test_accept(&t);
	hv_payload_free(&t.payload);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "x", 1));
	load_test_refuse(&t, "the end of guest RAM; use --mem 33M or more");
	hv_payload_free(&t.payload);
	hv_memory_exit(&t.memory);
	test_memory(&t.memory, 33 * HV_MIB);
	load_test_accept(&t);
}

static void test_too_many_modules(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < HV_PAYLOAD_MAX_MODULES; i++)
		assert_true(hv_payload_config_add_initrd(&t.config, "m"));
	assert_false(hv_payload_config_add_initrd(&t.config, "m"));
}

static void test_ends_left_out(void **state)
{
	struct header header = new_header();

	(void)state;
	header.load_end = header.bss_end = 0;
	use(header);
	load_test_accept(&t);
	assert_int_equal(t.payload.image.segment[0].file_size, FILE_SIZE);
	assert_int_equal(t.payload.image.segment[0].mem_size, FILE_SIZE);
}

static void test_part_of_the_file(void **state)
{
	struct header header = new_header();

	(void)state;
	header.load_addr = header.header_addr;
	header.load_end = header.load_addr + 0x100;
	use(header);
	load_test_accept(&t);
	assert_int_equal(t.payload.image.segment[0].gpa, LOAD + HEADER);
	assert_int_equal(t.payload.image.segment[0].file_offset, HEADER);
	assert_int_equal(load_test_get(&t, LOAD + HEADER, 4), MAGIC);
}

static void refuse(struct header header, const char *with)
{
	use(header);
	load_test_refuse(&t, with);
}

static void test_refused_addresses(void **state)
{
	struct header h = new_header();

	(void)state;
	h.load_addr = h.header_addr + 4;
	refuse(h, "load address");
	h = new_header();
	h.load_addr = h.header_addr - HEADER - 4;
	refuse(h, "load address");
	h = new_header();
	h.load_end = h.load_addr;
	refuse(h, "ascend");
	h = new_header();
	h.bss_end = h.load_end - 1;
	refuse(h, "ascend");
	h = new_header();
	h.load_end++;
	refuse(h, "truncated");
	h = new_header();
	h.bss_end = UINT32_MAX;
	refuse(h, "do not fit");
	h = new_header();
	h.entry = RAM;
	refuse(h, "entry");
	h = new_header();
	h.header_addr = 0x1000 + HEADER;
	h.load_addr = h.entry = 0x1000;
	h.load_end = 0;
	h.bss_end = 0x9c000;
	refuse(h, "no room for what the boot protocol tells");
}

/* A kernel where the information usually is: that goes elsewhere. */
static void test_low_kernel(void **state)
{
	struct header h = new_header();

	(void)state;
	h.header_addr = HV_BOOT_INFO + HEADER;
	h.load_addr = h.entry = HV_BOOT_INFO;
	h.load_end = h.bss_end = 0;
	use(h);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "m", 1));
	load_test_accept(&t);
	assert_int_equal(load_test_get(&t, HV_BOOT_INFO + HEADER, 4), MAGIC);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RBX], 0x9e000);
	assert_int_equal(load_test_get(&t, 0x9e000, 4), 0x24d);
	assert_int_equal(t.payload.module[0].gpa, HV_LAYOUT_HIGH);
}

static void test_refused_demands(void **state)
{
	struct header h = new_header();
	struct kernel kernel;

	(void)state;
	h.flags |= 8;
	refuse(h, "demands");
	h = new_header();
	h.flags = 3;
	refuse(h, "neither ELF");
	kernel = new_kernel(h, 0x200);
	memcpy(kernel.byte, "MZ", 2);
	t.config.path = load_test_file(&t, &kernel, sizeof(kernel));
	load_test_refuse(&t, "is a DOS program");
}

static void test_refused_options(void **state)
{
	(void)state;
	use(new_header());
	t.config.options.load = LOAD;
	load_test_refuse(&t, "--load");
	hv_payload_free(&t.payload);
	t.config.options.load = HV_UNSET;
	t.config.options.mode = HV_MODE_LONG;
	load_test_refuse(&t, "--mode");
	hv_payload_free(&t.payload);
	t.config.options.mode = HV_MODE_PROTECTED;
	t.config.options.entry = LOAD + 4;
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, LOAD + 4);
}

/* The header may be in the first 8 KiB, at a multiple of 4, with the right sum; else it is none. */
static void test_where_the_header_is(void **state)
{
	struct kernel kernel = new_kernel(new_header(), FILE_SIZE - sizeof(struct header));
	struct hv_file file = { kernel.byte, sizeof(kernel) };
	struct hv_image image;
	struct hv_error err;
	struct hv_load_options options = { .load = HV_UNSET, .entry = HV_UNSET };

	(void)state;
	assert_string_equal(hv_protocol_multiboot.recognise(&file), "multiboot header");
	file.size -= sizeof(struct header) - 12;
	assert_non_null(hv_protocol_multiboot.recognise(&file));
	assert_true(hv_protocol_multiboot.load(&image, &file, &options, &err) < 0);
	assert_non_null(strstr(err.text, "truncated"));
	file.size--;
	assert_null(hv_protocol_multiboot.recognise(&file));
	assert_true(hv_protocol_multiboot.load(&image, &file, &options, &err) < 0);
	assert_non_null(strstr(err.text, "no multiboot header"));
	kernel = new_kernel(new_header(), 0x42);
	file.size = sizeof(kernel);
	assert_null(hv_protocol_multiboot.recognise(&file));
	kernel = new_kernel(new_header(), 0x40);
	kernel.byte[0x48]++;
	assert_null(hv_protocol_multiboot.recognise(&file));
	file.size = 3;
	assert_null(hv_protocol_multiboot.recognise(&file));
}

static void test_header_too_far(void **state)
{
	static uint8_t bytes[0x4000];
	struct kernel kernel = new_kernel(new_header(), 0);
	struct hv_file file = { bytes, sizeof(bytes) };

	(void)state;
	memcpy(bytes + 8192 - 8, kernel.byte, sizeof(struct header));
	assert_null(hv_protocol_multiboot.recognise(&file));
	memcpy(bytes + 8192 - 12, kernel.byte, sizeof(struct header));
	assert_non_null(hv_protocol_multiboot.recognise(&file));
}

/* A header that does not count is told, not run as something else. */
static void test_bad_headers(void **state)
{
	static uint8_t bytes[0x4000];
	struct kernel kernel = new_kernel(new_header(), HEADER);

	(void)state;
	kernel.byte[HEADER + 8]++;
	t.config.path = load_test_file(&t, &kernel, sizeof(kernel));
	load_test_refuse(&t, "multiboot header at 0x40 with checksum");
	hv_payload_free(&t.payload);
	/* Flags that none has: it is chance. */
	kernel.byte[HEADER + 7] = 0x80;
	t.config.path = load_test_file(&t, &kernel, sizeof(kernel));
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "flat");
	hv_payload_free(&t.payload);
	kernel = new_kernel(new_header(), HEADER);
	memcpy(bytes + 8192 - 8, kernel.byte + HEADER, sizeof(struct header));
	t.config.path = load_test_file(&t, bytes, sizeof(bytes));
	load_test_refuse(&t, "behind the first 8192 bytes");
	hv_payload_free(&t.payload);
	/* There, a magic number alone is just a number. */
	bytes[8192]++;
	t.config.path = load_test_file(&t, bytes, sizeof(bytes));
	load_test_accept(&t);
}

static void test_elf(void **state)
{
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr ph;
		uint32_t multiboot[3];
		uint8_t code[16];
		Elf32_Shdr section[2];
	} elf = {
		.header = {
			.e_ident = ELF_IDENT(ELFCLASS32),
			.e_type = ET_EXEC,
			.e_machine = EM_386,
			.e_version = EV_CURRENT,
			.e_entry = 0xc0100010,
			.e_phoff = sizeof(Elf32_Ehdr),
			.e_ehsize = sizeof(Elf32_Ehdr),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 1,
			.e_shoff = sizeof(elf) - 2 * sizeof(Elf32_Shdr),
			.e_shentsize = sizeof(Elf32_Shdr),
			.e_shnum = 2,
			.e_shstrndx = 1,
		},
		.section[1] = { .sh_type = SHT_STRTAB, .sh_offset = 1, .sh_size = 3 },
		.ph = {
			.p_type = PT_LOAD,
			.p_offset = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
			.p_vaddr = 0xc0100000,
			.p_paddr = 0x100000,
			.p_filesz = 28,
			.p_memsz = 0x1000,
		},
		.multiboot = { MAGIC, 0, -MAGIC },
	};

	(void)state;
	t.config.path = load_test_file(&t, &elf, sizeof(elf));
	load_test_accept(&t);
	assert_string_equal(t.payload.image.kind, "multiboot kernel (ELF)");
	assert_int_equal(t.boot.regs.rip, 0x100010);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RAX], 0x2badb002);
	/* Its sections: two, of 40 bytes, names in number 1, which was loaded behind the image. */
	assert_int_equal(info(0), 0x26d);
	assert_int_equal(info(7), 2);
	assert_int_equal(info(8), sizeof(Elf32_Shdr));
	assert_int_equal(info(10), 1);
	assert_int_equal(load_test_get(&t, info(9) + sizeof(Elf32_Shdr) + 12, 4), 0x101000);
	assert_int_equal(load_test_get(&t, 0x101000, 4), 0x00464c45);
	hv_payload_free(&t.payload);
	elf.header.e_entry = 8;
	t.config.path = load_test_file(&t, &elf, sizeof(elf));
	load_test_refuse(&t, "entry point");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_registers),           T(test_information),       T(test_modules),
		T(test_module_does_not_fit), T(test_too_many_modules),  T(test_ends_left_out),
		T(test_part_of_the_file),    T(test_refused_addresses), T(test_low_kernel),
		T(test_refused_demands),     T(test_refused_options),   T(test_where_the_header_is),
		T(test_header_too_far),      T(test_bad_headers),       T(test_elf),
		T(test_module_arguments),
	};

	return cmocka_run_group_tests_name("multiboot", tests, NULL, NULL);
}
