/* SPDX-License-Identifier: GPL-2.0-only */
/* The loaders: one file a boot protocol, and a table of them. */
#ifndef HV_LOAD_H
#define HV_LOAD_H

#include "boot.h"
#include "image.h"
#include "payload.h"

#define HV_FLAT_BASE 0x100000
#define HV_FLAT_BASE_REAL 0x8000

typedef int (*hv_loader_fn)(struct hv_image *image, const struct hv_file *file,
			    const struct hv_load_options *options, struct hv_error *err);

struct hv_protocol {
	const char *name;		/* for --boot */
	/* Is the file one? By what it can be seen, or NULL; NULL function: only if asked for. */
	const char *(*recognise)(const struct hv_file *file);
	hv_loader_fn load;
	/*
	 * Is there room in RAM for what the image needs while it starts, and for what
	 * comes along? Give the modules their places. NULL: it takes no modules.
	 */
	int (*place)(struct hv_payload *payload, const struct hv_memory *memory, struct hv_error *err);
	/* Write the tables that the guest is given; finish the vCPU's first state. */
	void (*start)(const struct hv_payload *payload, const struct hv_memory *memory, struct hv_boot *boot);
	const char *cmdline;		/* if the user gives none; NULL: an empty one */
	const char *advice;		/* what to try when the guest dies early; NULL: nothing special */
	bool pc;			/* it expects a PC: the BIOS area is not the guest's */
};

extern const struct hv_protocol hv_protocol_firmware;
extern const struct hv_protocol hv_protocol_flat;
extern const struct hv_protocol hv_protocol_elf;
extern const struct hv_protocol hv_protocol_linux;
extern const struct hv_protocol hv_protocol_multiboot;
extern const struct hv_protocol hv_protocol_nimbos;
extern const struct hv_protocol hv_protocol_pvh;

/* The protocol that --boot calls @name; NULL: there is none. hv_protocol_names: all, for messages. */
const struct hv_protocol *hv_protocol_find(const char *name);
const char *hv_protocol_names(void);

bool hv_is_elf(const struct hv_file *file);
int hv_load_flat(struct hv_image *image, const struct hv_file *file,
		 const struct hv_load_options *options, struct hv_error *err);
/* Segments, mode, and the entry point: HV_UNSET where that is in no segment. */
int hv_elf_read(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err);
int hv_load_elf(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err);

/* The image keeps clear of what a protocol tells its guest in HV_BOOT_INFO. */
int hv_check_info_area(const struct hv_image *image, struct hv_error *err);

/* Write the multiboot information to HV_BOOT_INFO. */
void hv_multiboot_write_info(const struct hv_payload *payload, const struct hv_memory *memory);
#define HV_MULTIBOOT_EAX 0x2badb002	/* what a multiboot kernel finds in EAX */

/* Give all modules room below @limit and above @floor, @align apart, as high as can be. */
int hv_place_modules(struct hv_payload *payload, uint64_t floor, uint64_t limit, uint64_t align,
		     struct hv_error *err);

/* Little-endian fields of a file; the caller has checked that they are in it. */
static inline uint64_t hv_file_field(const struct hv_file *file, size_t offset, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | file->data[offset + bytes];
	return value;
}

#endif
