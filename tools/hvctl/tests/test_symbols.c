// SPDX-License-Identifier: GPL-2.0-only
/* Names for addresses: from System.map, and from ELF files good and broken. */
#include <elf.h>
#include <time.h>

#include "lib/util.h"
#include "load/symbols.h"
#include "load_test.h"

static char text[100];

/* ---------------------------------------------------------------------- map */

static bool in_map(const char *map, uint64_t address)
{
	struct hv_file file = { (uint8_t *)map, strlen(map) };

	text[0] = 0;
	return hv_symbols_in_map(&file, address, text, sizeof(text));
}

static bool is_map(const char *map)
{
	return hv_symbols_is_map(&(struct hv_file){ (uint8_t *)map, strlen(map) });
}

static void test_map(void **state)
{
	static const char map[] = "0000000000000000 D per_cpu\n"
				  "ffffffff81000000 T _text\n"
				  "ffffffff81000100 t inner\n"
				  "ffffffff81000180 r table\n"
				  "ffffffff81000200 W last";

	(void)state;
	assert_true(is_map(map));
	assert_false(is_map("0000000000000000 D per_cpu\nffffffff81000180 r table\n"));
	assert_true(in_map(map, 0xffffffff81000000));
	assert_string_equal(text, "_text+0x0");
	assert_true(in_map(map, 0xffffffff810001ff));
	assert_string_equal(text, "inner+0xff");
	assert_true(in_map(map, 0xffffffff81000205));
	assert_string_equal(text, "last+0x5");
	assert_false(in_map(map, 0xffffffff80ffffff));
	assert_false(in_map(map, 0xffffffff81200000));
	assert_false(in_map(map, 0));
}

