// SPDX-License-Identifier: GPL-2.0-only
/* Images: files that cannot be, flat ones, ELF good and bad, and what must be in RAM. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load_test.h"

static const struct hv_load_options defaults = HV_LOAD_OPTIONS_DEFAULT;

static int parse_file(struct hv_image *image, const struct hv_file *file,
		      const struct hv_load_options *options, struct hv_error *err)
{
	const char *why;
	const struct hv_protocol *protocol = hv_protocol_recognise(file, &why, err);

	return protocol ? protocol->load(image, file, options, err) : -ENOEXEC;
}

/* ---------------------------------------------------------------- elf files */

struct elf64 {
	Elf64_Ehdr header;
	Elf64_Phdr ph[3];
	uint8_t code[64];
};

static struct elf64 new_elf64(void)
{
	struct elf64 elf = {
		.header = {
			.e_ident = ELF_IDENT(ELFCLASS64),
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = 0xffffffff80200010,
			.e_phoff = offsetof(struct elf64, ph),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.ph[0] = {
			.p_type = PT_LOAD,
			.p_offset = offsetof(struct elf64, code),
			.p_vaddr = 0xffffffff80200000,
			.p_paddr = 0x200000,
			.p_filesz = 64,
			.p_memsz = 64,
		},
		.ph[1] = { .p_type = PT_LOAD, .p_paddr = 0x300000, .p_memsz = 0x1000 },
	};

	memset(elf.code, 0x90, sizeof(elf.code));
	return elf;
}

static int parse(struct elf64 *elf, size_t size, struct hv_image *image, struct hv_error *err)
{
	struct hv_file file = { .data = malloc(size), .size = size };
	int error;

	/* A copy of exactly that size, so that ASan sees the end. */
	memcpy(file.data, elf, size);
	error = parse_file(image, &file, &defaults, err);
	free(file.data);
	return error;
}

static void refused(struct elf64 *elf, const char *with)
{
	struct hv_image image;
	struct hv_error err = { .text = "" };

	assert_true(parse(elf, sizeof(*elf), &image, &err) < 0);
	if (!strstr(err.text, with))
		fail_msg("\"%s\" does not say \"%s\"", err.text, with);
	if (!strchr(err.text, ';'))
		fail_msg("\"%s\" does not say how to mend it", err.text);
}

static void test_elf64(void **state)
{
	struct elf64 elf = new_elf64();
	struct hv_image image;
	struct hv_error err;

	(void)state;
	assert_int_equal(parse(&elf, sizeof(elf), &image, &err), 0);
	assert_string_equal(image.kind, "64-bit ELF");
	assert_int_equal(image.mode, HV_MODE_LONG);
	assert_int_equal(image.entry, 0x200010);
	assert_int_equal(image.count, 2);
	assert_int_equal(hv_image_begin(&image), 0x200000);
	assert_int_equal(hv_image_end(&image), 0x301000);
}

static void test_elf32(void **state)
{
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr ph;
		uint8_t code[16];
	} elf = {
		.header = {
			.e_ident = ELF_IDENT(ELFCLASS32),
			.e_type = ET_EXEC,
			.e_machine = EM_386,
			.e_version = EV_CURRENT,
			.e_entry = 0xc0100004,
			.e_phoff = sizeof(Elf32_Ehdr),
			.e_ehsize = sizeof(Elf32_Ehdr),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 1,
		},
		.ph = {
			.p_type = PT_LOAD,
			.p_offset = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
			.p_vaddr = 0xc0100000,
			.p_paddr = 0x100000,
			.p_filesz = 16,
			.p_memsz = 32,
		},
	};
	struct hv_file file = { (uint8_t *)&elf, sizeof(elf) };
	struct hv_load_options options = defaults;
	struct hv_image image;
	struct hv_error err;

	(void)state;
	assert_int_equal(parse_file(&image, &file, &options, &err), 0);
	assert_int_equal(image.mode, HV_MODE_PROTECTED);
	assert_int_equal(image.entry, 0x100004);
	assert_int_equal(image.segment[0].mem_size, 32);
	options.mode = HV_MODE_LONG;
	options.entry = 0x100008;
	assert_int_equal(parse_file(&image, &file, &options, &err), 0);
	assert_int_equal(image.mode, HV_MODE_LONG);
	assert_int_equal(image.entry, 0x100008);
	options.load = 0x100000;
	assert_true(parse_file(&image, &file, &options, &err) < 0);
	assert_non_null(strstr(err.text, "--load"));
}

static void test_elf_foreign(void **state)
{
	struct elf64 elf = new_elf64();

	(void)state;
	elf.header.e_machine = EM_AARCH64;
	refused(&elf, "ARM64");
	elf.header.e_machine = 0x4711;
	refused(&elf, "another machine");
	elf = new_elf64();
	elf.header.e_ident[EI_DATA] = ELFDATA2MSB;
	refused(&elf, "");
	elf = new_elf64();
	elf.header.e_ident[EI_CLASS] = ELFCLASS32;
	refused(&elf, "");
}

