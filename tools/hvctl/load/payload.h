/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that is put into a guest's RAM before it starts: the image and what comes
 * along with it. Read and checked once; copied for every start.
 */
#ifndef HV_LOAD_PAYLOAD_H
#define HV_LOAD_PAYLOAD_H

#include "boot.h"
#include "config.h"
#include "firmware/fw_files.h"
#include "image.h"

struct hv_module {
	const char *path;		/* as --initrd has it: FILE or FILE,ARGS */
	size_t args;			/* where in it the ARGS begin; 0: there are none */
	struct hv_file file;
	uint64_t gpa;
};

struct hv_protocol;

struct hv_payload {
	const struct hv_payload_config *config;	/* the caller's, as long as this lives */
	const struct hv_protocol *protocol;
	const char *why;		/* what it was recognised by */
	const char *packed;		/* what it was compressed by; NULL: nothing */
	struct hv_file file;
	int fd;				/* of a disk, of which @file has the beginning; */
	bool is_open;			/* if this says so */
	struct hv_image image;
	struct hv_boot_areas areas;
	struct hv_module module[HV_PAYLOAD_MAX_MODULES];
	unsigned int modules;
	struct hv_file stub;		/* of --bios */
	struct hv_file kernel;		/* that firmware is to start */
	struct hv_file setup, initrd;	/* of it, made: see fw_kernel.h */
	struct hv_fw_kernel fw_kernel;	/* the same, as fw_cfg has it */
	struct hv_file fw_file[HV_PAYLOAD_MAX_FW_FILES];
	struct hv_file map;		/* System.map */
	char text[HV_BOOT_CMDLINE_MAX];	/* the whole command line */
	const char *subject;		/* what an error is about */
};

/*
 * Read all files that @config names; then plan. If it fails, @payload->subject is what
 * @err is about, and what was read is there to be freed.
 */
int hv_payload_read(struct hv_payload *payload, const struct hv_payload_config *config,
		    struct hv_memory *memory, struct hv_error *err);

/*
 * Recognise the image, find a place for it and for the modules, both of which are in
 * @payload; make the ROM if it wants one.
 */
int hv_payload_plan(struct hv_payload *payload, const struct hv_payload_config *config,
		    struct hv_memory *memory, struct hv_error *err);

/* Put it into RAM, which is zero, and make the vCPU's first state. */
void hv_payload_start(const struct hv_payload *payload, const struct hv_memory *memory,
		      const struct hv_boot_env *env, struct hv_boot *boot);

/* Copy @len bytes at @offset of the image, of which not all is in memory. False: no. */
bool hv_payload_read_image(const struct hv_payload *payload, uint64_t offset, void *data,
			   size_t len);

/* Where a guest has died: function and offset, if a symbol table knows it. */
bool hv_payload_find_symbol(const struct hv_payload *payload, uint64_t rip, char *text, size_t len);

void hv_payload_free(struct hv_payload *payload);

#endif
