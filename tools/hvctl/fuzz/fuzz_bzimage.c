// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a Linux bzImage with an initrd. */
#include "fuzz_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_load(&hv_protocol_linux, data, size);
	return 0;
}
