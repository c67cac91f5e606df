// SPDX-License-Identifier: GPL-2.0-only
/* Files of which parts are read: what a guest is given is there, what it is not is not read. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "load/elf.h"
#include "load_test.h"

#define SIZE (64 * HV_MIB)
#define BASE 0x100000
#define BASE_FAR 0x200000
#define CODE 0x1000			/* offsets in the file */
#define DEBUG (24 * HV_MIB)
#define FAR (48 * HV_MIB)
#define TABLES (SIZE - 0x4000)
#define FAR_LEN 0x3000
#define PAGE 4096
#define FLAT_SIZE (HV_FILE_HEAD + HV_MIB + 13)

DEFINE_LOAD_TEST(80 * HV_MIB);

/* A file of holes, with @len bytes at each @at. */
static int new_file(uint64_t size)
{
	t.config.path = load_test_file(&t, NULL, 0);
	assert_int_equal(ftruncate(t.file[t.files - 1].fd, size), 0);
	return t.file[t.files - 1].fd;
}

static void put(int fd, uint64_t at, const void *data, size_t len)
{
	assert_int_equal(pwrite(fd, data, len, at), len);
}

static void put_pattern(int fd, uint64_t at, size_t len)
{
	uint8_t bytes[FAR_LEN];

	for (size_t i = 0; i < len; i++)
		bytes[i] = i % 251 + 1;
	put(fd, at, bytes, len);
}

struct tables {
	Elf64_Shdr section[4];
	Elf64_Sym symbol[2];
	char names[16];
};

/* As kernels are: the headers first, the code, then what debuggers want, at last the tables. */
static int new_kernel(void)
{
	const Elf64_Ehdr header = {
		.e_ident = ELF_IDENT(ELFCLASS64),
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = BASE,
		.e_phoff = sizeof(header),
		.e_shoff = TABLES,
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 4,
		.e_shstrndx = 3,
	};
	const Elf64_Phdr ph[2] = {
		{ .p_type = PT_LOAD,
		  .p_offset = CODE,
		  .p_vaddr = BASE,
		  .p_paddr = BASE,
		  .p_filesz = PAGE,
		  .p_memsz = PAGE },
		{ .p_type = PT_LOAD,
		  .p_offset = FAR,
		  .p_vaddr = BASE_FAR,
		  .p_paddr = BASE_FAR,
		  .p_filesz = FAR_LEN,
		  .p_memsz = 2 * FAR_LEN },
	};
	const struct tables tables = {
		.section = {
			[1] = { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
				.sh_addr = BASE, .sh_offset = CODE, .sh_size = PAGE },
			[2] = { .sh_type = SHT_SYMTAB, .sh_link = 3, .sh_info = 1,
				.sh_offset = TABLES + offsetof(struct tables, symbol),
				.sh_size = sizeof(tables.symbol), .sh_entsize = sizeof(Elf64_Sym) },
			[3] = { .sh_type = SHT_STRTAB, .sh_size = sizeof(tables.names),
				.sh_offset = TABLES + offsetof(struct tables, names) },
		},
		.symbol[1] = { 1, STT_FUNC, 0, 1, BASE, 0 },
		.names = "\0start_kernel",
	};
	int fd = new_file(SIZE);

	put(fd, 0, &header, sizeof(header));
	put(fd, sizeof(header), ph, sizeof(ph));
	put_pattern(fd, CODE, PAGE);
	put_pattern(fd, DEBUG, FAR_LEN);
	put_pattern(fd, FAR, FAR_LEN);
	put(fd, TABLES, &tables, sizeof(tables));
	return fd;
}

static void check_pattern(uint64_t gpa, size_t len)
{
	const uint8_t *bytes = hv_memory_at(&t.memory, gpa, len);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], i % 251 + 1);
}

static size_t resident_pages(const struct hv_file *file)
{
	static unsigned char is_there[SIZE / PAGE];
	uintptr_t from = (uintptr_t)file->data & ~(PAGE - 1UL);
	size_t pages = 0;

	assert_int_equal(mincore((void *)from, SIZE, is_there), 0);
	for (size_t i = 0; i < SIZE / PAGE; i++)
		pages += is_there[i] & 1;
	return pages;
}

/* The parts, whole, and nothing else of 64 MiB. */
static void test_elf(void **state)
{
	char name[40];

	(void)state;
	new_kernel();
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "elf");
	assert_int_equal(t.payload.image.file_size, SIZE);
	check_pattern(BASE, PAGE);
	check_pattern(BASE_FAR, FAR_LEN);
	assert_int_equal(load_test_get(&t, BASE_FAR + FAR_LEN, 8), 0);
	assert_true(hv_payload_find_symbol(&t.payload, BASE + 4, name, sizeof(name)));
	assert_string_equal(name, "start_kernel+0x4");
	assert_int_equal(t.payload.file.data[DEBUG], 0);
	assert_true(resident_pages(&t.payload.file) < (HV_FILE_HEAD + HV_MIB) / PAGE);
	/* Once more, of what is kept */
	hv_memory_clear(&t.memory);
	hv_payload_start(&t.payload, &t.memory, &t.env, &t.boot);
	check_pattern(BASE_FAR, FAR_LEN);
}

