// SPDX-License-Identifier: GPL-2.0-only
/*
 * Multiboot 2 kernels: entered in 32-bit protected mode, EAX a magic number, EBX the address of
 * a list of tags. As in the Multiboot2 Specification, "OS image format" and "Machine state".
 */
#include <errno.h>

#include "elf.h"
#include "lib/util.h"
#include "multiboot.h"
#include "multiboot2_info.h"
#include "protocol.h"

/* Offsets in the header */
#define ARCHITECTURE 4
#define LENGTH 8
#define TAGS 16

#define ARCHITECTURE_I386 0

/* ... and in a tag of it */
#define TAG_FLAGS 2
#define TAG_SIZE 4
#define TAG_DATA 8
#define TAG_OPTIONAL 1

enum tag {
	TAG_END,
	TAG_INFORMATION,
	TAG_ADDRESS,
	TAG_ENTRY,
	TAG_CONSOLE,
	TAG_FRAMEBUFFER,
	TAG_MODULE_ALIGN,
	TAG_EFI_BOOT_SERVICES,
	TAG_ENTRY_EFI32,
	TAG_ENTRY_EFI64,
	TAG_RELOCATABLE,
};

/* By type: bytes that a tag has at least. */
static const uint8_t tag_size[] = {
	[TAG_END] = 8,
	[TAG_INFORMATION] = 8,
	[TAG_ADDRESS] = 24,
	[TAG_ENTRY] = 12,
	[TAG_CONSOLE] = 12,
	[TAG_FRAMEBUFFER] = 20,
	[TAG_MODULE_ALIGN] = 8,
	[TAG_EFI_BOOT_SERVICES] = 8,
	[TAG_ENTRY_EFI32] = 12,
	[TAG_ENTRY_EFI64] = 12,
	[TAG_RELOCATABLE] = 24,
};

/* A load address that stands for "where the file begins" */
#define FROM_THE_START UINT32_MAX

struct header {
	size_t at;			/* in the file */
	bool has_addresses, has_entry, has_efi, relocatable;
	struct hv_multiboot_addresses addresses;
	uint32_t entry;
	uint32_t min, max, align;	/* of a relocatable image */
};

const struct hv_multiboot_kind hv_multiboot_2 = {
	.name = "multiboot 2",
	.magic = 0xe85250d6,
	.search = 32768,
	.align = 8,
	.size = 16,
	.flags_known = 4,		/* architectures: 0 i386, 4 MIPS */
};

static uint32_t word(const struct hv_file *file, size_t at, unsigned int index)
{
	return hv_file_field(file, at + TAG_DATA + 4 * index, 4);
}

static const char *recognise(const struct hv_file *file)
{
	size_t header;

	return hv_multiboot_find(&hv_multiboot_2, file, &header) ? "multiboot 2 header" : NULL;
}

/* Each number in it is a kind of information that the kernel wants. */
static int read_information(const struct hv_file *file, size_t at, size_t size,
			    struct hv_error *err)
{
	for (unsigned int i = 0; TAG_DATA + 4 * (i + 1) <= size; i++)
		if (word(file, at, i) > HV_MULTIBOOT2_TAG_MAX)
			return hv_fail(
				err, ENOEXEC,
				"multiboot 2 header asks for information of type %u, which hvctl does not know; make that tag optional",
				word(file, at, i));
	return 0;
}

static void read_addresses(struct header *header, const struct hv_file *file, size_t at)
{
	struct hv_multiboot_addresses *a = &header->addresses;

	*a = (struct hv_multiboot_addresses){
		.header = word(file, at, 0),
		.load = word(file, at, 1),
		.load_end = word(file, at, 2),
		.bss_end = word(file, at, 3),
	};
	if (a->load == FROM_THE_START && a->header >= header->at)
		a->load = a->header - header->at;
	header->has_addresses = true;
}

static int read_tag(struct header *header, const struct hv_file *file, size_t at, size_t size,
		    struct hv_error *err)
{
	unsigned int type = hv_file_field(file, at, 2);
	bool optional = hv_file_field(file, at + TAG_FLAGS, 2) & TAG_OPTIONAL;

	if (type >= ARRAY_SIZE(tag_size)) {
		if (optional)
			return 0;
		return hv_fail(
			err, ENOEXEC,
			"multiboot 2 header has a tag of type %u, which hvctl does not know; make it optional",
			type);
	}
	if (size < tag_size[type])
		return hv_fail(
			err, ENOEXEC,
			"multiboot 2 header has a tag of type %u with %zu bytes, and it needs %u; mend the header",
			type, size, tag_size[type]);
	switch (type) {
	case TAG_INFORMATION:
		return optional ? 0 : read_information(file, at, size, err);
	case TAG_ADDRESS:
		read_addresses(header, file, at);
		break;
	case TAG_ENTRY:
		header->has_entry = true;
		header->entry = word(file, at, 0);
		break;
	case TAG_ENTRY_EFI32:
	case TAG_ENTRY_EFI64:
		header->has_efi = true;
		break;
	case TAG_RELOCATABLE:
		header->relocatable = true;
		header->min = word(file, at, 0);
		header->max = word(file, at, 1);
		header->align = word(file, at, 2);
		break;
	}
	return 0;
}

