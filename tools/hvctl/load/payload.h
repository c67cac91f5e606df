/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that is put into a guest's RAM before it starts: the image and what comes
 * along with it. Read and checked once; copied for every start.
 */
#ifndef HV_PAYLOAD_H
#define HV_PAYLOAD_H

#include "boot.h"
#include "image.h"

#define HV_PAYLOAD_MAX_MODULES 16

struct hv_module {
	const char *path;
	struct hv_file file;
	uint64_t gpa;
};

struct hv_payload {
	/* asked for; NULL: not */
	const char *path;
	const char *cmdline;		/* instead of the protocol's */
	const char *append;		/* behind it */
	const char *boot;		/* name of the protocol */
	const char *bios;		/* FILE[@GPA]: a stub instead of our own */
	const char *system_map;
	struct hv_load_options options;
	struct hv_module module[HV_PAYLOAD_MAX_MODULES];
	unsigned int modules;
	/* made of it */
	struct hv_file file;
	struct hv_image image;
	struct hv_file stub;
	struct hv_file map;		/* System.map */
	uint64_t stub_gpa;
	char text[HV_BOOT_CMDLINE_MAX + 1];	/* the whole command line */
	const char *subject;		/* what an error is about */
};

/* One more --initrd. False: there are too many. */
bool hv_payload_add_module(struct hv_payload *payload, const char *path);

/* Recognise the image, find a place for everything that was read; make the ROM if it wants one. */
int hv_payload_plan(struct hv_payload *payload, struct hv_memory *memory, struct hv_error *err);

/* Read all files; then the same. */
int hv_payload_read(struct hv_payload *payload, struct hv_memory *memory, struct hv_error *err);

/* Put it into RAM, which is zero, and make the vCPU's first state. */
void hv_payload_start(const struct hv_payload *payload, const struct hv_memory *memory,
		      bool huge_1g, struct hv_boot *boot);

/* Where a guest has died: function and offset, if a symbol table knows it. */
bool hv_payload_find_symbol(const struct hv_payload *payload, uint64_t rip, char *text, size_t len);

void hv_payload_free(struct hv_payload *payload);

#endif
