// SPDX-License-Identifier: GPL-2.0-only
/* From a file to guest RAM: check a plan, and carry it out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "image.h"

static bool ranges_overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a <= b ? b - a < a_len : a - b < b_len;
}

static int check_overlap(const struct hv_image *image, size_t index, struct hv_error *err)
{
	const struct hv_image_segment *a = &image->segment[index];

	for (size_t i = 0; i < index; i++) {
		const struct hv_image_segment *b = &image->segment[i];

		if (ranges_overlap(a->gpa, a->mem_size, b->gpa, b->mem_size))
			return hv_fail(
				err, EINVAL,
				"segments at 0x%llx and 0x%llx overlap; mend the linker script",
				(unsigned long long)b->gpa, (unsigned long long)a->gpa);
	}
	return 0;
}

const char *hv_image_more_ram(char text[HV_REMEDY_MAX], uint64_t gpa, uint64_t len,
			      const char *otherwise)
{
	uint64_t end;

	if (__builtin_add_overflow(gpa, len, &end) || end > HV_GAP_BEGIN)
		return otherwise;
	snprintf(text, HV_REMEDY_MAX, "use --mem %lluM or more",
		 (unsigned long long)((end + HV_MIB - 1) / HV_MIB));
	return text;
}

int hv_image_check(const struct hv_image *image, const struct hv_memory *memory,
		   struct hv_error *err)
{
	char remedy[HV_REMEDY_MAX];
	const char *otherwise;

	for (size_t i = 0; i < image->count; i++) {
		const struct hv_image_segment *segment = &image->segment[i];
		int error = check_overlap(image, i, err);

		if (error)
			return error;
		if (hv_memory_at(memory, segment->gpa, segment->mem_size))
			continue;
		otherwise = segment->file_size > HV_GAP_BEGIN ? "give a kernel, not a disk" :
								"load or link it below 3 GiB";
		return hv_fail(
			err, EFBIG,
			"0x%llx bytes at 0x%llx do not fit into guest RAM (0-0x%llx); %s",
			(unsigned long long)segment->mem_size, (unsigned long long)segment->gpa,
			(unsigned long long)hv_memory_low_end(memory) - 1,
			hv_image_more_ram(remedy, segment->gpa, segment->mem_size, otherwise));
	}
	if (!hv_memory_at(memory, image->entry, 1))
		return hv_fail(err, EINVAL,
			       "entry 0x%llx is outside guest RAM (0-0x%llx); mend --entry",
			       (unsigned long long)image->entry,
			       (unsigned long long)hv_memory_low_end(memory) - 1);
	return 0;
}

void hv_image_put(const struct hv_memory *memory, uint64_t gpa, const void *data, size_t len)
{
	if (hv_memory_write(memory, gpa, data, len))
		abort();
}

void hv_image_copy(const struct hv_image *image, const struct hv_file *file,
		   const struct hv_memory *memory)
{
	/* RAM is zero already: only what comes from the file is written. */
	for (size_t i = 0; i < image->count; i++) {
		const struct hv_image_segment *segment = &image->segment[i];

		hv_image_put(memory, segment->gpa, file->data + segment->file_offset,
			     segment->file_size);
	}
}

bool hv_image_uses(const struct hv_image *image, uint64_t gpa, uint64_t len)
{
	for (size_t i = 0; i < image->count; i++)
		if (ranges_overlap(gpa, len, image->segment[i].gpa, image->segment[i].mem_size))
			return true;
	return false;
}

uint64_t hv_image_begin(const struct hv_image *image)
{
	uint64_t begin = UINT64_MAX;

	for (size_t i = 0; i < image->count; i++)
		if (image->segment[i].gpa < begin)
			begin = image->segment[i].gpa;
	return begin;
}

uint64_t hv_image_end(const struct hv_image *image)
{
	uint64_t end = 0;

	for (size_t i = 0; i < image->count; i++)
		if (image->segment[i].gpa + image->segment[i].mem_size > end)
			end = image->segment[i].gpa + image->segment[i].mem_size;
	return end;
}
