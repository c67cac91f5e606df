/* SPDX-License-Identifier: GPL-2.0-only */
/* Multiboot headers of both versions: finding them, and what they have in common. */
#ifndef HV_LOAD_MULTIBOOT_HEADER_H
#define HV_LOAD_MULTIBOOT_HEADER_H

#include "image.h"

/* A version's header: it begins with a magic number, and its first words sum up to 0. */
struct hv_multiboot_kind {
	const char *name;
	uint32_t magic;
	size_t search;			/* it lies in so many first bytes of the file */
	size_t align;
	size_t size;			/* bytes that sum up to 0; the checksum is the last word */
	uint32_t flags_known;		/* of the word behind the magic: others are chance */
};

/* Where the file's header begins. False: it has none. */
bool hv_multiboot_find(const struct hv_multiboot_kind *kind, const struct hv_file *file,
		       size_t *header);

/*
 * Has it a header that does not count: with a wrong checksum, or where no loader looks for it?
 * Then @err says so.
 */
bool hv_multiboot_find_bad(const struct hv_multiboot_kind *kind, const struct hv_file *file,
			   struct hv_error *err);

/*
 * Refuse a file that nothing says the place of: it has a header, and no addresses in that. Xen for
 * EFI is such a one.
 */
int hv_multiboot_refuse_unplaced(const struct hv_multiboot_kind *kind, const struct hv_file *file,
				 struct hv_error *err);

/* What both versions call the address fields; 0 in the ends: to the file's end, no .bss. */
struct hv_multiboot_addresses {
	uint64_t header;		/* where the header is to be */
	uint64_t load;
	uint64_t load_end;
	uint64_t bss_end;
};

/* Plan the image's one segment; @header is the header's offset in the file. */
int hv_multiboot_load_by_addresses(struct hv_image *image, const struct hv_file *file,
				   size_t header, struct hv_multiboot_addresses addresses,
				   struct hv_error *err);

/* Refuse options that a multiboot kernel answers itself. */
int hv_multiboot_check_options(const struct hv_load_options *options, struct hv_error *err);

#endif
