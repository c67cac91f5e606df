// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boot sectors: the first 512 bytes go to 0x7c00 and are entered there in real mode, with a
 * BIOS (bios/) that reads the rest of the image for them, as a floppy or a hard disk.
 */
#include <errno.h>
#include <string.h>

#include "elf.h"
#include "lib/x86.h"
#include "protocol.h"
#include "stranger.h"

#define BOOT_GPA 0x7c00
#define SECTOR 512
#define SIGNATURE 510
#define FLOPPY_MAX (2880 * HV_KIB)

/* A disk of another kind has its own words, and so have programs. */
static const char *recognise(const struct hv_file *file)
{
	return hv_file_has(file, SIGNATURE, "\x55\xaa", 2) && !hv_is_elf(file) &&
			       !hv_stranger(file) ?
		       "55AAH at 510, a boot sector's" :
		       NULL;
}

bool hv_bootsector_may_be(const struct hv_load_options *options)
{
	return (options->mode == HV_MODE_DEFAULT && options->load == HV_UNSET) ||
	       (options->mode == HV_MODE_REAL &&
		(options->load == HV_UNSET || options->load == BOOT_GPA));
}

static int load(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err)
{
	/* Who says where puts all of it there, as any flat image. */
	uint64_t size = options->load == HV_UNSET && file->size > SECTOR ? SECTOR : file->size;

	*image = (struct hv_image){
		.kind = file->size > FLOPPY_MAX ? "hard disk, by its boot sector" : "boot sector",
		.mode = HV_MODE_REAL,
		.entry = options->entry == HV_UNSET ? BOOT_GPA : options->entry,
		.file_size = file->size,
		.bios = true,
		.count = 1,
		.segment[0] = { .gpa = BOOT_GPA, .mem_size = size, .file_size = size },
	};
	if (!hv_bootsector_may_be(options))
		return hv_fail(
			err, EINVAL,
			"is a boot sector, which runs at 0x7c00 in real mode; leave out --load and --mode, or use --boot flat");
	if (image->entry < BOOT_GPA || image->entry - BOOT_GPA >= size)
		return hv_fail(
			err, EINVAL,
			"entry 0x%llx is outside the boot sector (0x%x-0x%llx); leave out --entry",
			(unsigned long long)image->entry, BOOT_GPA,
			(unsigned long long)(BOOT_GPA + size - 1));
	if (file->size > FLOPPY_MAX)
		image->note =
			"is read by the BIOS alone: a system with drivers of its own finds no disk";
	return 0;
}

/* Interrupts are on; the BIOS adds which drive it is, in DL. */
static void start(const struct hv_payload *payload, const struct hv_memory *memory,
		  const struct hv_boot_env *env, struct hv_boot *boot)
{
	(void)payload;
	(void)memory;
	(void)env;
	memset(boot->regs.gpr, 0, sizeof(boot->regs.gpr));
	boot->regs.gpr[TINYVMX_RSP] = HV_BOOT_STACK_REAL;
	boot->regs.rflags |= X86_RFLAGS_IF;
}

const struct hv_protocol hv_protocol_bios = {
	.name = "bios",
	.recognise = recognise,
	.load = load,
	.start = start,
	.advice =
		"is it linked for 0x7c00, and does it set its segments and its stack? The BIOS tells what it has not got",
	.pc = true,
};
