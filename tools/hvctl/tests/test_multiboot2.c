// SPDX-License-Identifier: GPL-2.0-only
/* Multiboot 2 kernels, by address tag and by ELF: what they are told, and why they are refused. */
#include <elf.h>

#include "firmware/acpi.h"
#include "firmware/layout.h"
#include "lib/util.h"
#include "lib/x86.h"
#include "load_test.h"

#define RAM (32 * HV_MIB)
#define MAGIC 0xe85250d6
#define FILE_SIZE 0x1000
#define HEADER 0x40			/* where it is in the file */
#define LOAD 0x200000

#define OPTIONAL 1

/* A kernel whose header is made tag by tag. */
struct kernel {
	uint8_t byte[FILE_SIZE];
	size_t at, end;			/* of the header */
};

DEFINE_LOAD_TEST(RAM);

static void put(struct kernel *kernel, size_t at, uint64_t value, size_t len)
{
	memcpy(kernel->byte + at, &value, len);
}

/* A tag of @words 32-bit numbers; @size: what it says. */
static void add_sized(struct kernel *kernel, unsigned int type, unsigned int flags, size_t size,
		      const uint32_t *data, size_t words)
{
	put(kernel, kernel->end, type, 2);
	put(kernel, kernel->end + 2, flags, 2);
	put(kernel, kernel->end + 4, size, 4);
	for (size_t i = 0; i < words; i++)
		put(kernel, kernel->end + 8 + 4 * i, data[i], 4);
	kernel->end += (8 + words * 4 + 7) & ~7UL;
}

static void add(struct kernel *kernel, unsigned int type, unsigned int flags, const uint32_t *data,
		size_t words)
{
	add_sized(kernel, type, flags, 8 + words * 4, data, words);
}

#define ADD(kernel, type, flags, ...) \
	add(kernel, type, flags, (const uint32_t[]){ __VA_ARGS__ }, \
	    sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static struct kernel new_header(size_t at)
{
	struct kernel kernel = { .at = at, .end = at + 16 };

	memset(kernel.byte, 0x90, sizeof(kernel.byte));
	return kernel;
}

/* ... by addresses, the usual way */
static struct kernel new_kernel(void)
{
	struct kernel kernel = new_header(HEADER);

	ADD(&kernel, 2, 0, LOAD + HEADER, LOAD, LOAD + FILE_SIZE, LOAD + 0x5000);
	ADD(&kernel, 3, 0, LOAD + 0x100);
	return kernel;
}

static void seal(struct kernel *kernel, uint32_t architecture)
{
	uint32_t length = kernel->end - kernel->at;

	put(kernel, kernel->at, MAGIC, 4);
	put(kernel, kernel->at + 4, architecture, 4);
	put(kernel, kernel->at + 8, length, 4);
	put(kernel, kernel->at + 12, -(MAGIC + architecture + length), 4);
}

static void use_bytes(const void *data, size_t size)
{
	hv_payload_free(&t.payload);
	t.config.path = load_test_file(&t, data, size);
}

static void use(struct kernel *kernel)
{
	add(kernel, 0, 0, NULL, 0);
	seal(kernel, 0);
	use_bytes(kernel->byte, sizeof(kernel->byte));
}

static void refuse(struct kernel kernel, const char *with)
{
	use(&kernel);
	load_test_refuse(&t, with);
}

/* --------------------------------------------------------------- information */

/* The tag of @type that @nth more of its kind precede; 0: there is none. */
static uint64_t find_nth(unsigned int type, unsigned int nth)
{
	uint64_t at = t.boot.regs.gpr[TINYVMX_RBX], last = at + load_test_get(&t, at, 4);

	assert_int_equal(at % 8, 0);
	assert_int_equal(load_test_get(&t, at + 4, 4), 0);
	for (at += 8; at < last; at += (load_test_get(&t, at + 4, 4) + 7) & ~7ULL) {
		uint32_t found = load_test_get(&t, at, 4);

		if (found == type && !nth--)
			return at;
		if (!found) {
			/* The end is the end. */
			assert_int_equal(at + 8, last);
			return 0;
		}
	}
	fail_msg("the list of tags has no end");
	return 0;
}

static uint64_t find(unsigned int type)
{
	uint64_t at = find_nth(type, 0);

	if (!at)
		fail_msg("there is no tag of type %u", type);
	return at;
}

static uint32_t word(uint64_t tag, unsigned int index)
{
	return load_test_get(&t, tag + 8 + 4 * index, 4);
}

static void test_registers(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	use(&kernel);
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "multiboot2");
	assert_string_equal(t.payload.why, "multiboot 2 header");
	assert_true(t.payload.protocol->pc);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RAX], 0x36d76289);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RBX], HV_BOOT_INFO);
	assert_int_equal(t.boot.regs.gpr[TINYVMX_RSP], HV_BOOT_STACK);
	assert_int_equal(t.boot.regs.rip, LOAD + 0x100);
	assert_int_equal(t.boot.sregs.cr0 & (X86_CR0_PE | X86_CR0_PG), X86_CR0_PE);
	assert_int_equal(t.boot.sregs.seg[TINYVMX_CS].ar, 0xc09b);
	assert_int_equal(t.boot.regs.rflags & (X86_RFLAGS_IF | X86_RFLAGS_VM), 0);
	assert_int_equal(load_test_get(&t, LOAD + FILE_SIZE - 1, 1), 0x90);
	assert_int_equal(t.payload.image.segment[0].mem_size, 0x5000);
}