static void test_elf_wrong_type(void **state)
{
	struct elf64 elf = new_elf64();

	(void)state;
	elf.header.e_type = ET_DYN;
	refused(&elf, "-no-pie");
	elf.header.e_type = ET_REL;
	refused(&elf, "object file");
	elf.header.e_type = ET_CORE;
	refused(&elf, "core dump");
	elf.header.e_type = 0x1234;
	refused(&elf, "unknown type");
	elf = new_elf64();
	elf.ph[1].p_type = PT_INTERP;
	refused(&elf, "shared libraries");
	/* A static one has a note of its C library's. */
	elf = new_elf64();
	elf.ph[1].p_type = PT_NOTE;
	elf.ph[1].p_offset = offsetof(struct elf64, code);
	elf.ph[1].p_filesz = 32;
	memcpy(elf.code, "\x04\0\0\0\x10\0\0\0\x01\0\0\0GNU", 16);
	refused(&elf, "program for Linux, by its ABI note");
}

static void test_elf_broken_segments(void **state)
{
	struct elf64 elf = new_elf64();

	(void)state;
	elf.ph[0].p_filesz = 65;
	refused(&elf, "larger in the file");
	elf.ph[0].p_memsz = 65;
	refused(&elf, "truncated");
	elf = new_elf64();
	elf.ph[0].p_offset = UINT64_MAX - 8;
	refused(&elf, "truncated");
	elf = new_elf64();
	elf.ph[0].p_type = elf.ph[1].p_type = PT_NOTE;
	refused(&elf, "no ELF segment");
	elf = new_elf64();
	elf.header.e_entry = 0x1000;
	refused(&elf, "entry point");
	elf = new_elf64();
	elf.header.e_phoff = 1 << 20;
	refused(&elf, "");
}

static void test_elf_truncated_anywhere(void **state)
{
	struct elf64 elf = new_elf64();
	struct hv_image image;

	(void)state;
	/* Shorter than the magic it is a flat binary; the code's end is the file's end. */
	for (size_t size = SELFMAG; size < offsetof(struct elf64, code) + 64; size++) {
		struct hv_error err = { .text = "" };

		if (!parse(&elf, size, &image, &err))
			fail_msg("%zu bytes are taken for the whole", size);
	}
}

/* --------------------------------------------------------------------- flat */

static void test_flat(void **state)
{
	struct hv_file file = { (uint8_t *)"\xf4\xf4\xf4", 3 };
	struct hv_load_options options = defaults;
	struct hv_image image;
	struct hv_error err;

	(void)state;
	assert_int_equal(parse_file(&image, &file, &options, &err), 0);
	assert_int_equal(image.mode, HV_MODE_LONG);
	assert_int_equal(image.entry, 0x100000);
	options.mode = HV_MODE_REAL;
	assert_int_equal(parse_file(&image, &file, &options, &err), 0);
	assert_int_equal(image.entry, 0x8000);
	options.load = 0x7c00;
	options.entry = 0x7c02;
	assert_int_equal(parse_file(&image, &file, &options, &err), 0);
	assert_int_equal(image.segment[0].gpa, 0x7c00);
	assert_int_equal(image.entry, 0x7c02);
	options.entry = 0x7c03;
	assert_true(parse_file(&image, &file, &options, &err) < 0);
	options.entry = 0x7bff;
	assert_true(parse_file(&image, &file, &options, &err) < 0);
}

/* -------------------------------------------------------------- check, copy */

static struct hv_image two_segments(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return (struct hv_image){
		.entry = a,
		.count = 2,
		.segment = { { .gpa = a, .mem_size = a_len }, { .gpa = b, .mem_size = b_len } },
	};
}

static void check(const struct hv_memory *memory, struct hv_image image, const char *with)
{
	struct hv_error err = { .text = "" };
	int error = hv_image_check(&image, memory, &err);

	if (!with) {
		assert_int_equal(error, 0);
		return;
	}
	assert_true(error < 0);
	if (!strstr(err.text, with))
		fail_msg("\"%s\" does not say \"%s\"", err.text, with);
}