static void test_elf_with_bad_tables(void **state)
{
	const Elf64_Off nowhere = UINT64_MAX - 8;
	int fd = new_kernel();

	(void)state;
	put(fd, offsetof(Elf64_Ehdr, e_shoff), &nowhere, sizeof(nowhere));
	load_test_accept(&t);
	put(fd, offsetof(Elf64_Ehdr, e_phoff), &nowhere, sizeof(nowhere));
	load_test_refuse(&t, "ELF program header");
}

static void put_table(int fd, uint64_t size)
{
	const Elf64_Shdr table = { .sh_type = SHT_STRTAB, .sh_offset = SIZE, .sh_size = size };

	put(fd, TABLES + sizeof(table), &table, sizeof(table));
}

/* A table that says it fills a file of holes is not read. */
static void test_elf_with_a_large_table(void **state)
{
	uint64_t at = SIZE + PAGE;
	int fd = new_kernel();

	(void)state;
	assert_int_equal(ftruncate(fd, 2 * HV_GIB), 0);
	put(fd, at, "\x55", 1);
	put_table(fd, HV_GIB);
	load_test_accept(&t);
	assert_int_equal(t.payload.file.data[at], 0);
	put_table(fd, PAGE + 1);
	load_test_accept(&t);
	assert_int_equal(t.payload.file.data[at], 0x55);
}

/* Zeroes are notes, too, of 12 bytes each: nobody looks through GiBs of them. */
static void test_elf_with_many_notes(void **state)
{
	const Elf64_Phdr note = { .p_type = PT_NOTE, .p_offset = SIZE, .p_filesz = HV_GIB };
	const Elf64_Off at = DEBUG + FAR_LEN;
	const Elf64_Half count = 20;
	Elf64_Phdr ph[2];
	clock_t begin;
	int fd;

	(void)state;
	fd = new_kernel();
	assert_int_equal(ftruncate(fd, SIZE + HV_GIB), 0);
	assert_int_equal(pread(fd, ph, sizeof(ph), sizeof(Elf64_Ehdr)), sizeof(ph));
	put(fd, at, ph, sizeof(ph));
	for (unsigned int i = 2; i < count; i++)
		put(fd, at + i * sizeof(note), &note, sizeof(note));
	put(fd, offsetof(Elf64_Ehdr, e_phoff), &at, sizeof(at));
	put(fd, offsetof(Elf64_Ehdr, e_phnum), &count, sizeof(count));
	begin = clock();
	load_test_accept(&t);
	assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
	assert_string_equal(t.payload.protocol->name, "elf");
}

/* Its address fields, not its segments, say what is loaded: all from its header on. */
static void test_elf_by_addresses(void **state)
{
	const uint32_t flags = 0x10000, magic = 0x1badb002;
	const uint32_t head[] = { magic, flags, -(magic + flags), BASE + 0x800, BASE, 0, 0, BASE };
	int fd;

	(void)state;
	fd = new_kernel();
	put(fd, 0x800, head, sizeof(head));
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "multiboot");
	check_pattern(BASE + DEBUG, FAR_LEN);
	check_pattern(BASE + FAR, FAR_LEN);
}

static void test_flat(void **state)
{
	int fd = new_file(FLAT_SIZE);

	(void)state;
	put(fd, 0, "\xf4", 1);
	put_pattern(fd, HV_FILE_HEAD - 5, 10);
	put_pattern(fd, FLAT_SIZE - 7, 7);
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "flat");
	check_pattern(BASE + HV_FILE_HEAD - 5, 10);
	check_pattern(BASE + FLAT_SIZE - 7, 7);
}

/* What nobody could load is told from what it is, and neither read nor kept. */
static void test_disks(void **state)
{
	int fd = new_file(17 * HV_GIB);

	(void)state;
	load_test_refuse(&t, "larger than 16384 MiB; give the kernel alone");
	put(fd, 0, "QFI\xfb", 4);
	load_test_refuse(&t, "is a qcow2 disk");
	assert_string_equal(t.payload.subject, t.config.path);
	assert_int_equal(t.payload.file.size, HV_FILE_HEAD);
	/* Of a size that there could be */
	fd = new_file(SIZE);
	put(fd, 0x8001, "CD001", 5);
	load_test_refuse(&t, "is a CD");
	put(fd, 0x8001, "", 1);
	put(fd, 0, "\xf4", 1);
	t.config.options.load = 0x2000000;
	load_test_refuse(&t, "do not fit into guest RAM");
}