static void test_information(void **state)
{
	struct kernel kernel = new_kernel();
	uint64_t at, map;

	(void)state;
	use(&kernel);
	t.config.cmdline = "one two";
	load_test_accept(&t);
	at = find(1);
	assert_string_equal(load_test_string(&t, at + 8), t.payload.text);
	assert_non_null(strstr(t.payload.text, "one two"));
	assert_int_equal(load_test_get(&t, at + 4, 4), 8 + strlen(t.payload.text) + 1);
	assert_string_equal(load_test_string(&t, find(2) + 8), "hvctl");
	at = find(4);
	assert_int_equal(word(at, 0), HV_LAYOUT_EBDA / 1024);
	assert_int_equal(word(at, 1), (RAM - HV_MIB) / 1024);
	map = find(6);
	assert_int_equal(word(map, 0), 24);
	assert_int_equal(word(map, 1), 0);
	assert_int_equal(load_test_get(&t, map + 16, 8), 0);
	assert_int_equal(load_test_get(&t, map + 24, 8), HV_LAYOUT_EBDA);
	assert_int_equal(load_test_get(&t, map + 32, 4), 1);
	assert_int_equal((load_test_get(&t, map + 4, 4) - 16) % 24, 0);
	at = find(8);
	assert_int_equal(load_test_get(&t, at + 4, 4), 32);
	assert_int_equal(load_test_get(&t, at + 8, 8), 0xb8000);
	assert_int_equal(word(at, 2), 160);
	assert_int_equal(word(at, 3), 80);
	assert_int_equal(word(at, 4), 25);
	assert_int_equal(load_test_get(&t, at + 28, 2), 0x210);
}

/* Of what there is not, nothing is told: boot device, VBE, sections, APM, ACPI, load base. */
static void test_absent(void **state)
{
	static const unsigned int absent[] = { 3, 5, 7, 9, 10, 11, 12, 13, 14, 15, 16, 21 };
	struct kernel kernel = new_kernel();

	(void)state;
	use(&kernel);
	load_test_accept(&t);
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		assert_int_equal(find_nth(absent[i], 0), 0);
}

static void test_acpi(void **state)
{
	struct kernel kernel = new_kernel();
	uint8_t rsdp[36];

	(void)state;
	for (unsigned int i = 0; i < sizeof(rsdp); i++)
		rsdp[i] = i + 1;
	test_put(&t.memory, HV_ACPI_GPA, rsdp, sizeof(rsdp));
	t.env.rsdp = HV_ACPI_GPA;
	use(&kernel);
	load_test_accept(&t);
	assert_int_equal(load_test_get(&t, find(14) + 4, 4), 8 + 20);
	assert_memory_equal(hv_memory_at(&t.memory, find(14) + 8, 20), rsdp, 20);
	assert_int_equal(load_test_get(&t, find(15) + 4, 4), 8 + 36);
	assert_memory_equal(hv_memory_at(&t.memory, find(15) + 8, 36), rsdp, 36);
}

static void test_modules(void **state)
{
	struct kernel kernel = new_kernel();
	uint64_t first, second;

	(void)state;
	use(&kernel);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "first", 5));
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, NULL, 0x1001));
	load_test_accept(&t);
	first = find_nth(3, 0);
	second = find_nth(3, 1);
	assert_int_equal(find_nth(3, 2), 0);
	assert_int_equal(word(first, 0), LOAD + 0x5000);
	assert_int_equal(word(first, 1), word(first, 0) + 5);
	assert_string_equal(load_test_string(&t, word(first, 0)), "first");
	assert_string_equal(load_test_string(&t, first + 16), t.payload.module[0].path);
	assert_int_equal(word(second, 0), LOAD + 0x6000);
	assert_int_equal(word(second, 1), word(second, 0) + 0x1001);
}

