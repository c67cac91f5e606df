/* SPDX-License-Identifier: GPL-2.0-only */
/* Places in guest RAM for what comes along with an image. */
#ifndef HV_LOAD_PLACE_H
#define HV_LOAD_PLACE_H

#include "payload.h"

/* Where modules may lie, in the RAM that begins at 0. */
struct hv_place_room {
	uint64_t floor;
	uint64_t limit;			/* the end of what the protocol allows */
	uint64_t align;			/* of each; the first begins a page in any case */
	bool high;			/* as high as can be; else right above the floor */
};

/* Give all modules their places. */
int hv_place_modules(struct hv_payload *payload, const struct hv_memory *memory,
		     const struct hv_place_room *room, struct hv_error *err);

/*
 * For the protocols that tell their guest something: find room for the @info_len bytes of
 * that. Each module begins a page, the first right above the image or at 1 MiB: small kernels
 * map no more than the first few MiB.
 */
int hv_place_by_pages(struct hv_payload *payload, const struct hv_memory *memory, size_t info_len,
		      struct hv_error *err);

#endif
