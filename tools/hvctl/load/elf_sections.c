// SPDX-License-Identifier: GPL-2.0-only
/* The sections of an ELF kernel, for boot protocols that tell the kernel about them. */
#include <elf.h>
#include <string.h>

#include "elf.h"
#include "firmware/layout.h"
#include "lib/util.h"

#define SECTIONS_MAX 1024
#define ALIGN 16ULL

/* Offsets in a section header; flags, address, offset and size are words of the file's class. */
#define TYPE 4
#define FLAGS(word) 8
#define ADDRESS(word) (8 + (word))
#define OFFSET(word) (8 + 2 * (word))
#define SIZE(word) (8 + 3 * (word))

struct section {
	uint64_t type, flags, offset, size;
};

static unsigned int word_size(const struct hv_file *file)
{
	return file->data[EI_CLASS] == ELFCLASS64 ? 8 : 4;
}

static struct section read_section(const struct hv_elf_sections *sections,
				   const struct hv_file *file, uint32_t index)
{
	uint64_t at = sections->offset + (uint64_t)index * sections->entry_size;
	unsigned int word = word_size(file);

	return (struct section){
		.type = hv_file_field(file, at + TYPE, 4),
		.flags = hv_file_field(file, at + FLAGS(word), word),
		.offset = hv_file_field(file, at + OFFSET(word), word),
		.size = hv_file_field(file, at + SIZE(word), word),
	};
}

/* Symbols and names: what no segment brings along. */
static bool is_wanted(const struct section *section, const struct hv_file *file)
{
	return (section->type == SHT_SYMTAB || section->type == SHT_STRTAB) &&
	       !(section->flags & SHF_ALLOC) && section->size && section->offset < file->size &&
	       section->size <= file->size - section->offset;
}

/* An ELF header that libelf has read is whole. */
static struct hv_elf_sections find_sections(const struct hv_file *file)
{
	bool is64 = word_size(file) == 8;
	const struct hv_elf_sections sections = {
		.offset = is64 ? hv_file_field(file, offsetof(Elf64_Ehdr, e_shoff), 8) :
				 hv_file_field(file, offsetof(Elf32_Ehdr, e_shoff), 4),
		.count = hv_file_field(
			file, is64 ? offsetof(Elf64_Ehdr, e_shnum) : offsetof(Elf32_Ehdr, e_shnum),
			2),
		.entry_size = is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr),
		.names = hv_file_field(file,
				       is64 ? offsetof(Elf64_Ehdr, e_shstrndx) :
					      offsetof(Elf32_Ehdr, e_shstrndx),
				       2),
	};
	uint64_t told = hv_file_field(
		file, is64 ? offsetof(Elf64_Ehdr, e_shentsize) : offsetof(Elf32_Ehdr, e_shentsize),
		2);
	uint64_t size = (uint64_t)sections.count * sections.entry_size;

	if (told != sections.entry_size || sections.count > SECTIONS_MAX ||
	    sections.offset > file->size || size > file->size - sections.offset)
		return (struct hv_elf_sections){ 0 };
	return sections;
}

void hv_elf_add_symbols(struct hv_image *image, const struct hv_file *file)
{
	image->sections = find_sections(file);
	for (uint32_t i = 0; i < image->sections.count; i++) {
		struct section section = read_section(&image->sections, file, i);
		uint64_t end = hv_image_end(image);

		if (!is_wanted(&section, file) || image->count == HV_IMAGE_MAX_SEGMENTS)
			continue;
		if (end < HV_LAYOUT_HIGH)
			end = HV_LAYOUT_HIGH;
		image->segment[image->count++] = (struct hv_image_segment){
			.gpa = hv_align_up(end, ALIGN),
			.mem_size = section.size,
			.file_offset = section.offset,
			.file_size = section.size,
		};
	}
}

void hv_elf_copy_section(uint8_t header[HV_ELF_SECTION_MAX], const struct hv_image *image,
			 const struct hv_file *file, uint32_t index)
{
	const struct hv_elf_sections *sections = &image->sections;
	struct section section = read_section(sections, file, index);
	unsigned int word = word_size(file);

	memcpy(header, file->data + sections->offset + (uint64_t)index * sections->entry_size,
	       sections->entry_size);
	if (!is_wanted(&section, file))
		return;
	for (size_t i = 0; i < image->count; i++) {
		const struct hv_image_segment *segment = &image->segment[i];

		if (segment->file_offset == section.offset && segment->file_size == section.size)
			memcpy(header + ADDRESS(word), &segment->gpa, word);
	}
}
