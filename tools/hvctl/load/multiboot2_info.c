// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a multiboot 2 kernel is told: tags, each at a multiple of 8. As in the Multiboot2
 * Specification, "Boot information format". Left out is what there is not: a BIOS boot device,
 * VBE, APM, SMBIOS, EFI, a network.
 */
#include <string.h>

#include "firmware/layout.h"
#include "info.h"
#include "multiboot2_info.h"
#include "place.h"

enum tag {
	TAG_END,
	TAG_CMDLINE,
	TAG_LOADER_NAME,
	TAG_MODULE,
	TAG_MEMORY,
	TAG_MMAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_ELF_SECTIONS = 9,
	TAG_OLD_ACPI = 14,
	TAG_NEW_ACPI = 15,
	TAG_LOAD_BASE = HV_MULTIBOOT2_TAG_MAX,
};

struct tag_header {
	uint32_t type, size;
};

struct mmap_header {
	uint32_t entry_size, entry_version;
};

struct mmap_entry {
	uint64_t gpa, len;
	uint32_t kind, reserved;
};

struct framebuffer {
	uint64_t gpa;
	uint32_t pitch, width, height;
	uint8_t bits, kind;
	uint16_t reserved;
};

#define FRAMEBUFFER_TEXT 2

/* ACPI, "Root System Description Pointer": of revision 0, and of later ones */
#define RSDP_OLD 20
#define RSDP_NEW 36

/* A tag's header is written when its end is known. */
static uint64_t begin_tag(struct hv_info *info)
{
	return hv_info_reserve(info, sizeof(struct tag_header), 8);
}

static void end_tag(struct hv_info *info, uint64_t tag, enum tag type)
{
	const struct tag_header header = { type, info->gpa + info->len - tag };

	hv_info_set(info, tag, &header, sizeof(header));
}

static void add_tag(struct hv_info *info, enum tag type, const void *data, size_t len)
{
	uint64_t tag = begin_tag(info);

	hv_info_add(info, data, len, 1);
	end_tag(info, tag, type);
}

static void add_module(struct hv_info *info, const struct hv_module *module)
{
	const uint32_t range[2] = { module->gpa, module->gpa + module->file.size };
	uint64_t tag = begin_tag(info);

	hv_info_add(info, range, sizeof(range), 1);
	hv_info_add_module_string(info, module);
	end_tag(info, tag, TAG_MODULE);
}

static void add_memory(struct hv_info *info, const struct hv_memory *memory)
{
	const uint32_t kib[2] = {
		HV_LAYOUT_EBDA / HV_KIB,
		(hv_memory_low_end(memory) - HV_LAYOUT_HIGH) / HV_KIB,
	};
	const struct mmap_header header = { .entry_size = sizeof(struct mmap_entry) };
	struct hv_range range[HV_LAYOUT_MAX_RANGES];
	size_t count = hv_layout_map(memory, range, HV_LAYOUT_MAX_RANGES);
	uint64_t tag;

	add_tag(info, TAG_MEMORY, kib, sizeof(kib));
	tag = begin_tag(info);
	hv_info_add(info, &header, sizeof(header), 1);
	for (size_t i = 0; i < count; i++)
		hv_info_add(info,
			    &(struct mmap_entry){ range[i].gpa, range[i].len, range[i].kind, 0 },
			    sizeof(struct mmap_entry), 1);
	end_tag(info, tag, TAG_MMAP);
}

/* Text, whatever the kernel would like better: there is nothing else. */
static void add_framebuffer(struct hv_info *info)
{
	const struct framebuffer text = {
		.gpa = 0xb8000,
		.pitch = 160,
		.width = 80,
		.height = 25,
		.bits = 16,
		.kind = FRAMEBUFFER_TEXT,
	};

	add_tag(info, TAG_FRAMEBUFFER, &text, sizeof(text));
}

static void add_sections(struct hv_info *info, const struct hv_payload *payload)
{
	const struct hv_elf_sections *sections = &payload->image.sections;
	const uint32_t header[3] = { sections->count, sections->entry_size, sections->names };
	uint64_t tag;

	if (!sections->count)
		return;
	tag = begin_tag(info);
	hv_info_add(info, header, sizeof(header), 1);
	hv_info_add_sections(info, payload, 1);
	end_tag(info, tag, TAG_ELF_SECTIONS);
}

/* Copies of the RSDP, as far as those who know the old or the new one read it. */
static void add_acpi(struct hv_info *info, const struct hv_memory *memory, uint64_t rsdp)
{
	uint8_t copy[RSDP_NEW];

	if (hv_memory_read(memory, rsdp, copy, sizeof(copy)))
		return;
	add_tag(info, TAG_OLD_ACPI, copy, RSDP_OLD);
	add_tag(info, TAG_NEW_ACPI, copy, RSDP_NEW);
}

/* @memory also where nothing is to be written: its map is counted. */
static void make_info(struct hv_info *info, const struct hv_payload *payload,
		      const struct hv_memory *memory, uint64_t rsdp)
{
	const uint32_t base = hv_image_begin(&payload->image);
	uint32_t head[2] = { 0 }; /* the size of all, and none */
	uint64_t first = hv_info_reserve(info, sizeof(head), 8);

	add_tag(info, TAG_CMDLINE, payload->text, strlen(payload->text) + 1);
	add_tag(info, TAG_LOADER_NAME, "hvctl", sizeof("hvctl"));
	for (unsigned int i = 0; i < payload->modules; i++)
		add_module(info, &payload->module[i]);
	add_memory(info, memory);
	add_framebuffer(info);
	add_sections(info, payload);
	if (rsdp)
		add_acpi(info, memory, rsdp);
	if (payload->image.relocatable)
		add_tag(info, TAG_LOAD_BASE, &base, sizeof(base));
	add_tag(info, TAG_END, NULL, 0);
	head[0] = info->len;
	hv_info_set(info, first, head, sizeof(head));
}

/* Counted with ACPI: whether there is any shows when the machine is made. */
int hv_multiboot2_place(struct hv_payload *payload, const struct hv_memory *memory,
			struct hv_error *err)
{
	struct hv_info info = { 0 };

	make_info(&info, payload, memory, HV_LAYOUT_LOW_END);
	return hv_place_by_pages(payload, memory, info.len, err);
}

void hv_multiboot2_write_info(const struct hv_payload *payload, const struct hv_memory *memory,
			      const struct hv_boot_env *env)
{
	struct hv_info info = hv_info_begin(payload, memory);

	make_info(&info, payload, memory, env->rsdp);
}
