// SPDX-License-Identifier: GPL-2.0-only
/* Places in guest RAM for what comes along with an image. */
#include <errno.h>

#include "firmware/layout.h"
#include "lib/util.h"
#include "place.h"

#define PAGE 0x1000ULL

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

int hv_place_modules(struct hv_payload *payload, const struct hv_memory *memory,
		     const struct hv_place_room *room, struct hv_error *err)
{
	uint64_t ram = hv_memory_low_end(memory), top = room->limit < ram ? room->limit : ram;
	uint64_t floor = hv_align_up(room->floor, PAGE), total = 0, gpa;

	for (unsigned int i = 0; i < payload->modules; i++)
		total += hv_align_up(payload->module[i].file.size, room->align);
	if (!total)
		return 0;
	/* The first begins a page, whatever lies between them. */
	gpa = top < total ? 0 : (top - total) & ~(PAGE - 1);
	if (gpa < floor)
		return refuse_modules(payload, total, floor, room->limit, err);
	if (!room->high)
		gpa = floor;
	for (unsigned int i = 0; i < payload->modules; i++) {
		payload->module[i].gpa = gpa;
		gpa += hv_align_up(payload->module[i].file.size, room->align);
	}
	return 0;
}

int hv_place_by_pages(struct hv_payload *payload, const struct hv_memory *memory, size_t info_len,
		      struct hv_error *err)
{
	uint64_t end = hv_image_end(&payload->image);
	const struct hv_place_room room = {
		.floor = end < HV_LAYOUT_HIGH ? HV_LAYOUT_HIGH : end,
		.limit = UINT64_MAX,
		.align = PAGE,
	};
	int error = hv_boot_take(&payload->areas, HV_BOOT_THE_INFO, info_len, &payload->image, err);

	return error ? error : hv_place_modules(payload, memory, &room, err);
}
