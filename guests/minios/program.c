// SPDX-License-Identifier: GPL-2.0-only
/* Programs: ELF files that are part of the kernel's image, by name. */
#include "kernel.h"

#define ELF_MAGIC	0x464c457f
#define ELF_LOAD	1
#define ELF_EXECUTE	1
#define ELF_WRITE	2

struct elf_header {
	u32 magic;
	u8 ident[12];
	u16 type, machine;
	u32 version;
	u64 entry, segments, sections;
	u32 flags;
	u16 header_bytes, segment_bytes, segment_count;
};

struct elf_segment {
	u32 type, flags;
	u64 offset, va, pa, file_bytes, memory_bytes, align;
};

/* programs.S */
struct program {
	char name[16];
	const void *elf;
};

extern const struct program programs[], programs_end[];

const void *program_find(const char *name)
{
	const struct program *program;

	for (program = programs; program < programs_end; program++) {
		if (!strcmp(program->name, name))
			return program->elf;
	}
	return NULL;
}

/* The part of the segment's file bytes that belongs into the page at @page_va. */
static void fill_page(void *page, u64 page_va, const struct elf_segment *segment,
		      const u8 *bytes)
{
	u64 begin = page_va > segment->va ? page_va : segment->va;
	u64 end = segment->va + segment->file_bytes;

	if (end > page_va + PAGE)
		end = page_va + PAGE;
	if (begin < end)
		memcpy((u8 *)page + (begin - page_va), bytes + (begin - segment->va),
		       end - begin);
}

/* Segments begin in pages of their own: user.lds sees to it. */
static bool load_segment(u64 *space, const struct elf_segment *segment, const u8 *bytes)
{
	int how = (segment->flags & ELF_WRITE ? MAP_WRITE : 0) |
		  (segment->flags & ELF_EXECUTE ? MAP_EXECUTE : 0);
	u64 end = segment->va + segment->memory_bytes;
	u64 va;

	for (va = segment->va & ~(PAGE - 1); va < end; va += PAGE) {
		void *page = space_map(space, va, how);

		if (!page)
			return false;
		fill_page(page, va, segment, bytes);
	}
	return true;
}

/* These files are our own: they are not checked beyond their first word. */
bool program_load(u64 *space, const void *elf, u64 *entry)
{
	const struct elf_header *header = elf;
	const struct elf_segment *segment = elf + header->segments;
	int i;

	if (header->magic != ELF_MAGIC)
		return false;
	for (i = 0; i < header->segment_count; i++, segment++) {
		if (segment->type == ELF_LOAD &&
		    !load_segment(space, segment, (const u8 *)elf + segment->offset))
			return false;
	}
	*entry = header->entry;
	return true;
}
