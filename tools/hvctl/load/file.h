/* SPDX-License-Identifier: GPL-2.0-only */
/* A file in memory: foreign bytes, which their readers check before they use them. */
#ifndef HV_LOAD_FILE_H
#define HV_LOAD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/bytes.h"
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

/* What every file is recognised by, rightly made or not, lies here. */
#define HV_FILE_HEAD 0x1000000

/**
 * hv_file_open() - begin to read a file of which parts may do
 * @file: its size, its first HV_FILE_HEAD bytes and zeroes; where there is no room for it,
 *	those bytes alone. hv_file_free() it in any case
 * @fd: for hv_file_fetch(), after which hv_close() it; -1: @file is whole
 * @path: a pipe, "-" and a small file are read to their ends
 * @max: bytes of a pipe
 * @err: filled in on failure
 *
 * Returns 0 or -errno.
 */
int hv_file_open(struct hv_file *file, int *fd, const char *path, uint64_t max,
		 struct hv_error *err);

/* Read @len bytes at @offset, as far as the file has them. Returns 0 or -errno. */
int hv_file_fetch(struct hv_file *file, int fd, uint64_t offset, uint64_t len,
		  struct hv_error *err);

/* Free what was allocated for @file and not filled. */
void hv_file_give_back(struct hv_file *file);

/* Are the @len bytes of @magic at @offset? */
bool hv_file_has(const struct hv_file *file, size_t offset, const void *magic, size_t len);

/* Little-endian fields; the caller has checked that they are in the file. */
static inline uint64_t hv_file_field(const struct hv_file *file, size_t offset, unsigned int bytes)
{
	return hv_get_le(file->data + offset, bytes);
}

#endif
