/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices that a daemon of the user's serves, --vhost-user: for the table of devices. */
#ifndef HV_VIRTIO_VHOST_USER_KINDS_H
#define HV_VIRTIO_VHOST_USER_KINDS_H

#include "table.h"

int hv_virtio_vhost_user_check(const char *options, struct hv_error *err);
struct hv_virtio *hv_virtio_vhost_user_create(const struct hv_virtio_env *env, const char *options,
					      struct hv_error *err);

#endif
