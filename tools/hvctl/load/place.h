/* SPDX-License-Identifier: GPL-2.0-only */
/* Places in guest RAM for what comes along with an image. */
#ifndef HV_LOAD_PLACE_H
#define HV_LOAD_PLACE_H

#include "payload.h"

/*
 * Give all modules room in the RAM above @floor and below @limit, @align apart, as high
 * as can be.
 */
int hv_place_modules(struct hv_payload *payload, const struct hv_memory *memory, uint64_t floor,
		     uint64_t limit, uint64_t align, struct hv_error *err);

/*
 * For the protocols that tell their guest something in HV_BOOT_INFO: the image keeps
 * clear of that, and each module begins a page above the image.
 */
int hv_place_by_pages(struct hv_payload *payload, const struct hv_memory *memory,
		      struct hv_error *err);

#endif
