// SPDX-License-Identifier: GPL-2.0-only
/* Files that people bring and that are no guests: one row a kind. */
#include <string.h>

#include "lib/text.h"
#include "lib/util.h"
#include "stranger.h"

struct row {
	size_t offset;
	const char *magic;
	size_t len;
	const char *text;
};

#define MAGIC(bytes) bytes, sizeof(bytes) - 1

#define DISK "; give the kernel that is in it as the image"
#define FOREIGN_KERNEL "; give one for x86-64"
#define UNPACK "; unpack it, and give the kernel that is in it"

/* Those that are certain come first, the short magic numbers last. */
static const struct row rows[] = {
	/* Kernels, for others */
	{ 0x38, MAGIC("ARM\x64"), "is a Linux kernel for ARM64" FOREIGN_KERNEL },
	{ 0x38, MAGIC("RSC\x05"), "is a Linux kernel for RISC-V" FOREIGN_KERNEL },
	{ 0x24, MAGIC("\x18\x28\x6f\x01"), "is a Linux kernel for ARM" FOREIGN_KERNEL },
	{ 0x04, MAGIC("zimg"), "is a Linux kernel that EFI unpacks (zboot)" FOREIGN_KERNEL },
	{ 0, MAGIC("\x27\x05\x19\x56"),
	  "is a U-Boot image (uImage); take the kernel out of it by dumpimage" },
	{ 0, MAGIC("\xd0\x0d\xfe\xed"),
	  "is a device tree or a U-Boot FIT image; take the kernel out of it by dumpimage" },
	{ 0, MAGIC("ANDROID!"),
	  "is an Android boot image; take the kernel out of it by unpack_bootimg" },
	/* Disks and file systems */
	{ 0, MAGIC("QFI\xfb"), "is a qcow2 disk" DISK },
	{ 0, MAGIC("KDMV"), "is a VMware disk (vmdk)" DISK },
	{ 0, MAGIC("# Disk DescriptorFile"), "describes a VMware disk (vmdk)" DISK },
	{ 0x40, MAGIC("\x7f\x10\xda\xbe"), "is a VirtualBox disk (vdi)" DISK },
	{ 0, MAGIC("vhdxfile"), "is a Hyper-V disk (vhdx)" DISK },
	{ 0, MAGIC("conectix"), "is a Hyper-V disk (vhd)" DISK },
	{ 512, MAGIC("EFI PART"), "is a disk with a GPT" DISK },
	{ 0x8001, MAGIC("CD001"),
	  "is a CD (ISO 9660); mount it, and give the kernel and initrd that are in it" },
	{ 0x438, MAGIC("\x53\xef\x01\0\x01\0"), "is an ext2, ext3 or ext4 file system" DISK },
	{ 0, MAGIC("XFSB"), "is an XFS file system" DISK },
	{ 0x10040, MAGIC("_BHRfS_M"), "is a Btrfs file system" DISK },
	{ 0, MAGIC("hsqs"), "is a squashfs file system" DISK },
	{ 0x400, MAGIC("\xe2\xe1\xf5\xe0"), "is an EROFS file system" DISK },
	{ 3, MAGIC("NTFS    "), "is an NTFS file system" DISK },
	/* Archives and packages */
	{ 0, MAGIC("070701"),
	  "is a cpio archive, as an initramfs is; give it by --initrd, and a kernel as the image" },
	{ 0, MAGIC("070702"),
	  "is a cpio archive, as an initramfs is; give it by --initrd, and a kernel as the image" },
	{ 0, MAGIC("070707"), "is an old cpio archive; give a kernel as the image" },
	{ 257, MAGIC("ustar"), "is a tar archive" UNPACK },
	{ 0, MAGIC("PK\x03\x04"), "is a zip archive" UNPACK },
	{ 0, MAGIC("7z\xbc\xaf\x27\x1c"), "is a 7z archive" UNPACK },
	{ 0, MAGIC("Rar!\x1a\x07"), "is a RAR archive" UNPACK },
	{ 0, MAGIC("!<arch>\ndebian-binary"),
	  "is a Debian package; unpack it by dpkg -x, and give the kernel that is in it" },
	{ 0, MAGIC("\xed\xab\xee\xdb"),
	  "is an RPM package; unpack it by rpm2cpio, and give the kernel that is in it" },
	{ 0, MAGIC("\x89LZO\0\r\n\x1a\n"), "is compressed by lzop; unpack it by lzop -d first" },
	{ 0, MAGIC("\x1f\x9d"), "is compressed by compress; unpack it by uncompress first" },
	{ 0, MAGIC("LZIP"), "is compressed by lzip; unpack it by lzip -d first" },
	/* Programs, for others, and what they are made of */
	{ 0, MAGIC("!<arch>\n"), "is an archive of object files; link it with ld first" },
	{ 0, MAGIC("BC\xc0\xde"), "is LLVM bitcode; compile and link it first" },
	{ 0, MAGIC("\0asm"), "is a WebAssembly module; build it for x86-64" },
	{ 0, MAGIC("\xcf\xfa\xed\xfe"), "is a Mach-O program for macOS; build it as ELF" },
	{ 0, MAGIC("\xce\xfa\xed\xfe"), "is a Mach-O program for macOS; build it as ELF" },
	{ 0, MAGIC("\xca\xfe\xba\xbe"),
	  "is a Mach-O program for several machines, or a Java class; build it as ELF" },
	{ 0, MAGIC("KDUMP   "), "is a kernel's crash dump; give the kernel itself" },
	/* What firmware starts */
	{ 0, MAGIC("\xea\x05\0\xc0\x07\x66\x9c\x66\x60"),
	  "is iPXE for a network card to start (ipxe.pxe); give firmware by --firmware" },
	/* Documents */
	{ 0, MAGIC("%PDF-"), "is a PDF document; give a kernel" },
	{ 0, MAGIC("\x89PNG\r\n"), "is a picture (PNG); give a kernel" },
	{ 0, MAGIC("\xff\xd8\xff"), "is a picture (JPEG); give a kernel" },
	{ 0, MAGIC("SQLite format 3"), "is an SQLite database; give a kernel" },
};