static void test_map_broken(void **state)
{
	static const char *const maps[] = {
		"\n",
		"\n\n",
		"1",
		"1 ",
		"1 T",
		"1 T ",
		" T x",
		"1  x",
		"x T x",
		"1 T\nx",
		"11111111111111111111111111111111111",
		"1 ? x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (in_map(maps[i], 2))
			fail_msg("\"%s\" has a symbol: %s", maps[i], text);
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (is_map(maps[i]))
			fail_msg("\"%s\" is taken for a map", maps[i]);
	assert_false(hv_symbols_in_map(&(struct hv_file){ 0 }, 0, text, sizeof(text)));
}

/* ---------------------------------------------------------------------- ELF */

enum { SECTION_NONE, SECTION_TEXT, SECTION_SYMTAB, SECTION_STRTAB, NR_SECTIONS };

#define VIRTUAL 0xffffffff80000000
#define PHYSICAL 0x100000

struct elf {
	Elf64_Ehdr header;
	Elf64_Phdr ph;
	Elf64_Shdr section[NR_SECTIONS];
	Elf64_Sym symbol[4];
	char strings[16];
};

#define SYMBOL(name, bind, type, value, size) \
	{ name, ELF64_ST_INFO(bind, type), 0, SECTION_TEXT, value, size }

static struct elf new_elf(void)
{
	struct elf elf = {
		.header = {
			.e_ident = ELF_IDENT(ELFCLASS64),
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = offsetof(struct elf, ph),
			.e_shoff = offsetof(struct elf, section),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1,
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = NR_SECTIONS,
		},
		.ph = {
			.p_type = PT_LOAD,
			.p_vaddr = VIRTUAL,
			.p_paddr = PHYSICAL,
			.p_memsz = 0x1000,
		},
		.section[SECTION_TEXT] = {
			.sh_type = SHT_NOBITS,
			.sh_flags = SHF_ALLOC | SHF_EXECINSTR,
			.sh_addr = VIRTUAL,
			.sh_size = 0x100,
		},
		.section[SECTION_SYMTAB] = {
			.sh_type = SHT_SYMTAB,
			.sh_offset = offsetof(struct elf, symbol),
			.sh_size = sizeof(elf.symbol),
			.sh_link = SECTION_STRTAB,
			.sh_entsize = sizeof(Elf64_Sym),
		},
		.section[SECTION_STRTAB] = {
			.sh_type = SHT_STRTAB,
			.sh_offset = offsetof(struct elf, strings),
			.sh_size = sizeof(elf.strings),
		},
		.symbol = {
			[1] = SYMBOL(1, STB_GLOBAL, STT_FUNC, VIRTUAL + 0x10, 8),
			[2] = SYMBOL(7, STB_LOCAL, STT_NOTYPE, VIRTUAL + 0x20, 0),
			[3] = SYMBOL(7, STB_GLOBAL, STT_OBJECT, VIRTUAL + 0x30, 8),
		},
		.strings = "\0start\0stop",
	};

	return elf;
}

static bool in_elf(struct elf *elf, uint64_t address)
{
	struct hv_file file = { (uint8_t *)elf, sizeof(*elf) };

	text[0] = 0;
	return hv_symbols_in_elf(&file, address, text, sizeof(text));
}

static void test_elf(void **state)
{
	struct elf elf = new_elf();

	(void)state;
	assert_true(in_elf(&elf, VIRTUAL + 0x10));
	assert_string_equal(text, "start+0x0");
	assert_true(in_elf(&elf, VIRTUAL + 0x33));
	assert_string_equal(text, "stop+0x13");
	assert_true(in_elf(&elf, PHYSICAL + 0x11));
	assert_string_equal(text, "start+0x1");
	assert_false(in_elf(&elf, VIRTUAL));
	assert_false(in_elf(&elf, VIRTUAL + 0x100));
	assert_false(in_elf(&elf, PHYSICAL - 1));
}

static void test_elf_broken(void **state)
{
	struct elf elf = new_elf();

	(void)state;
	elf.header.e_shnum = 0;
	elf.header.e_shoff = 0;
	assert_false(in_elf(&elf, VIRTUAL + 0x10));
	elf = new_elf();
	elf.section[SECTION_SYMTAB].sh_offset = UINT64_MAX - 8;
	assert_false(in_elf(&elf, VIRTUAL + 0x10));
	elf = new_elf();
	elf.section[SECTION_SYMTAB].sh_entsize = 1;
	in_elf(&elf, VIRTUAL + 0x10);
	elf = new_elf();
	elf.section[SECTION_SYMTAB].sh_link = 100;
	assert_false(in_elf(&elf, VIRTUAL + 0x10));
	elf = new_elf();
	elf.symbol[1].st_name = 1000;
	assert_false(in_elf(&elf, VIRTUAL + 0x10));
	assert_false(hv_symbols_in_elf(&(struct hv_file){ (uint8_t *)"\xf4", 1 }, 0, text,
				       sizeof(text)));
}

/* Who has made the file has chosen every byte of it. */
static void test_hostile_names(void **state)
{
	struct elf elf = new_elf();

	(void)state;
	memcpy(elf.strings + 1, "\033[2J", 4);
	assert_true(in_elf(&elf, VIRTUAL + 0x10));
	assert_string_equal(text, "?[2Jt+0x0");
	assert_true(in_map("ffffffff81000000 T \033]0;x\a\r", 0xffffffff81000001));
	assert_string_equal(text, "?]0;x??+0x1");
}

#define MANY_SYMBOLS 100000
#define LONG_NAME    (4 * HV_MIB)

/* All of them better than the one before, and with the same long name. */
static void test_long_names(void **state)
{
	size_t symbols = MANY_SYMBOLS * sizeof(Elf64_Sym), size;
	struct elf elf = new_elf();
	struct hv_file file;
	clock_t begin;
	Elf64_Sym *symbol;

	(void)state;
	elf.section[SECTION_TEXT].sh_size = MANY_SYMBOLS;
	elf.section[SECTION_SYMTAB].sh_offset = sizeof(elf);
	elf.section[SECTION_SYMTAB].sh_size = symbols;
	elf.section[SECTION_STRTAB].sh_offset = sizeof(elf) + symbols;
	elf.section[SECTION_STRTAB].sh_size = LONG_NAME;
	size = sizeof(elf) + symbols + LONG_NAME;
	file = (struct hv_file){ calloc(1, size), size };
	assert_non_null(file.data);
	memcpy(file.data, &elf, sizeof(elf));
	symbol = (Elf64_Sym *)(file.data + sizeof(elf));
	for (unsigned int i = 0; i < MANY_SYMBOLS; i++)
		symbol[i] = (Elf64_Sym)SYMBOL(1, STB_GLOBAL, STT_FUNC, VIRTUAL + i, 1);
	memset(file.data + sizeof(elf) + symbols + 1, 'x', LONG_NAME - 2);
	begin = clock();
	assert_true(hv_symbols_in_elf(&file, VIRTUAL + MANY_SYMBOLS - 1, text, sizeof(text)));
	assert_int_equal(text[0], 'x');
	assert_true(clock() - begin < 5 * CLOCKS_PER_SEC);
	free(file.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),           cmocka_unit_test(test_map_broken),
		cmocka_unit_test(test_elf),           cmocka_unit_test(test_elf_broken),
		cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
