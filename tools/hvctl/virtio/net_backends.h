/* SPDX-License-Identifier: GPL-2.0-only */
/* The backends of network devices: one file each makes a device. */
#ifndef HV_VIRTIO_NET_BACKENDS_H
#define HV_VIRTIO_NET_BACKENDS_H

#include "net.h"
#include "net_options.h"

/* NULL on failure; struct hv_virtio_row has more. */
struct hv_virtio *hv_net_user_create(const struct hv_virtio_env *env,
				     const struct hv_net_options *options, struct hv_error *err);
struct hv_virtio *hv_net_tap_create(const struct hv_virtio_env *env,
				    const struct hv_net_options *options, struct hv_error *err);

#endif
