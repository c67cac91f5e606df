// SPDX-License-Identifier: GPL-2.0-only
/* ELF executables: PT_LOAD segments go to their physical addresses. */
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "elf.h"
#include "lib/util.h"
#include "protocol.h"

bool hv_is_elf(const struct hv_file *file)
{
	return hv_file_has(file, 0, ELFMAG, SELFMAG);
}

struct foreign_machine {
	unsigned int number;
	const char *name;
};

static const struct foreign_machine foreign_machines[] = {
	{ EM_ARM, "ARM" },
	{ EM_AARCH64, "ARM64" },
	{ EM_RISCV, "RISC-V" },
	{ EM_PPC64, "PowerPC64" },
	{ EM_S390, "S/390" },
	{ EM_MIPS, "MIPS" },
	{ EM_SPARCV9, "SPARC64" },
};

static int check_machine(const GElf_Ehdr *header, struct hv_error *err)
{
	unsigned int class = header->e_ident[EI_CLASS];

	if (header->e_machine == EM_X86_64 && class == ELFCLASS64)
		return 0;
	if (header->e_machine == EM_386 && class == ELFCLASS32)
		return 0;
	if (header->e_machine == EM_X86_64)
		return hv_fail(err, ENOEXEC, "is an x32 ELF file; build it with -m64 or -m32");
	for (size_t i = 0; i < ARRAY_SIZE(foreign_machines); i++)
		if (foreign_machines[i].number == header->e_machine)
			return hv_fail(err, ENOEXEC,
				       "is an ELF file for %s; build it for x86-64 or i386",
				       foreign_machines[i].name);
	return hv_fail(
		err, ENOEXEC,
		"is an ELF file for another machine (e_machine %u); build it for x86-64 or i386",
		header->e_machine);
}

static int check_type(const GElf_Ehdr *header, struct hv_error *err)
{
	switch (header->e_type) {
	case ET_EXEC:
	case ET_DYN:
		return 0;
	case ET_REL:
		return hv_fail(err, ENOEXEC, "is an ELF object file; link it with ld first");
	case ET_CORE:
		return hv_fail(err, ENOEXEC, "is a core dump; give the program itself");
	}
	return hv_fail(err, ENOEXEC,
		       "is an ELF file of unknown type %u; link an executable (ET_EXEC)",
		       header->e_type);
}

static int add_segment(struct hv_image *image, const GElf_Phdr *ph, size_t index,
		       const struct hv_file *file, struct hv_error *err)
{
	if (!ph->p_memsz)
		return 0;
	if (ph->p_filesz > ph->p_memsz)
		return hv_fail(
			err, ENOEXEC,
			"ELF segment %zu is larger in the file than in memory; the file is damaged",
			index);
	if (ph->p_offset > file->size || ph->p_filesz > file->size - ph->p_offset)
		return hv_fail(
			err, ENOEXEC,
			"ELF segment %zu goes beyond the end of the file; the file is truncated",
			index);
	if (image->count == HV_IMAGE_MAX_SEGMENTS)
		return hv_fail(err, ENOEXEC,
			       "has more than %d ELF segments to load; link it with fewer",
			       HV_IMAGE_MAX_SEGMENTS);
	image->segment[image->count++] = (struct hv_image_segment){
		.gpa = ph->p_paddr,
		.mem_size = ph->p_memsz,
		.file_offset = ph->p_offset,
		.file_size = ph->p_filesz,
	};
	return 0;
}

/*
 * The entry point is a virtual address; the guest starts where that is physically. Some
 * kernels write the physical one there.
 */
static void find_entry(struct hv_image *image, const GElf_Phdr *ph, uint64_t entry)
{
	if (image->entry == HV_UNSET && entry >= ph->p_vaddr && entry - ph->p_vaddr < ph->p_memsz)
		image->entry = ph->p_paddr + (entry - ph->p_vaddr);
}

static int read_segments(struct hv_image *image, Elf *elf, const GElf_Ehdr *header,
			 const struct hv_file *file, struct hv_error *err)
{
	size_t count;

	if (elf_getphdrnum(elf, &count))
		return hv_fail(err, ENOEXEC,
			       "has a broken ELF program header table; the file is damaged");
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr ph;
		int error;

		if (!gelf_getphdr(elf, i, &ph))
			return hv_fail(
				err, ENOEXEC,
				"ELF program header %zu is beyond the end of the file; the file is truncated",
				i);
		if (ph.p_type != PT_LOAD)
			continue;
		error = add_segment(image, &ph, i, file, err);
		if (error)
			return error;
		find_entry(image, &ph, header->e_entry);
	}
	if (!image->count)
		return hv_fail(err, ENOEXEC,
			       "has no ELF segment to load; link it with a PT_LOAD segment");
	if (image->entry == HV_UNSET && hv_image_uses(image, header->e_entry, 1))
		image->entry = header->e_entry;
	return 0;
}

