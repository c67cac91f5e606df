// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a multiboot 2 kernel with a module. */
#include "fuzz_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_load(&hv_protocol_multiboot2, data, size);
	return 0;
}
