// SPDX-License-Identifier: GPL-2.0-only
/* A guest with a balloon, and a host that wants to know how it is. */
#include "fuzz_virtio.h"
#include "virtio/balloon.h"

static void other(struct hv_virtio *dev, struct fuzz_input *input)
{
	struct hv_balloon_facts facts;

	if (fuzz_byte(input) & 1)
		hv_balloon_set(dev, fuzz_word(input));
	hv_balloon_ask(dev);
	hv_balloon_look(dev, &facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hv_memory *memory = fuzz_memory();
	const struct hv_virtio_env env = { .memory = memory };
	struct hv_error err;
	struct hv_virtio *dev = hv_virtio_balloon_create(&env, NULL, &err);
	static const char rom[] = "rom";

	if (!dev || hv_memory_write(memory, memory->rom[0].gpa, rom, sizeof(rom)))
		abort();
	fuzz_drive(dev, memory, data, size, other);
	if (memcmp(memory->rom[0].hva, rom, sizeof(rom)))
		abort();
	return 0;
}
