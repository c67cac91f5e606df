/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loaders: one file a boot protocol, and a table of them. Who knows whom, downwards
 * and to the right:
 *
 *	payload.c			reads, asks the protocol, fills RAM
 *	protocol.c			the table		symbols.c stranger.c
 *	bzimage.c bootsector.c pvh.c nimbos.c multiboot.c multiboot2.c elf.c flat.c firmware.c
 *	multiboot_header.c multiboot2_info.c elf_sections.c elf_parts.c
 *	fw_kernel.c			what firmware is to start
 *	place.c info.c			where modules go; what a guest is told
 *	payload.h			what they work on
 *	boot.c				the first state of each mode
 *	image.c				segments in RAM
 *	config.c file.c unpack.c	what is asked for; bytes; compressed ones
 */
#ifndef HV_LOAD_PROTOCOL_H
#define HV_LOAD_PROTOCOL_H

#include "payload.h"

struct hv_protocol {
	const char *name;		/* for --boot */
	/* Is the file one? By what it can be seen, or NULL; NULL function: only if asked for. */
	const char *(*recognise)(const struct hv_file *file);
	/* What goes where, and in which mode it starts. */
	int (*load)(struct hv_image *image, const struct hv_file *file,
		    const struct hv_load_options *options, struct hv_error *err);
	/*
	 * Is there room in RAM for what the image needs while it starts, and for what
	 * comes along? Give the modules their places. NULL: it takes no modules.
	 */
	int (*place)(struct hv_payload *payload, const struct hv_memory *memory,
		     struct hv_error *err);
	/* Write the tables that the guest is given; finish the vCPU's first state. */
	void (*start)(const struct hv_payload *payload, const struct hv_memory *memory,
		      const struct hv_boot_env *env, struct hv_boot *boot);
	const char *cmdline;		/* if the user gives none; NULL: an empty one */
	const char *desk_cmdline;	/* ... with --display text; NULL: the same */
	const char *advice;		/* what to try when the guest dies early, or NULL */
	bool names_image;		/* the first word of the command line is the image's name */
	bool module_args;		/* each module has words of its own */
	bool takes_bios;		/* --bios says something to it */
	bool after_bios;		/* its kernels count on what a BIOS leaves running */
	bool pc;			/* it expects a PC: the BIOS area is not the guest's */
};

extern const struct hv_protocol hv_protocol_bios;
extern const struct hv_protocol hv_protocol_firmware;
extern const struct hv_protocol hv_protocol_flat;
extern const struct hv_protocol hv_protocol_elf;
extern const struct hv_protocol hv_protocol_linux;
extern const struct hv_protocol hv_protocol_multiboot;
extern const struct hv_protocol hv_protocol_multiboot2;
extern const struct hv_protocol hv_protocol_nimbos;
extern const struct hv_protocol hv_protocol_pvh;

/* Is it a kernel for Xen that has no PVH entry, so that nobody else can start it? */
bool hv_pvh_is_missing(const struct hv_file *file);

/* Do these options leave a boot sector where it belongs? With its address they ask for one. */
bool hv_bootsector_may_be(const struct hv_load_options *options);

/* The protocol called @name; NULL: there is none. hv_protocol_names: all, for messages. */
const struct hv_protocol *hv_protocol_find(const char *name);
const char *hv_protocol_names(void);

/*
 * The protocol of what the file looks like, and in @why what it was recognised by.
 * NULL, and a message in @err: nothing that could run.
 */
const struct hv_protocol *hv_protocol_recognise(const struct hv_file *file, const char **why,
						struct hv_error *err);

#endif
