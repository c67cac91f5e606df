// SPDX-License-Identifier: GPL-2.0-only
/* Flat images at any address, entered anywhere, in any mode: the first 17 bytes say. */
#include <stdlib.h>
#include <string.h>

#include "load/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hv_memory memory;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct hv_boot_env env = { .huge_1g = true };
	struct hv_load_options options;
	struct hv_file file = { (uint8_t *)data + 17, size - 17 };
	struct hv_boot_areas areas;
	struct hv_image image;
	struct hv_boot boot;
	struct hv_error err;

	if (!memory.map && hv_memory_init(&memory, 4 * HV_MIB, &err))
		abort();
	if (size < 18)
		return 0;
	memcpy(&options.load, data, 8);
	memcpy(&options.entry, data + 8, 8);
	options.mode = data[16] % (HV_MODE_LONG + 1);
	if (hv_protocol_flat.load(&image, &file, &options, &err) ||
	    hv_image_check(&image, &memory, &err) || hv_boot_plan(&areas, &image, "a b", &err))
		return 0;
	hv_image_copy(&image, &file, &memory);
	hv_boot_prepare(&boot, &areas, &image, &memory, "a b", &env);
	/* The first instruction is where it was asked for, whatever the segments. */
	if (boot.sregs.seg[TINYVMX_CS].base + boot.regs.rip != image.entry)
		abort();
	return 0;
}
