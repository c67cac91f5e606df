/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzzer gave us, from the front; where it ends zeroes follow. */
#ifndef HV_FUZZ_INPUT_H
#define HV_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

/* A number of @len bytes, up to eight, the highest first. */
static inline uint64_t fuzz_take(struct fuzz_input *input, unsigned int len)
{
	uint64_t value = 0;

	for (; len && input->left; len--, input->left--)
		value = value << 8 | *input->data++;
	return value;
}

static inline uint8_t fuzz_byte(struct fuzz_input *input)
{
	return (uint8_t)fuzz_take(input, 1);
}

static inline unsigned int fuzz_half(struct fuzz_input *input)
{
	return (unsigned int)fuzz_take(input, 2);
}

static inline uint32_t fuzz_word(struct fuzz_input *input)
{
	return (uint32_t)fuzz_take(input, 4);
}

#endif