static int read_header(struct header *header, const struct hv_file *file, struct hv_error *err)
{
	size_t at = header->at + TAGS, end;
	uint32_t length = hv_file_field(file, header->at + LENGTH, 4);

	if (hv_file_field(file, header->at + ARCHITECTURE, 4) != ARCHITECTURE_I386)
		return hv_fail(err, ENOEXEC,
			       "is a multiboot 2 kernel for another machine; build it for i386");
	end = header->at + length;
	if (end > file->size || end > hv_multiboot_2.search)
		return hv_fail(
			err, ENOEXEC,
			"multiboot 2 header at 0x%zx says it has %u bytes, which are not in the first %zu of the file; mend the header",
			header->at, length, hv_multiboot_2.search);
	while (at + TAG_DATA <= end) {
		size_t size = hv_file_field(file, at + TAG_SIZE, 4);
		int error;

		if (size < TAG_DATA || size > end - at)
			break;
		if (hv_file_field(file, at, 2) == TAG_END)
			return 0;
		error = read_tag(header, file, at, size, err);
		if (error)
			return error;
		at += hv_align_up(size, 8);
	}
	return hv_fail(
		err, ENOEXEC,
		"multiboot 2 header at 0x%zx has no end: no tag of type 0 and size 8 in its %u bytes; mend the header",
		header->at, length);
}

static int load_segments(struct hv_image *image, const struct header *header,
			 const struct hv_file *file, const struct hv_load_options *options,
			 struct hv_error *err)
{
	if (header->has_addresses && header->has_entry)
		return hv_multiboot_load_by_addresses(image, file, header->at, header->addresses,
						      err);
	if (header->has_addresses)
		return hv_fail(
			err, ENOEXEC,
			"multiboot 2 header has an address tag and no entry address tag; mend the header");
	if (hv_is_elf(file))
		return header->has_entry ? hv_elf_read(image, file, options, err) :
					   hv_elf_load(image, file, options, err);
	if (header->has_efi)
		return hv_fail(
			err, ENOEXEC,
			"has an EFI entry alone in its multiboot 2 header; add an address tag and an entry address tag");
	return hv_multiboot_refuse_unplaced(&hv_multiboot_2, file, err);
}

/* It stays where it is linked if it may; else it goes to the lowest place that it allows. */
static int relocate(struct hv_image *image, const struct header *header, struct hv_error *err)
{
	uint64_t begin = hv_image_begin(image), size = hv_image_end(image) - begin;
	uint64_t align = header->align ? header->align : 1;
	uint64_t gpa = header->min < HV_MIB ? HV_MIB : header->min;

	if (begin >= header->min && begin % align == 0 && size &&
	    hv_image_end(image) - 1 <= header->max)
		return 0;
	gpa = (gpa + align - 1) / align * align;
	if (gpa + size < gpa || gpa + size - 1 > header->max)
		return hv_fail(
			err, ENOEXEC,
			"multiboot 2 header wants its 0x%llx bytes between 0x%x and 0x%x, where they do not fit; mend the relocatable tag",
			(unsigned long long)size, header->min, header->max);
	for (size_t i = 0; i < image->count; i++)
		image->segment[i].gpa += gpa - begin;
	if (image->entry != HV_UNSET)
		image->entry += gpa - begin;
	return 0;
}

static int load(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err)
{
	struct header header = { 0 };
	int error;

	*image = (struct hv_image){ 0 };
	if (!hv_multiboot_find(&hv_multiboot_2, file, &header.at))
		return hv_fail(err, ENOEXEC,
			       "has no multiboot 2 header in its first %zu bytes; leave out --boot",
			       hv_multiboot_2.search);
	error = hv_multiboot_check_options(options, err);
	if (!error)
		error = read_header(&header, file, err);
	if (!error)
		error = load_segments(image, &header, file, options, err);
	if (error)
		return error;
	image->file_size = file->size;
	image->mode = HV_MODE_PROTECTED;
	image->kind = header.has_addresses ? "multiboot 2 kernel (address tag)" :
					     "multiboot 2 kernel (ELF)";
	if (header.has_entry)
		image->entry = header.entry;
	if (header.relocatable)
		error = relocate(image, &header, err);
	image->relocatable = header.relocatable;
	if (options->entry != HV_UNSET)
		image->entry = options->entry;
	if (!error && !header.has_addresses)
		hv_elf_add_symbols(image, file);
	return error;
}

static void start(const struct hv_payload *payload, const struct hv_memory *memory,
		  const struct hv_boot_env *env, struct hv_boot *boot)
{
	hv_multiboot2_write_info(payload, memory, env);
	hv_multiboot_set_regs(payload, HV_MULTIBOOT2_EAX, boot);
}

const struct hv_protocol hv_protocol_multiboot2 = {
	.name = "multiboot2",
	.recognise = recognise,
	.load = load,
	.place = hv_multiboot2_place,
	.start = start,
	.advice = HV_MULTIBOOT_ADVICE,
	.names_image = true,
	.module_args = true,
	.after_bios = true,
	.pc = true,
};
