/* SPDX-License-Identifier: GPL-2.0-only */
/* What a multiboot 2 kernel is told. */
#ifndef HV_LOAD_MULTIBOOT2_INFO_H
#define HV_LOAD_MULTIBOOT2_INFO_H

#include "payload.h"

#define HV_MULTIBOOT2_EAX 0x36d76289	/* what a multiboot 2 kernel finds in EAX */
#define HV_MULTIBOOT2_TAG_MAX 21	/* the highest type of information there is */

/* Find room for the information, and for the modules it tells of. */
int hv_multiboot2_place(struct hv_payload *payload, const struct hv_memory *memory,
			struct hv_error *err);

/* Write the information to its HV_BOOT_THE_INFO. */
void hv_multiboot2_write_info(const struct hv_payload *payload, const struct hv_memory *memory,
			      const struct hv_boot_env *env);

#endif
