/* SPDX-License-Identifier: GPL-2.0-only */
/* Compressed files: recognised by their first bytes, unpacked in memory. */
#ifndef HV_LOAD_UNPACK_H
#define HV_LOAD_UNPACK_H

#include "file.h"

/* What the file is compressed by, "gzip" ...; NULL: it is not. */
const char *hv_unpack_format(const struct hv_file *file);

/**
 * hv_unpack() - replace a compressed file by what is in it
 * @file: one that hv_unpack_format() knows; its bytes are freed. Unchanged on failure
 * @max: bytes that it may have then
 * @err: filled in on failure
 *
 * Several pieces of one format, as pbzip2 and cat(1) leave them, are one file. What else follows
 * is ignored, as in a kernel that is cut out of its bzImage.
 * Returns 0 or -errno: -ENOEXEC for a damaged file, -EOPNOTSUPP where this hvctl is built without
 * the library, -EFBIG, -ENOMEM.
 */
int hv_unpack(struct hv_file *file, uint64_t max, struct hv_error *err);

#endif