static void test_check(void **state)
{
	struct hv_memory memory;
	struct hv_image image;

	(void)state;
	test_memory(&memory, 2 * HV_MIB);
	check(&memory, two_segments(0x1000, 0x1000, 0x2000, 0x1000), NULL);
	check(&memory, two_segments(0x1000, 0x1001, 0x2000, 0x1000), "overlap");
	check(&memory, two_segments(0x2000, 1, 0x1000, 0x1001), "overlap");
	check(&memory, two_segments(0x1000, 0x1000, 0x1000, 0x1000), "overlap");
	check(&memory, two_segments(0x1000, 0x1000, 2 * HV_MIB - 1, 2), "use --mem 3M or more");
	check(&memory, two_segments(0x1000, 0x1000, 3 * HV_GIB - 1, 1), "use --mem 3072M or more");
	check(&memory, two_segments(0x1000, 0x1000, 3 * HV_GIB - 1, 2), "below 3 GiB");
	check(&memory, two_segments(0x1000, 0x1000, UINT64_MAX - 1, 1), "below 3 GiB");
	check(&memory, two_segments(0x1000, UINT64_MAX, 0x0, 1), "below 3 GiB");
	image = two_segments(0x1000, 1, 0x2000, 3 * HV_GIB + 1);
	image.segment[1].file_size = 3 * HV_GIB + 1;
	check(&memory, image, "not a disk");
	image = two_segments(0x1000, 0x1000, 0x2000, 0x1000);
	image.entry = 2 * HV_MIB;
	check(&memory, image, "entry");
	hv_memory_exit(&memory);
}

static void test_copy(void **state)
{
	struct elf64 elf = new_elf64();
	struct hv_file file = { (uint8_t *)&elf, sizeof(elf) };
	struct hv_memory memory;
	struct hv_image image;
	struct hv_error err;

	(void)state;
	test_memory(&memory, 4 * HV_MIB);
	assert_int_equal(parse_file(&image, &file, &defaults, &err), 0);
	assert_int_equal(hv_image_check(&image, &memory, &err), 0);
	hv_image_copy(&image, &file, &memory);
	assert_int_equal(test_get(&memory, 0x200000, 1), 0x90);
	assert_int_equal(test_get(&memory, 0x20003f, 2), 0x90);
	assert_true(hv_image_uses(&image, 0x20003f, 1));
	assert_true(hv_image_uses(&image, 0, 0x200001));
	assert_false(hv_image_uses(&image, 0x200040, 0x1000));
	hv_memory_exit(&memory);
}

/* -------------------------------------------------------------------- files */

static char dir[] = "/tmp/hv-test-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void read_refused(const char *path, uint64_t max, const char *with)
{
	struct hv_file file;
	struct hv_error err = { .text = "" };

	assert_true(hv_file_read(&file, path, max, &err) < 0);
	if (!strstr(err.text, with))
		fail_msg("\"%s\" does not say \"%s\"", err.text, with);
	assert_non_null(strchr(err.text, ';'));
	assert_null(file.data);
}

static void test_files(void **state)
{
	struct hv_file file;
	struct hv_error err;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/file", dir);
	read_refused(path, 100, "no such file");
	read_refused(dir, 100, "directory");
	read_refused("/dev/zero", 100, "neither a file nor a pipe");
	assert_int_equal(truncate(path, 0), -1);
	fclose(fopen(path, "w"));
	read_refused(path, 100, "empty");
	assert_int_equal(truncate(path, 101), 0);
	read_refused(path, 100, "larger than 0 MiB; use --mem 1M or more");
	assert_int_equal(hv_file_read(&file, path, 101, &err), 0);
	assert_int_equal(file.size, 101);
	hv_file_free(&file);
	if (geteuid()) {
		chmod(path, 0);
		read_refused(path, 200, "permission");
	}
	unlink(path);
}

/* @size bytes into a FIFO, from a child. */
static pid_t feed(const char *fifo, size_t size)
{
	pid_t pid = fork();
	int fd;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	signal(SIGPIPE, SIG_IGN);
	fd = open(fifo, O_WRONLY);
	for (size_t done = 0; done < size; done++)
		if (write(fd, &(char){ done % 251 }, 1) != 1)
			break;
	_exit(0);
}

static void read_fifo(const char *fifo, size_t size, uint64_t max, const char *with)
{
	pid_t pid = feed(fifo, size);
	struct hv_file file;
	struct hv_error err;

	if (with) {
		read_refused(fifo, max, with);
	} else {
		assert_int_equal(hv_file_read(&file, fifo, max, &err), 0);
		assert_int_equal(file.size, size);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(file.data[i], i % 251);
		hv_file_free(&file);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_pipes(void **state)
{
	char fifo[64];

	(void)state;
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	read_fifo(fifo, 1, HV_MIB, NULL);
	read_fifo(fifo, 64 * HV_KIB - 1, HV_MIB, NULL);
	read_fifo(fifo, 64 * HV_KIB, HV_MIB, NULL);
	read_fifo(fifo, 64 * HV_KIB + 1, HV_MIB, NULL);
	read_fifo(fifo, 200000, 200000, NULL);
	read_fifo(fifo, 200001, 200000, "larger");
	read_fifo(fifo, 0, HV_MIB, "empty");
	unlink(fifo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf64),
		cmocka_unit_test(test_elf32),
		cmocka_unit_test(test_elf_foreign),
		cmocka_unit_test(test_elf_wrong_type),
		cmocka_unit_test(test_elf_broken_segments),
		cmocka_unit_test(test_elf_truncated_anywhere),
		cmocka_unit_test(test_flat),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_pipes),
	};

	return cmocka_run_group_tests_name("image", tests, make_dir, remove_dir);
}
