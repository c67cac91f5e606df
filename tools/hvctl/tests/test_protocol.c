// SPDX-License-Identifier: GPL-2.0-only
/* Which protocol a file is taken for, by its content or by name; and what is no kernel at all. */
#include "lib/util.h"
#include "load_test.h"

DEFINE_LOAD_TEST(2 * HV_MIB);

static void test_flat(void **state)
{
	(void)state;
	t.config.path = load_test_file(&t, "\xf4", 1);
	t.config.cmdline = "words for it";
	load_test_accept(&t);
	assert_string_equal(t.payload.protocol->name, "flat");
	assert_false(t.payload.protocol->pc);
	assert_string_equal(t.payload.why, "no magic number");
	assert_string_equal(load_test_string(&t, t.boot.regs.gpr[TINYVMX_RSI]), "words for it");
}

static void test_names(void **state)
{
	char names[200], *name, *rest = names;

	(void)state;
	snprintf(names, sizeof(names), "%s", hv_protocol_names());
	while ((name = strsep(&rest, ", ")))
		if (*name)
			assert_string_equal(hv_protocol_find(name)->name, name);
	assert_null(hv_protocol_find("lilo"));
	t.config.path = load_test_file(&t, "\xf4", 1);
	t.config.boot = "lilo";
	load_test_refuse(
		&t,
		"use one of linux, bios, multiboot, multiboot2, pvh, elf, nimbos, firmware, flat");
	assert_string_equal(t.payload.subject, "--boot");
}

struct stranger {
	size_t at;
	const char *magic;
	size_t len;
	const char *with;
};

#define BYTES(b) b, sizeof(b) - 1

static const struct stranger strangers[] = {
	{ 0x38, BYTES("ARM\x64"), "kernel for ARM64" },
	{ 0x38, BYTES("RSC\x05"), "kernel for RISC-V" },
	{ 0x24, BYTES("\x18\x28\x6f\x01"), "kernel for ARM;" },
	{ 4, BYTES("zimg"), "zboot" },
	{ 0, BYTES("\x27\x05\x19\x56"), "uImage" },
	{ 0, BYTES("\xd0\x0d\xfe\xed"), "FIT image" },
	{ 0, BYTES("ANDROID!"), "Android boot image" },
	{ 0, BYTES("QFI\xfb"), "qcow2 disk" },
	{ 0, BYTES("KDMV"), "vmdk" },
	{ 0, BYTES("# Disk DescriptorFile\nversion=1\n"), "vmdk" },
	{ 0x40, BYTES("\x7f\x10\xda\xbe"), "vdi" },
	{ 0, BYTES("vhdxfile"), "vhdx" },
	{ 0, BYTES("conectix"), "vhd" },
	{ 512, BYTES("EFI PART"), "GPT" },
	{ 0x8001, BYTES("CD001"), "ISO 9660" },
	{ 0x438, BYTES("\x53\xef\x01\0\x01\0"), "ext4" },
	{ 0, BYTES("XFSB"), "XFS" },
	{ 0x10040, BYTES("_BHRfS_M"), "Btrfs" },
	{ 0, BYTES("hsqs"), "squashfs" },
	{ 0x400, BYTES("\xe2\xe1\xf5\xe0"), "EROFS" },
	{ 3, BYTES("NTFS    "), "NTFS" },
	{ 0, BYTES("070701"), "--initrd" },
	{ 0, BYTES("070702"), "--initrd" },
	{ 0, BYTES("070707"), "cpio" },
	{ 257, BYTES("ustar"), "tar archive" },
	{ 0, BYTES("PK\x03\x04"), "zip archive" },
	{ 0, BYTES("7z\xbc\xaf\x27\x1c"), "7z archive" },
	{ 0, BYTES("Rar!\x1a\x07"), "RAR archive" },
	{ 0, BYTES("!<arch>\ndebian-binary   "), "dpkg -x" },
	{ 0, BYTES("\xed\xab\xee\xdb"), "rpm2cpio" },
	{ 0, BYTES("\x89LZO\0\r\n\x1a\n"), "lzop -d" },
	{ 0, BYTES("\x1f\x9d"), "uncompress" },
	{ 0, BYTES("LZIP"), "lzip -d" },
	{ 0, BYTES("!<arch>\n"), "ld first" },
	{ 0, BYTES("BC\xc0\xde"), "LLVM bitcode" },
	{ 0, BYTES("\0asm"), "WebAssembly" },
	{ 0, BYTES("\xcf\xfa\xed\xfe"), "Mach-O" },
	{ 0, BYTES("\xce\xfa\xed\xfe"), "Mach-O" },
	{ 0, BYTES("\xca\xfe\xba\xbe"), "Java class" },
	{ 0, BYTES("KDUMP   "), "crash dump" },
	{ 0, BYTES("\xea\x05\0\xc0\x07\x66\x9c\x66\x60"), "ipxe.pxe" },
	{ 0, BYTES("%PDF-1.7"), "PDF" },
	{ 0, BYTES("\x89PNG\r\n"), "PNG" },
	{ 0, BYTES("\xff\xd8\xff"), "JPEG" },
	{ 0, BYTES("SQLite format 3"), "SQLite" },
	{ 0, BYTES("MZ"), "bzImage" },
};

