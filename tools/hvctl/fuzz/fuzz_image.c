// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as whatever kernel they look like. */
#include "fuzz_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_load(NULL, data, size);
	return 0;
}
