// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as an ELF file: parse it, check it, copy it. */
#include <stdlib.h>

#include "load/boot.h"
#include "load/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hv_memory memory;

static void try(const struct hv_file *file, const struct hv_load_options *options)
{
	struct hv_boot_areas areas;
	struct hv_image image;
	struct hv_error err = { .text = "" };

	if (hv_elf_load(&image, file, options, &err) || hv_image_check(&image, &memory, &err) ||
	    hv_boot_plan(&areas, &image, "", &err)) {
		/* A refusal without a word is no refusal. */
		if (!*err.text)
			abort();
		return;
	}
	hv_image_copy(&image, file, &memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hv_file file = { (uint8_t *)data, size };
	struct hv_load_options defaults = HV_LOAD_OPTIONS_DEFAULT;
	struct hv_error err;

	if (!memory.map && hv_memory_init(&memory, 16 * HV_MIB, &err))
		abort();
	if (size)
		try(&file, &defaults);
	return 0;
}