static void test_module_does_not_fit(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	use(&kernel);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, NULL, RAM));
	load_test_refuse(&t, "do not fit");
}

/* -------------------------------------------------------------------- header */

/* In the first 32768 bytes, at a multiple of 8. */
static void test_where_the_header_is(void **state)
{
	static uint8_t big[0x9000];
	struct kernel kernel = new_header(0);

	(void)state;
	ADD(&kernel, 2, 0, LOAD, LOAD, 0, 0);
	ADD(&kernel, 3, 0, LOAD);
	add(&kernel, 0, 0, NULL, 0);
	seal(&kernel, 0);
	memset(big, 0xcc, sizeof(big));
	memcpy(big + 0x8000 - kernel.end, kernel.byte, kernel.end);
	use_bytes(big, sizeof(big));
	load_test_accept(&t);
	assert_int_equal(t.payload.image.segment[0].file_offset, 0x8000 - kernel.end);
	memset(big, 0xcc, sizeof(big));
	memcpy(big + 0x8000 - 16, kernel.byte, kernel.end);
	use_bytes(big, sizeof(big));
	load_test_refuse(&t, "not in the first 32768");
	memset(big, 0xcc, sizeof(big));
	memcpy(big + 0x8000, kernel.byte, kernel.end);
	use_bytes(big, sizeof(big));
	load_test_refuse(&t, "behind the first 32768");
	memset(big, 0xcc, sizeof(big));
	memcpy(big + 0x104, kernel.byte, kernel.end);
	use_bytes(big, sizeof(big));
	load_test_refuse(&t, "no multiple of 8");
	t.config.boot = "multiboot2";
	load_test_refuse(&t, "no multiboot 2 header");
}

static void test_bad_checksum(void **state)
{
	struct kernel kernel = new_kernel();
	char with[40];

	(void)state;
	use(&kernel);
	kernel.byte[HEADER + 12]++;
	use_bytes(kernel.byte, sizeof(kernel.byte));
	snprintf(with, sizeof(with), "have to be 0x%x",
		 0U - (MAGIC + (uint32_t)(kernel.end - HEADER)));
	load_test_refuse(&t, with);
	t.config.boot = "flat";
	load_test_accept(&t);
}

static void test_refused_headers(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	seal(&kernel, 4);
	use_bytes(kernel.byte, sizeof(kernel.byte));
	load_test_refuse(&t, "for another machine");
	/* No end, one that is too small, one beyond the header. */
	seal(&kernel, 0);
	use_bytes(kernel.byte, sizeof(kernel.byte));
	load_test_refuse(&t, "has no end");
	kernel = new_kernel();
	add_sized(&kernel, 4, 0, 7, NULL, 0);
	refuse(kernel, "has no end");
	kernel = new_kernel();
	add_sized(&kernel, 4, 0, 0x100, NULL, 0);
	refuse(kernel, "has no end");
	kernel = new_kernel();
	kernel.end = sizeof(kernel.byte) + 8;
	seal(&kernel, 0);
	use_bytes(kernel.byte, sizeof(kernel.byte));
	load_test_refuse(&t, "not in the first");
}

static void test_small_tags(void **state)
{
	static const unsigned int types[] = { 2, 3, 4, 5, 8, 9, 10 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct kernel kernel = new_header(HEADER);

		add(&kernel, types[i], 0, NULL, 0);
		refuse(kernel, "and it needs");
	}
}

static void test_tags(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	/* What it may ask for, and what does not matter here. */
	ADD(&kernel, 1, 0, 1, 5, 7, 21);
	ADD(&kernel, 1, OPTIONAL, 22);
	ADD(&kernel, 4, 0, 3);
	ADD(&kernel, 5, 0, 1024, 768, 32);
	add(&kernel, 6, 0, NULL, 0);
	add(&kernel, 7, 0, NULL, 0);
	ADD(&kernel, 8, 0, LOAD);
	ADD(&kernel, 9, 0, LOAD);
	ADD(&kernel, 11, OPTIONAL, 0);
	use(&kernel);
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, LOAD + 0x100);
	kernel = new_kernel();
	ADD(&kernel, 1, 0, 1, 22);
	refuse(kernel, "information of type 22");
	kernel = new_kernel();
	ADD(&kernel, 11, 0, 0);
	refuse(kernel, "tag of type 11");
}

