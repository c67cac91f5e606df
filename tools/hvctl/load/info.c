// SPDX-License-Identifier: GPL-2.0-only
/* What a boot protocol tells its guest: put together piece by piece. */
#include <string.h>

#include "elf.h"
#include "info.h"
#include "lib/util.h"

struct hv_info hv_info_begin(const struct hv_payload *payload, const struct hv_memory *memory)
{
	return (struct hv_info){
		.memory = memory,
		.gpa = payload->areas.area[HV_BOOT_THE_INFO].gpa,
	};
}

uint64_t hv_info_reserve(struct hv_info *info, size_t len, size_t align)
{
	size_t at = hv_align_up(info->len, align);

	info->len = at + len;
	return info->gpa + at;
}

void hv_info_set(const struct hv_info *info, uint64_t gpa, const void *data, size_t len)
{
	if (info->memory && len)
		hv_image_put(info->memory, gpa, data, len);
}

uint64_t hv_info_add(struct hv_info *info, const void *data, size_t len, size_t align)
{
	uint64_t gpa = hv_info_reserve(info, len, align);

	hv_info_set(info, gpa, data, len);
	return gpa;
}

uint64_t hv_info_add_string(struct hv_info *info, const char *text)
{
	return hv_info_add(info, text, strlen(text) + 1, 1);
}

uint64_t hv_info_add_module_string(struct hv_info *info, const struct hv_module *module)
{
	uint64_t gpa = hv_info_add_string(info, module->path);

	if (module->args)
		hv_info_set(info, gpa + module->args - 1, " ", 1);
	return gpa;
}

uint64_t hv_info_add_sections(struct hv_info *info, const struct hv_payload *payload, size_t align)
{
	uint64_t gpa = hv_info_reserve(info, 0, align);

	for (uint32_t i = 0; i < payload->image.sections.count; i++) {
		uint8_t header[HV_ELF_SECTION_MAX];

		hv_elf_copy_section(header, &payload->image, &payload->file, i);
		hv_info_add(info, header, payload->image.sections.entry_size, 1);
	}
	return gpa;
}
