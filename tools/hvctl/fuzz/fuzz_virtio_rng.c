// SPDX-License-Identifier: GPL-2.0-only
/* A guest that wants random numbers. */
#include "fuzz_virtio.h"
#include "virtio/rng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hv_memory *memory = fuzz_memory();
	const struct hv_virtio_env env = { .memory = memory };
	struct hv_error err;
	struct hv_virtio *dev = hv_virtio_rng_create(&env, NULL, &err);

	if (!dev)
		abort();
	fuzz_drive(dev, memory, data, size, NULL);
	return 0;
}