static void test_addresses(void **state)
{
	struct kernel kernel = new_header(HEADER);

	(void)state;
	/* Ends left out, and "from the file's beginning" */
	ADD(&kernel, 2, 0, LOAD + HEADER, UINT32_MAX, 0, 0);
	ADD(&kernel, 3, 0, LOAD + 8);
	use(&kernel);
	load_test_accept(&t);
	assert_int_equal(t.payload.image.segment[0].gpa, LOAD);
	assert_int_equal(t.payload.image.segment[0].file_offset, 0);
	assert_int_equal(t.payload.image.segment[0].mem_size, FILE_SIZE);
	kernel = new_header(HEADER);
	ADD(&kernel, 2, 0, LOAD + HEADER, LOAD, 0, 0);
	refuse(kernel, "no entry address tag");
	kernel = new_header(HEADER);
	ADD(&kernel, 3, 0, LOAD);
	refuse(kernel, "neither ELF nor");
	kernel = new_header(HEADER);
	ADD(&kernel, 9, 0, LOAD);
	refuse(kernel, "EFI entry alone");
	kernel = new_header(HEADER);
	ADD(&kernel, 2, 0, LOAD, LOAD + 4, 0, 0);
	ADD(&kernel, 3, 0, LOAD);
	refuse(kernel, "load address");
	kernel = new_header(HEADER);
	ADD(&kernel, 2, 0, LOAD, LOAD, LOAD + FILE_SIZE, 0);
	ADD(&kernel, 3, 0, LOAD);
	refuse(kernel, "truncated");
}

static void relocatable(struct kernel *kernel, uint32_t min, uint32_t max, uint32_t align)
{
	*kernel = new_kernel();
	ADD(kernel, 10, 0, min, max, align, 0);
}

static void test_relocatable(void **state)
{
	struct kernel kernel;

	(void)state;
	/* Where it is linked it may stay. */
	relocatable(&kernel, LOAD, LOAD + 0x4fff, 0x1000);
	use(&kernel);
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, LOAD + 0x100);
	assert_int_equal(word(find(21), 0), LOAD);
	relocatable(&kernel, 0x800800, 0xffffff, 0x1000);
	use(&kernel);
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, 0x801100);
	assert_int_equal(word(find(21), 0), 0x801000);
	assert_int_equal(load_test_get(&t, 0x801000 + HEADER, 4), MAGIC);
	relocatable(&kernel, 0, 0x1fffff, 0);
	use(&kernel);
	load_test_accept(&t);
	assert_int_equal(word(find(21), 0), HV_MIB);
	relocatable(&kernel, 0x800800, 0x800800 + 0x4fff, 0x1000);
	refuse(kernel, "do not fit");
	relocatable(&kernel, UINT32_MAX - 1, UINT32_MAX, 0x80000000);
	refuse(kernel, "do not fit");
}

static void test_refused_options(void **state)
{
	struct kernel kernel = new_kernel();

	(void)state;
	use(&kernel);
	t.config.options.load = LOAD;
	load_test_refuse(&t, "--load");
	t.config.options.load = HV_UNSET;
	t.config.options.mode = HV_MODE_LONG;
	load_test_refuse(&t, "--mode");
	t.config.options.mode = HV_MODE_PROTECTED;
	t.config.options.entry = LOAD + 0x200;
	load_test_accept(&t);
	assert_int_equal(t.boot.regs.rip, LOAD + 0x200);
}

/* ----------------------------------------------------------------------- ELF */

struct elf {
	Elf64_Ehdr header;
	Elf64_Phdr ph[2];
	uint32_t multiboot[4 + 2 + 4];	/* with an entry address tag */
	uint8_t code[32];
	Elf64_Sym symbol[2];
	char names[16];
	Elf64_Shdr section[4];
};

