// SPDX-License-Identifier: GPL-2.0-only
/* Flat binaries: the bytes go to one place and are entered there, unless told otherwise. */
#include <errno.h>

#include "protocol.h"

#define BASE 0x100000
#define BASE_REAL 0x8000

static int load_flat(struct hv_image *image, const struct hv_file *file,
		     const struct hv_load_options *options, struct hv_error *err)
{
	enum hv_mode mode = options->mode == HV_MODE_DEFAULT ? HV_MODE_LONG : options->mode;
	uint64_t load = options->load;

	if (load == HV_UNSET)
		load = mode == HV_MODE_REAL ? BASE_REAL : BASE;
	*image = (struct hv_image){
		.kind = "flat binary",
		.mode = mode,
		.entry = options->entry == HV_UNSET ? load : options->entry,
		.file_size = file->size,
		.count = 1,
		.segment[0] = {
			.gpa = load,
			.mem_size = file->size,
			.file_size = file->size,
		},
	};
	if (image->entry < load || image->entry - load >= file->size)
		return hv_fail(
			err, EINVAL,
			"entry 0x%llx is outside the image (0x%llx-0x%llx); mend --entry or --load",
			(unsigned long long)image->entry, (unsigned long long)load,
			(unsigned long long)(load + file->size - 1));
	return 0;
}

const struct hv_protocol hv_protocol_flat = {
	.name = "flat",
	.load = load_flat,
	.advice = "is it linked for where it was loaded, and for the mode? See --load, --entry and --mode",
	.after_bios = true,
};
