/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The setup header of a Linux bzImage, which lies at the same offsets in the file and in
 * boot_params: Documentation/arch/x86/boot.rst of the kernel.
 */
#ifndef HV_LOAD_BZIMAGE_H
#define HV_LOAD_BZIMAGE_H

#include "payload.h"

#define HV_BZIMAGE_VERSION        0x206
#define HV_BZIMAGE_TYPE_OF_LOADER 0x210
#define HV_BZIMAGE_LOADFLAGS      0x211
#define HV_BZIMAGE_RAMDISK_IMAGE  0x218
#define HV_BZIMAGE_RAMDISK_SIZE   0x21c
#define HV_BZIMAGE_HEAP_END_PTR   0x224
#define HV_BZIMAGE_CMD_LINE_PTR   0x228

#define HV_BZIMAGE_CAN_USE_HEAP 0x80 /* in loadflags */
#define HV_BZIMAGE_LOADER       0xff /* type_of_loader: one without a number */

/*
 * Is @file a whole bzImage of a protocol that loaders still know? If it is none at all, the
 * user is told @remedy.
 */
int hv_bzimage_check(const struct hv_file *file, const char *remedy, struct hv_error *err);

/* Of a file that has been checked: the bytes of its setup code, which come first. */
size_t hv_bzimage_setup_size(const struct hv_file *file);

/* Where the RAM ends that the kernel takes to unpack itself; UINT64_MAX: nowhere. */
uint64_t hv_bzimage_end(const struct hv_file *file);

/* Where an initramfs has to end. */
uint64_t hv_bzimage_initrd_limit(const struct hv_file *file);

/* Can the kernel take @payload's command line? */
int hv_bzimage_check_cmdline(const struct hv_payload *payload, const struct hv_file *file,
			     struct hv_error *err);

#endif
