/* SPDX-License-Identifier: GPL-2.0-only */
/* A file in memory: foreign bytes, which their readers check before they use them. */
#ifndef HV_LOAD_FILE_H
#define HV_LOAD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct hv_file {
	uint8_t *data;
	size_t size;
};

/*
 * Read a file of at most @max bytes, to the end a pipe, or for "-" standard input;
 * hv_file_free() it.
 */
int hv_file_read(struct hv_file *file, const char *path, uint64_t max, struct hv_error *err);
void hv_file_free(struct hv_file *file);

/* Free what was allocated for @file and not filled. */
void hv_file_give_back(struct hv_file *file);

/* Are the @len bytes of @magic at @offset? */
bool hv_file_has(const struct hv_file *file, size_t offset, const void *magic, size_t len);

/* Little-endian fields; the caller has checked that they are in the file. */
static inline uint64_t hv_file_field(const struct hv_file *file, size_t offset, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | file->data[offset + bytes];
	return value;
}

#endif
