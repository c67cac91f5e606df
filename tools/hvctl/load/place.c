// SPDX-License-Identifier: GPL-2.0-only
/* Places in guest RAM for what comes along with an image. */
#include <errno.h>

#include "place.h"

#define PAGE 0x1000ULL

static uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

static int refuse_modules(struct hv_payload *payload, uint64_t total, uint64_t floor,
			  uint64_t limit, struct hv_error *err)
{
	/* What a protocol does not allow, no --mem will mend. */
	uint64_t len = floor + total <= limit ? total : UINT64_MAX;
	char remedy[HV_REMEDY_MAX];

	payload->subject = payload->module[0].path;
	return hv_fail(err, ENOSPC,
		       "initrd: %llu KiB do not fit between the kernel's end at 0x%llx and %s; %s",
		       (unsigned long long)(total + 1023) / 1024, (unsigned long long)floor,
		       len == total ? "the end of guest RAM" : "the highest address it can use",
		       hv_image_more_ram(remedy, floor, len, "use a smaller one"));
}

int hv_place_modules(struct hv_payload *payload, const struct hv_memory *memory, uint64_t floor,
		     uint64_t limit, uint64_t align, struct hv_error *err)
{
	uint64_t ram = hv_memory_low_end(memory), top = limit < ram ? limit : ram;
	uint64_t total = 0, gpa;

	for (unsigned int i = 0; i < payload->modules; i++)
		total += align_up(payload->module[i].file.size, align);
	/* The first begins a page, whatever lies between them. */
	gpa = top < total ? 0 : (top - total) & ~(PAGE - 1);
	floor = align_up(floor, PAGE);
	if (total && gpa < floor)
		return refuse_modules(payload, total, floor, limit, err);
	for (unsigned int i = 0; i < payload->modules; i++) {
		payload->module[i].gpa = gpa;
		gpa += align_up(payload->module[i].file.size, align);
	}
	return 0;
}

static int check_info_area(const struct hv_image *image, struct hv_error *err)
{
	if (!hv_image_uses(image, HV_BOOT_INFO, HV_BOOT_INFO_SIZE))
		return 0;
	return hv_fail(
		err, EINVAL,
		"covers 0x%x-0x%x, where hvctl puts what the boot protocol tells; link it elsewhere, e.g. at 0x100000",
		HV_BOOT_INFO, HV_BOOT_INFO + HV_BOOT_INFO_SIZE - 1);
}

int hv_place_by_pages(struct hv_payload *payload, const struct hv_memory *memory,
		      struct hv_error *err)
{
	int error = check_info_area(&payload->image, err);

	if (error)
		return error;
	return hv_place_modules(payload, memory, hv_image_end(&payload->image), UINT64_MAX, PAGE,
				err);
}
