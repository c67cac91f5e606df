/* SPDX-License-Identifier: GPL-2.0-only */
/* The loaders: one file a boot protocol. */
#ifndef HV_LOAD_H
#define HV_LOAD_H

#include "image.h"

#define HV_FLAT_BASE 0x100000
#define HV_FLAT_BASE_REAL 0x8000

typedef int (*hv_loader_fn)(struct hv_image *image, const struct hv_file *file,
			    const struct hv_load_options *options, struct hv_error *err);

int hv_load_flat(struct hv_image *image, const struct hv_file *file,
		 const struct hv_load_options *options, struct hv_error *err);

bool hv_is_elf(const struct hv_file *file);
int hv_load_elf(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err);

#endif
