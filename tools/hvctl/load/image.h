/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest image asks for. A loader only reads the file and writes this plan;
 * checking it against RAM and copying are the same for all and done here.
 */
#ifndef HV_IMAGE_H
#define HV_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "lib/error.h"
#include "lib/memory.h"

/* A file in memory. */
struct hv_file {
	uint8_t *data;
	size_t size;
};

struct hv_protocol;

#define HV_IMAGE_MAX_SEGMENTS 64

struct hv_image_segment {
	uint64_t gpa;
	uint64_t mem_size;		/* zero-filled beyond file_size */
	uint64_t file_offset;
	uint64_t file_size;
};

struct hv_image {
	const char *kind;		/* "flat binary" ... */
	const struct hv_protocol *protocol;
	const char *why;		/* what it was recognised by */
	enum hv_mode mode;
	uint64_t entry;			/* guest-physical */
	uint64_t rom_size;		/* of the ROM that it wants below 4 GiB; 0: none */
	uint16_t code_selector;		/* data is the next; 0: hvctl's own choice */
	uint64_t file_size;
	struct hv_image_segment segment[HV_IMAGE_MAX_SEGMENTS];
	size_t count;
};

/* Read a regular file of at most @max bytes; hv_file_free() it. */
int hv_file_read(struct hv_file *file, const char *path, uint64_t max, struct hv_error *err);
void hv_file_free(struct hv_file *file);

/* Ask the loader of @protocol, or, if it is NULL, of what the file looks like. */
int hv_image_parse(struct hv_image *image, const struct hv_file *file,
		   const struct hv_protocol *protocol, const struct hv_load_options *options,
		   struct hv_error *err);

/* Is every segment in RAM, and no two in the same place? */
int hv_image_check(const struct hv_image *image, const struct hv_memory *memory,
		   struct hv_error *err);

/* Put a checked image into RAM. */
void hv_image_copy(const struct hv_image *image, const struct hv_file *file,
		   const struct hv_memory *memory);

/* Does the image use a byte of @gpa ... @gpa + @len - 1? */
bool hv_image_uses(const struct hv_image *image, uint64_t gpa, uint64_t len);

/* The lowest address that the image uses, and the end of the highest. */
uint64_t hv_image_begin(const struct hv_image *image);
uint64_t hv_image_end(const struct hv_image *image);

#endif