/* ---------------------------------------------------------- programs for EFI */

#define PE_POINTER 0x3c
#define PE_MACHINE 4
#define PE_SUBSYSTEM 0x5c
#define PE_MIN 0x60
#define MACHINE_I386 0x14c
#define MACHINE_X86_64 0x8664
#define SUBSYSTEM_EFI 10

#define DOS_PROGRAM "is a DOS program, or a bzImage that ends before its header; give a whole bzImage or an ELF file"
#define UNIFIED_KERNEL "is a unified kernel image, for EFI; take the kernel out by objcopy -O binary --only-section=.linux FILE vmlinuz"
#define EFI_PROGRAM "is a program for EFI with no other entry; give the kernel as a bzImage or ELF file, or start it from an EFI firmware"

/* PE format, "COFF File Header" and "Optional Header Windows-Specific Fields". */
static const char *program(const struct hv_file *file)
{
	uint64_t at, machine;

	if (!hv_file_has(file, 0, "MZ", 2))
		return NULL;
	at = file->size >= PE_POINTER + 4 ? hv_file_field(file, PE_POINTER, 4) : 0;
	if (!hv_file_has(file, at, "PE\0\0", 4) || file->size - at < PE_MIN)
		return DOS_PROGRAM;
	machine = hv_file_field(file, at + PE_MACHINE, 2);
	if (machine != MACHINE_I386 && machine != MACHINE_X86_64)
		return "is an EFI or Windows program for another machine; give a kernel for x86-64";
	if (hv_file_field(file, at + PE_SUBSYSTEM, 2) != SUBSYSTEM_EFI)
		return "is a Windows program; give a kernel";
	if (memmem(file->data, file->size < 4096 ? file->size : 4096, ".linux\0\0", 8))
		return UNIFIED_KERNEL;
	return EFI_PROGRAM;
}

/* ----------------------------------------------------------------------- ROMs */

#define ROM_PCI_DATA 0x18

/* PCI Firmware Specification, "PCI Expansion ROM Header Format". */
static const char *option_rom(const struct hv_file *file)
{
	if (!hv_file_has(file, 0, "\x55\xaa", 2) || file->size < ROM_PCI_DATA + 2 ||
	    !hv_file_has(file, hv_file_field(file, ROM_PCI_DATA, 2), "PCIR", 4))
		return NULL;
	return "is the ROM of a PCI card; give a kernel, or firmware by --firmware";
}

/* ---------------------------------------------------------------------- text */

#define TEXT_MIN 8
#define TEXT_LOOK 1024

/* Nothing but words, as far as one looks: code has bytes that no text has. */
static bool is_text(const struct hv_file *file)
{
	size_t len = file->size < TEXT_LOOK ? file->size : TEXT_LOOK;
	/* A character that is cut in two at the end is none. */
	size_t whole = len < file->size ? len - 3 : len;
	char copy[TEXT_LOOK + 1] = "", clean[TEXT_LOOK + 1];
	bool lines = false;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = file->data[i];

		copy[i] = c && strchr("\t\n\f\r\x1b", c) ? ' ' : c;
		lines |= c == '\n';
	}
	hv_text_clean(clean, sizeof(clean), copy, len);
	return len >= TEXT_MIN && lines && !memcmp(copy, clean, whole);
}

static const char *text(const struct hv_file *file)
{
	if (hv_file_has(file, 0, "#!", 2) && is_text(file))
		return "is a script; give a kernel";
	if (hv_file_has(file, 0, "-----BEGIN ", 11))
		return "is a key or certificate; give a kernel";
	return is_text(file) ? "is text; assemble, compile or unpack it first, or use --boot flat" :
			       NULL;
}

const char *hv_stranger(const struct hv_file *file)
{
	const char *known = program(file);

	if (!known)
		known = option_rom(file);
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !known; i++)
		if (hv_file_has(file, rows[i].offset, rows[i].magic, rows[i].len))
			known = rows[i].text;
	return known ? known : text(file);
}