static int parse(struct hv_image *image, Elf *elf, const struct hv_file *file,
		 const struct hv_load_options *options, struct hv_error *err)
{
	GElf_Ehdr header;
	int error;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return hv_fail(err, ENOEXEC,
			       "has a broken ELF header (%s); the file is truncated or damaged",
			       elf_errmsg(-1));
	if (header.e_ident[EI_DATA] != ELFDATA2LSB)
		return hv_fail(err, ENOEXEC,
			       "is a big-endian ELF file; build it for x86-64 or i386");
	error = check_machine(&header, err);
	if (!error)
		error = check_type(&header, err);
	if (!error)
		error = read_segments(image, elf, &header, file, err);
	if (error)
		return error;
	image->kind = header.e_ident[EI_CLASS] == ELFCLASS64 ? "64-bit ELF" : "32-bit ELF";
	image->mode = header.e_ident[EI_CLASS] == ELFCLASS64 ? HV_MODE_LONG : HV_MODE_PROTECTED;
	if (options->mode != HV_MODE_DEFAULT)
		image->mode = options->mode;
	if (options->entry != HV_UNSET)
		image->entry = options->entry;
	return 0;
}

int hv_elf_read(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err)
{
	Elf *elf;
	int error;

	*image = (struct hv_image){ .file_size = file->size, .entry = HV_UNSET };
	if (options->load != HV_UNSET)
		return hv_fail(
			err, EINVAL,
			"is an ELF file, which says itself where it belongs; leave out --load");
	if (!hv_is_elf(file))
		return hv_fail(
			err, ENOEXEC,
			"is no ELF file, which would begin with 7f 45 4c 46; leave out --boot");
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)file->data, file->size);
	if (!elf)
		return hv_fail(err, ENOEXEC,
			       "is not a readable ELF file (%s); the file is truncated or damaged",
			       elf_errmsg(-1));
	error = parse(image, elf, file, options, err);
	elf_end(elf);
	return error;
}

int hv_elf_load(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err)
{
	int error = hv_elf_read(image, file, options, err);

	if (!error && image->entry == HV_UNSET)
		return hv_fail(err, ENOEXEC,
			       "ELF entry point is in no segment; link it with -e SYMBOL");
	return error;
}

/* What a C library's startup code brings along: the oldest kernel that the program runs on. */
static bool is_abi_note(const struct hv_file *file, const GElf_Phdr *ph)
{
	static const char note[] = "\x04\0\0\0\x10\0\0\0\x01\0\0\0GNU";

	return ph->p_type == PT_NOTE && hv_file_has(file, ph->p_offset, note, sizeof(note));
}

/* Without a boot protocol, a kernel cannot be told from any other program but by these. */
static int check_no_program(Elf *elf, const struct hv_file *file, struct hv_error *err)
{
	size_t count = 0;
	GElf_Ehdr header;
	GElf_Phdr ph;

	if (!gelf_getehdr(elf, &header) || elf_getphdrnum(elf, &count))
		return 0;
	for (size_t i = 0; i < count && gelf_getphdr(elf, i, &ph); i++) {
		if (ph.p_type == PT_INTERP)
			return hv_fail(
				err, ENOEXEC,
				"is a program for Linux with shared libraries; give a kernel, or link it with -static -nostdlib");
		if (is_abi_note(file, &ph))
			return hv_fail(
				err, ENOEXEC,
				"is a program for Linux, by its ABI note; give a kernel, or link it with -nostdlib");
	}
	if (header.e_type == ET_DYN)
		return hv_fail(
			err, ENOEXEC,
			"is a position-independent ELF file (PIE or shared object); link it with -static -no-pie");
	return 0;
}

static int load_plain(struct hv_image *image, const struct hv_file *file,
		      const struct hv_load_options *options, struct hv_error *err)
{
	int error = hv_elf_load(image, file, options, err);
	Elf *elf;

	if (error)
		return error;
	elf = elf_memory((char *)file->data, file->size);
	error = check_no_program(elf, file, err);
	elf_end(elf);
	return error;
}

static const char *recognise(const struct hv_file *file)
{
	return hv_is_elf(file) ? "ELF magic" : NULL;
}

const struct hv_protocol hv_protocol_elf = {
	.name = "elf",
	.recognise = recognise,
	.load = load_plain,
	.advice = "it starts without an IDT, so that its first exception is a triple fault; does --mode fit? See RSP and the instruction",
	.after_bios = true,
};
