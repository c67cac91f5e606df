/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest image asks for. A loader only reads the file and writes this plan;
 * checking it against RAM and copying are the same for all.
 */
#ifndef HV_LOAD_IMAGE_H
#define HV_LOAD_IMAGE_H

#include "config.h"
#include "file.h"
#include "lib/memory.h"

#define HV_IMAGE_MAX_SEGMENTS 64

struct hv_image_segment {
	uint64_t gpa;
	uint64_t mem_size;		/* zero-filled beyond file_size */
	uint64_t file_offset;
	uint64_t file_size;
};

/* Section headers, where a guest is to be given them. */
struct hv_elf_sections {
	uint64_t offset;		/* in the file */
	uint32_t count;			/* 0: none */
	uint32_t entry_size;
	uint32_t names;			/* index of the section with the names */
};

struct hv_image {
	const char *kind;		/* "flat binary" ... */
	const char *note;		/* what its user should know, or NULL */
	enum hv_mode mode;
	uint64_t entry;			/* guest-physical */
	uint64_t rom_size;		/* of the ROM that it wants below 4 GiB; 0: none */
	uint16_t code_selector;		/* data is the next; 0: hvctl's own choice */
	uint64_t file_size;
	struct hv_image_segment segment[HV_IMAGE_MAX_SEGMENTS];
	size_t count;
	bool bios;			/* it starts with a PC's BIOS there, and calls it */
	bool foreign;			/* the protocol's command line is not for it */
	bool relocatable;		/* it was loaded where there was room, not where linked */
	struct hv_elf_sections sections;
};

/*
 * How to get RAM at @gpa ... @gpa + @len - 1, for messages: with which --mem, written to
 * @text and returned; or @otherwise, as none would do.
 */
#define HV_REMEDY_MAX 40
const char *hv_image_more_ram(char text[HV_REMEDY_MAX], uint64_t gpa, uint64_t len,
			      const char *otherwise);

/* Is every segment in RAM, and no two in the same place? */
int hv_image_check(const struct hv_image *image, const struct hv_memory *memory,
		   struct hv_error *err);

/* Write where a check has found that RAM is: to fail here is a bug of ours. */
void hv_image_put(const struct hv_memory *memory, uint64_t gpa, const void *data, size_t len);

/* Put a checked image into RAM. */
void hv_image_copy(const struct hv_image *image, const struct hv_file *file,
		   const struct hv_memory *memory);

/* Does the image use a byte of @gpa ... @gpa + @len - 1? */
bool hv_image_uses(const struct hv_image *image, uint64_t gpa, uint64_t len);

/* The lowest address that the image uses, and the end of the highest. */
uint64_t hv_image_begin(const struct hv_image *image);
uint64_t hv_image_end(const struct hv_image *image);

#endif
