/* SPDX-License-Identifier: GPL-2.0-only */
/* Images that are more than the bytes of a disk. */
#ifndef HV_DISK_FORMAT_H
#define HV_DISK_FORMAT_H

#include "disk.h"

/*
 * Refuse what is not raw by the look of its first bytes: to write into it would destroy it, and
 * a guest finds no CD in it. Returns 0, -EINVAL, or why it could not be read.
 */
int hv_disk_check_format(int fd, const struct hv_disk_config *config, struct hv_error *err);

#endif
