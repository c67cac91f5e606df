/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets between the host and the guest, --vsock CID: for the table of devices. */
#ifndef HV_VIRTIO_VSOCK_H
#define HV_VIRTIO_VSOCK_H

#include "table.h"

int hv_virtio_vsock_check(const char *options, struct hv_error *err);
struct hv_virtio *hv_virtio_vsock_create(const struct hv_virtio_env *env, const char *options,
					 struct hv_error *err);

#endif
