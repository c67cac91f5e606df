/* SPDX-License-Identifier: GPL-2.0-only */
/* One writer of an image, or any number of readers. */
#ifndef HV_DISK_LOCK_H
#define HV_DISK_LOCK_H

#include <stdbool.h>

#include "lib/error.h"

/*
 * Lock the image that @fd is, until it is closed. Programs that lock by fcntl(), such as QEMU, see
 * each other. Where there are no locks (some network file systems) nothing is locked. @path is for
 * the message. Returns 0 or -EBUSY.
 */
int hv_disk_lock(int fd, bool read_only, const char *path, struct hv_error *err);

#endif