static void refuse_bytes(const void *bytes, size_t size, const char *with)
{
	t.config.path = load_test_file(&t, bytes, size);
	load_test_refuse(&t, with);
	assert_string_equal(t.payload.subject, t.config.path);
	close(t.file[--t.files].fd);
}

/* Each row: whole, and when the file ends in its magic, as a flat image. */
static void test_strangers(void **state)
{
	static char bytes[0x11000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		const struct stranger *s = &strangers[i];

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes + s->at, s->magic, s->len);
		refuse_bytes(bytes, sizeof(bytes), s->with);
		refuse_bytes(bytes, s->at + s->len, s->with);
		hv_payload_free(&t.payload);
		t.config.path = load_test_file(&t, bytes, s->at + s->len - 1);
		if (!hv_payload_read(&t.payload, &t.config, &t.memory, &t.err))
			assert_string_equal(t.payload.protocol->name, "flat");
		hv_payload_free(&t.payload);
		close(t.file[--t.files].fd);
	}
}

static void put16(char *bytes, size_t at, uint16_t value)
{
	memcpy(bytes + at, &value, 2);
}

static void test_programs_for_efi(void **state)
{
	char bytes[0x400] = "MZ";

	(void)state;
	put16(bytes, 0x3c, 0x80);
	memcpy(bytes + 0x80, "PE\0\0", 4);
	put16(bytes, 0x84, 0xaa64);
	refuse_bytes(bytes, sizeof(bytes), "another machine");
	put16(bytes, 0x84, 0x8664);
	refuse_bytes(bytes, sizeof(bytes), "Windows");
	put16(bytes, 0x80 + 0x5c, 10);
	refuse_bytes(bytes, sizeof(bytes), "for EFI with no other entry");
	put16(bytes, 0x84, 0x14c);
	refuse_bytes(bytes, sizeof(bytes), "for EFI with no other entry");
	memcpy(bytes + 0x200, ".linux\0", 8);
	refuse_bytes(bytes, sizeof(bytes), "unified kernel image");
	refuse_bytes(bytes, 0x80 + 0x5f, "ends before its header");
	put16(bytes, 0x3e, 0xffff);
	refuse_bytes(bytes, sizeof(bytes), "ends before its header");
}

static void test_option_rom(void **state)
{
	char bytes[0x200] = "\x55\xaa\x01";

	(void)state;
	put16(bytes, 0x18, sizeof(bytes) - 4);
	t.config.path = load_test_file(&t, bytes, sizeof(bytes));
	load_test_accept(&t);
	memcpy(bytes + sizeof(bytes) - 4, "PCIR", 4);
	refuse_bytes(bytes, sizeof(bytes), "ROM of a PCI card");
}

static void test_text(void **state)
{
	char large[3000];

	(void)state;
	refuse_bytes(BYTES("#!/bin/sh\nexec true\n"), "is a script");
	refuse_bytes(BYTES("-----BEGIN CERTIFICATE-----\n"), "certificate");
	refuse_bytes(BYTES("bits 16\norg 0x7c00\n\thlt\n"), "is text");
	refuse_bytes(BYTES("Gr\xc3\xbc\xc3\x9f Gott\n"), "is text");
	/* A letter of two bytes lies across the end of what is looked at. */
	memset(large, 'x', sizeof(large));
	large[10] = '\n';
	memcpy(large + 1023, "\xc3\xbc", 2);
	refuse_bytes(large, sizeof(large), "is text");
	/* Latin 1, a NUL, no line: it may be code. */
	t.config.path = load_test_file(&t, BYTES("Gr\xfc\xdf Gott\n"));
	load_test_accept(&t);
	t.config.path = load_test_file(&t, BYTES("some text\n\0\n"));
	load_test_accept(&t);
	t.config.path = load_test_file(&t, BYTES("PPPPPPPPPP"));
	load_test_accept(&t);
	t.config.path = load_test_file(&t, BYTES("PPPPP\n"));
	load_test_accept(&t);
}

static void test_stranger_on_request(void **state)
{
	(void)state;
	t.config.path = load_test_file(&t, "MZ", 2);
	t.config.boot = "flat";
	load_test_accept(&t);
	assert_string_equal(t.payload.why, "--boot");
}

static void test_wrong_on_request(void **state)
{
	static const char *const names[] = { "linux", "multiboot", "multiboot2",
					     "pvh",   "elf",       "firmware" };

	(void)state;
	t.config.path = load_test_file(&t, "\xf4", 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		t.config.boot = names[i];
		load_test_refuse(&t, "");
		hv_payload_free(&t.payload);
	}
}

static void test_initrd_refused(void **state)
{
	(void)state;
	t.config.path = load_test_file(&t, "\xf4", 1);
	hv_payload_config_add_initrd(&t.config, load_test_file(&t, "x", 1));
	load_test_refuse(&t, "takes no initrd");
	assert_string_equal(t.payload.subject, t.payload.module[0].path);
}

static void test_image_missing(void **state)
{
	(void)state;
	t.config.path = "/nonexistent/image";
	load_test_refuse(&t, "no such file");
	assert_string_equal(t.payload.subject, t.config.path);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_flat),
		T(test_names),
		T(test_strangers),
		T(test_programs_for_efi),
		T(test_option_rom),
		T(test_text),
		T(test_stranger_on_request),
		T(test_wrong_on_request),
		T(test_initrd_refused),
		T(test_image_missing),
	};

	return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
