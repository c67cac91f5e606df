/* SPDX-License-Identifier: GPL-2.0-only */
/* Folders of the host for the guest, --share DIR[:TAG][,ro]: for the table of devices. */
#ifndef HV_VIRTIO_FS_H
#define HV_VIRTIO_FS_H

#include "table.h"
#include "vhost_user_dev.h"

int hv_virtio_fs_check(const char *options, struct hv_error *err);
struct hv_virtio *hv_virtio_fs_create(const struct hv_virtio_env *env, const char *options,
				      struct hv_error *err);

/* Is this a name that a guest can mount? 0 or -EINVAL */
int hv_virtio_fs_check_tag(const char *tag, struct hv_error *err);

/* Queues and configuration space of a file system device, whoever is its daemon. */
int hv_virtio_fs_finish(struct hv_vhost_user_dev *dev, const char *tag, struct hv_error *err);

#endif