static struct elf new_elf(void)
{
	struct elf elf = {
		.header = {
			.e_ident = ELF_IDENT(ELFCLASS64),
			.e_type = ET_DYN,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = 0xffffffff80200000,
			.e_phoff = offsetof(struct elf, ph),
			.e_shoff = offsetof(struct elf, section),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = 4,
			.e_shstrndx = 3,
		},
		.ph = { {
			.p_type = PT_LOAD,
			.p_offset = offsetof(struct elf, code),
			.p_vaddr = 0xffffffff80200000,
			.p_paddr = LOAD,
			.p_filesz = 32,
			.p_memsz = 0x1003,
		}, { .p_type = PT_INTERP } },
		.multiboot = { MAGIC, 0, 40, -(MAGIC + 40), 3, 12, LOAD + 4, 0, 0, 8 },
		.names = "\0.strtab",
		.section = {
			[1] = {
				.sh_type = SHT_PROGBITS,
				.sh_flags = SHF_ALLOC | SHF_EXECINSTR,
				.sh_addr = 0xffffffff80200000,
				.sh_offset = offsetof(struct elf, code),
				.sh_size = 32,
			},
			[2] = {
				.sh_type = SHT_SYMTAB,
				.sh_offset = offsetof(struct elf, symbol),
				.sh_size = 2 * sizeof(Elf64_Sym),
			},
			[3] = {
				.sh_type = SHT_STRTAB,
				.sh_offset = offsetof(struct elf, names),
				.sh_size = 16,
			},
		},
	};

	memset(elf.code, 0x90, sizeof(elf.code));
	elf.symbol[1].st_value = 0xffffffff80200008;
	return elf;
}

/* Position-independent, with an interpreter of sorts: the header says how it is entered. */
static void test_elf(void **state)
{
	struct elf elf = new_elf();
	uint64_t tag, sections;

	(void)state;
	use_bytes(&elf, sizeof(elf));
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "m", 1));
	load_test_accept(&t);
	assert_string_equal(t.payload.image.kind, "multiboot 2 kernel (ELF)");
	assert_int_equal(t.boot.regs.rip, LOAD + 4);
	assert_int_equal(t.boot.sregs.efer, 0);
	/* Symbols and names lie behind the image, and what comes along behind those. */
	tag = find(9);
	assert_int_equal(word(tag, 0), 4);
	assert_int_equal(word(tag, 1), sizeof(Elf64_Shdr));
	assert_int_equal(word(tag, 2), 3);
	sections = tag + 20;
	assert_int_equal(load_test_get(&t, sections + sizeof(Elf64_Shdr) + 16, 8),
			 0xffffffff80200000);
	assert_int_equal(load_test_get(&t, sections + 2 * sizeof(Elf64_Shdr) + 16, 8),
			 LOAD + 0x1010);
	assert_int_equal(load_test_get(&t, LOAD + 0x1010 + sizeof(Elf64_Sym) + 8, 8),
			 0xffffffff80200008);
	assert_int_equal(load_test_get(&t, sections + 3 * sizeof(Elf64_Shdr) + 16, 8),
			 LOAD + 0x1040);
	assert_string_equal(load_test_string(&t, LOAD + 0x1041), ".strtab");
	assert_int_equal(t.payload.module[0].gpa, LOAD + 0x2000);
}

/* Sections that are not in the file are not told of, or not loaded. */
static void test_elf_sections_damaged(void **state)
{
	struct elf elf = new_elf();

	(void)state;
	elf.section[2].sh_offset = sizeof(elf) - 1;
	elf.section[3].sh_size = UINT64_MAX;
	use_bytes(&elf, sizeof(elf));
	load_test_accept(&t);
	assert_int_equal(t.payload.image.count, 1);
	assert_int_equal(word(find(9), 0), 4);
	elf.header.e_shoff = sizeof(elf) - 8;
	use_bytes(&elf, sizeof(elf));
	load_test_accept(&t);
	assert_int_equal(find_nth(9, 0), 0);
	elf = new_elf();
	elf.header.e_shentsize = 8;
	use_bytes(&elf, sizeof(elf));
	load_test_accept(&t);
	assert_int_equal(find_nth(9, 0), 0);
	elf = new_elf();
	elf.header.e_shnum = 2000;
	use_bytes(&elf, sizeof(elf));
	load_test_accept(&t);
	assert_int_equal(find_nth(9, 0), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_registers),
		T(test_information),
		T(test_absent),
		T(test_acpi),
		T(test_modules),
		T(test_module_does_not_fit),
		T(test_where_the_header_is),
		T(test_bad_checksum),
		T(test_refused_headers),
		T(test_small_tags),
		T(test_tags),
		T(test_addresses),
		T(test_relocatable),
		T(test_refused_options),
		T(test_elf),
		T(test_elf_sections_damaged),
	};

	return cmocka_run_group_tests_name("multiboot2", tests, NULL, NULL);
}
