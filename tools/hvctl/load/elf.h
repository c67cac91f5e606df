/* SPDX-License-Identifier: GPL-2.0-only */
/* ELF executables, for the boot protocols whose kernels are such files. */
#ifndef HV_LOAD_ELF_H
#define HV_LOAD_ELF_H

#include "image.h"

bool hv_is_elf(const struct hv_file *file);

/* Segments, mode, and the entry point: HV_UNSET where that is in no segment. */
int hv_elf_read(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err);

/* The same; the entry point must be in one. */
int hv_elf_load(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err);

#endif