/* Of a disk the BIOS reads what it is asked for, from where it is. */
static void test_boot_disk(void **state)
{
	uint8_t bytes[FAR_LEN];
	int fd = new_file(SIZE);

	(void)state;
	put(fd, 510, "\x55\xaa", 2);
	put_pattern(fd, FAR, FAR_LEN);
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "bios");
	assert_int_equal(t.payload.file.size, SIZE);
	assert_true(resident_pages(&t.payload.file) < (HV_FILE_HEAD + HV_MIB) / PAGE);
	assert_true(hv_payload_read_image(&t.payload, FAR, bytes, FAR_LEN));
	for (size_t i = 0; i < FAR_LEN; i++)
		assert_int_equal(bytes[i], i % 251 + 1);
	assert_false(hv_payload_read_image(&t.payload, SIZE - 1, bytes, 2));
	assert_false(hv_payload_read_image(&t.payload, SIZE + 1, bytes, 0));
	/* The file has become shorter. */
	assert_int_equal(ftruncate(fd, FAR + 1), 0);
	assert_false(hv_payload_read_image(&t.payload, FAR, bytes, 2));
	/* What is in memory as a whole comes from there. */
	assert_int_equal(ftruncate(fd, PAGE), 0);
	load_test_accept(&t);
	assert_true(hv_payload_read_image(&t.payload, 510, bytes, 2));
	assert_int_equal(bytes[1], 0xaa);
	assert_false(hv_payload_read_image(&t.payload, PAGE - 1, bytes, 2));
}

static void test_became_shorter(void **state)
{
	struct hv_file file;
	int fd = new_kernel(), from;

	(void)state;
	assert_int_equal(hv_file_open(&file, &from, t.config.path, 1, &t.err), 0);
	assert_int_equal(file.size, SIZE);
	assert_int_equal(file.data[HV_FILE_HEAD], 0);
	/* As far as it goes */
	assert_int_equal(hv_file_fetch(&file, from, SIZE + 1, 1, &t.err), 0);
	assert_int_equal(hv_file_fetch(&file, from, SIZE - 1, UINT64_MAX, &t.err), 0);
	assert_int_equal(ftruncate(fd, DEBUG), 0);
	assert_int_equal(hv_file_fetch(&file, from, DEBUG - 1, 1, &t.err), 0);
	assert_true(hv_file_fetch(&file, from, DEBUG - 1, 2, &t.err) < 0);
	assert_non_null(strstr(t.err.text, "shorter while it was read;"));
	close(from);
	hv_file_free(&file);
}

/* Who reads a pipe, or standard input, has all at once. */
static void test_whole(void **state)
{
	struct hv_file file;
	int fd = new_kernel(), from, saved = dup(STDIN_FILENO);

	(void)state;
	assert_true(saved >= 0 && dup2(fd, STDIN_FILENO) >= 0);
	assert_int_equal(lseek(fd, CODE, SEEK_SET), CODE);
	assert_int_equal(hv_file_open(&file, &from, "-", SIZE, &t.err), 0);
	assert_int_equal(from, -1);
	assert_int_equal(file.size, SIZE - CODE);
	assert_int_equal(file.data[DEBUG - CODE], 1);
	/* Nothing is left to be fetched. */
	assert_int_equal(hv_file_fetch(&file, from, 0, SIZE, &t.err), 0);
	hv_file_free(&file);
	assert_true(lseek(fd, 0, SEEK_SET) >= 0);
	assert_true(hv_file_open(&file, &from, "-", SIZE - 1, &t.err) < 0);
	assert_non_null(strstr(t.err.text, "is larger than"));
	hv_file_free(&file);
	dup2(saved, STDIN_FILENO);
	close(saved);
}

/* One byte too many is enough to know: what else comes of a pipe is not read. */
static void test_endless_pipe(void **state)
{
	static uint8_t bytes[HV_MIB];
	const size_t max = 128 * HV_KIB;
	struct hv_file file;
	char path[32];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, sizeof(bytes)) >= (int)sizeof(bytes));
	assert_int_equal(write(ends[1], bytes, sizeof(bytes)), sizeof(bytes));
	close(ends[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	assert_int_equal(hv_file_read(&file, path, max, &t.err), -EFBIG);
	assert_null(file.data);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), sizeof(bytes) - max - 1);
	close(ends[0]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_elf),
		T(test_elf_with_bad_tables),
		T(test_elf_with_a_large_table),
		T(test_elf_with_many_notes),
		T(test_elf_by_addresses),
		T(test_flat),
		T(test_disks),
		T(test_boot_disk),
		T(test_became_shorter),
		T(test_whole),
		T(test_endless_pipe),
	};

	return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
