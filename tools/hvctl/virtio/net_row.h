/* SPDX-License-Identifier: GPL-2.0-only */
/* "--net": for the table of devices. */
#ifndef HV_VIRTIO_NET_ROW_H
#define HV_VIRTIO_NET_ROW_H

#include "table.h"

int hv_net_check(const char *options, struct hv_error *err);
struct hv_virtio *hv_net_create(const struct hv_virtio_env *env, const char *options,
				struct hv_error *err);

#endif
