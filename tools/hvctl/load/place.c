// SPDX-License-Identifier: GPL-2.0-only
/* Places in guest RAM for what comes along with an image. */
#include <errno.h>

#include "place.h"

int hv_place_modules(struct hv_payload *payload, uint64_t floor, uint64_t limit, uint64_t align,
		     struct hv_error *err)
{
	uint64_t total = 0, gpa;

	for (unsigned int i = 0; i < payload->modules; i++)
		total += (payload->module[i].file.size + align - 1) & ~(align - 1);
	/* The first begins a page, whatever lies between them. */
	gpa = limit < total ? 0 : (limit - total) & ~0xfffULL;
	if (total && gpa < floor) {
		payload->subject = payload->module[0].path;
		return hv_fail(
			err, ENOSPC,
			"initrd: %llu KiB do not fit into guest RAM between the kernel's end at 0x%llx and 0x%llx; use a larger --mem",
			(unsigned long long)(total + 1023) / 1024, (unsigned long long)floor,
			(unsigned long long)limit);
	}
	for (unsigned int i = 0; i < payload->modules; i++) {
		payload->module[i].gpa = gpa;
		gpa += (payload->module[i].file.size + align - 1) & ~(align - 1);
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
	return hv_place_modules(payload, hv_image_end(&payload->image), hv_memory_low_end(memory),
				0x1000, err);
}
