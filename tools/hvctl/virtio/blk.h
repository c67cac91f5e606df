/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk, for the table of devices. */
#ifndef HV_VIRTIO_BLK_H
#define HV_VIRTIO_BLK_H

#include "table.h"

int hv_virtio_blk_check(const char *text, struct hv_error *err);
struct hv_virtio *hv_virtio_blk_create(const struct hv_virtio_env *env, const char *text,
				       struct hv_error *err);

#endif
