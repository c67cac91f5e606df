/* SPDX-License-Identifier: GPL-2.0-only */
/* What a boot protocol tells its guest, piece by piece: once to count, once to write. */
#ifndef HV_LOAD_INFO_H
#define HV_LOAD_INFO_H

#include "payload.h"

struct hv_info {
	const struct hv_memory *memory;	/* NULL: only count */
	uint64_t gpa;			/* of the first byte */
	size_t len;			/* so far */
};

/* The information of @payload, to be written to its HV_BOOT_THE_INFO. */
struct hv_info hv_info_begin(const struct hv_payload *payload, const struct hv_memory *memory);

/* Add @len bytes at a multiple of @align, a power of two. Returns their guest-physical address. */
uint64_t hv_info_add(struct hv_info *info, const void *data, size_t len, size_t align);

/* Add zeroes, to be written by hv_info_set() when all is known. */
uint64_t hv_info_reserve(struct hv_info *info, size_t len, size_t align);
void hv_info_set(const struct hv_info *info, uint64_t gpa, const void *data, size_t len);

/* Add the section headers of an ELF image, each with the address it was loaded at. */
uint64_t hv_info_add_sections(struct hv_info *info, const struct hv_payload *payload, size_t align);

/* Add what a module is called and told, "FILE" or "FILE ARGS". */
uint64_t hv_info_add_module_string(struct hv_info *info, const struct hv_module *module);

/* Add a string, with its NUL. */
uint64_t hv_info_add_string(struct hv_info *info, const char *text);

#endif
