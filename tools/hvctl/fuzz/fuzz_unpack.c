// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a compressed file: the first byte says as which, so that all are reached. */
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/util.h"
#include "load/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const magics[] = {
	"\x1f\x8b\x08", "\xfd\x37zXZ", "\x5d", "\x28\xb5\x2f\xfd",
	"\x04\x22\x4d\x18", "\x02\x21\x4c\x18", "BZh91AY&SY",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *magic = size ? magics[data[0] % ARRAY_SIZE(magics)] : "";
	size_t len = strlen(magic);
	struct hv_error err = { .text = "" };
	struct hv_file file;

	if (size <= len)
		return 0;
	file = (struct hv_file){ malloc(size), size };
	if (!file.data)
		abort();
	memcpy(file.data, data, size);
	memcpy(file.data, magic, len);
	/* A refusal without a word is no refusal. */
	if (hv_unpack_format(&file) && hv_unpack(&file, HV_MIB, &err) && !*err.text)
		abort();
	if (file.size > HV_MIB && file.size != size)
		abort();
	hv_file_free(&file);
	return 0;
}
