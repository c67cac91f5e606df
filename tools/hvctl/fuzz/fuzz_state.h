/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU's state, as emul/ asks for it: blobs of the fuzzer's. */
#ifndef HV_FUZZ_STATE_H
#define HV_FUZZ_STATE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A list of them, ended by one of length 0, is the context of the two functions. */
struct fuzz_blob {
	uint32_t type;
	size_t len;
	void *data;
};

/* Nobody asks for what is not there, or for part of it. */
static inline void *fuzz_blob(const struct fuzz_blob *blob, uint32_t type, size_t len)
{
	while (blob->len && blob->type != type)
		blob++;
	if (!blob->len || blob->len != len)
		abort();
	return blob->data;
}

static inline int fuzz_get_state(void *ctx, uint32_t type, void *blob, size_t len)
{
	memcpy(blob, fuzz_blob(ctx, type, len), len);
	return 0;
}

static inline int fuzz_set_state(void *ctx, uint32_t type, const void *blob, size_t len)
{
	memcpy(fuzz_blob(ctx, type, len), blob, len);
	return 0;
}

#endif
