/* SPDX-License-Identifier: GPL-2.0-only */
/* ELF executables, for the boot protocols whose kernels are such files. */
#ifndef HV_LOAD_ELF_H
#define HV_LOAD_ELF_H

#include "image.h"

/* Notes of a segment, in bytes: kernels have some hundred. Larger ones are not looked through. */
#define HV_ELF_NOTES_MAX 0x10000
/* Segments of them: kernels have three or four. */
#define HV_ELF_NOTE_SEGMENTS_MAX 32

bool hv_is_elf(const struct hv_file *file);

/*
 * Of a file that hv_file_open() has begun to read: what the functions here and symbols.c look at.
 * Returns 0 or -errno.
 */
int hv_elf_fetch(struct hv_file *file, int fd, struct hv_error *err);

/*
 * Segments, mode, and the entry point: HV_UNSET where that is in no segment. For a kernel whose
 * boot protocol says how it is entered: it may be position-independent, too.
 */
int hv_elf_read(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err);

/* The same; the entry point must be in one. */
int hv_elf_load(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err);

#define HV_ELF_SECTION_MAX 64		/* bytes of a section header */

/*
 * Have the symbol and string tables loaded, too, behind the image, and its section headers told
 * to the guest; not where there is none, or more than a guest will want.
 */
void hv_elf_add_symbols(struct hv_image *image, const struct hv_file *file);

/* Section header @index, with the address that its contents were loaded at. */
void hv_elf_copy_section(uint8_t header[HV_ELF_SECTION_MAX], const struct hv_image *image,
			 const struct hv_file *file, uint32_t index);

#endif
