/* SPDX-License-Identifier: GPL-2.0-only */
/* What the loaders' fuzzers share: plan and start a guest from any bytes. */
#ifndef FUZZ_LOAD_H
#define FUZZ_LOAD_H

#include <stdlib.h>

#include "load/protocol.h"

#define FUZZ_RAM (16 * HV_MIB)

/* As @protocol, with an initrd; NULL: as whatever it looks like, without. */
static inline void fuzz_load(const struct hv_protocol *protocol, const uint8_t *data, size_t size)
{
	static struct hv_memory memory;
	const struct hv_payload_config config = {
		.path = "kernel",
		.boot = protocol ? protocol->name : NULL,
		.append = "words",
		.options = HV_LOAD_OPTIONS_DEFAULT,
	};
	struct hv_payload payload = {
		.file = { (uint8_t *)data, size },
		.modules = protocol ? 1 : 0,
		.module[0] = { .path = "initrd", .file = { (uint8_t *)data, size } },
	};
	const struct hv_boot_env env = { .huge_1g = true, .rsdp = 0xe0000 };
	struct hv_error err = { .text = "" };
	struct hv_boot boot;

	if (!memory.map && hv_memory_init(&memory, FUZZ_RAM, &err))
		abort();
	if (!size)
		return;
	if (hv_payload_plan(&payload, &config, &memory, &err)) {
		/* A refusal without a word is no refusal. */
		if (!*err.text)
			abort();
		return;
	}
	/* A place that is none shows here. */
	hv_payload_start(&payload, &memory, &env, &boot);
}

#endif
