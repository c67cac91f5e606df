/* SPDX-License-Identifier: GPL-2.0-only */
/* vhost-net: the kernel moves frames between the driver's rings and a tap. One device a pair. */
#ifndef HV_VIRTIO_NET_VHOST_H
#define HV_VIRTIO_NET_VHOST_H

#include "vhost.h"

/* @vhost: one for each of @pairs; to be given to hv_net_vhost_close() in any case. 0 or -errno. */
int hv_net_vhost_open(struct hv_vhost *vhost, unsigned int pairs, struct hv_error *err);
void hv_net_vhost_close(struct hv_vhost *vhost, unsigned int pairs);

/* They serve the queues of @dev. Before the worker starts. */
void hv_net_vhost_bind(struct hv_vhost *vhost, unsigned int pairs, struct hv_virtio *dev);

/* @taps: a file of the tap for each pair. 0 or -errno: then nothing is left running. */
int hv_net_vhost_start(struct hv_vhost *vhost, unsigned int pairs, const int *taps);
void hv_net_vhost_stop(struct hv_vhost *vhost, unsigned int pairs);

/* Queues have other call_fds. */
void hv_net_vhost_rewired(const struct hv_vhost *vhost, unsigned int pairs);

#endif
