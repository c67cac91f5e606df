/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rings that the host's kernel serves (vhost): what its devices have in common. The kernel takes
 * kicks and interrupts the driver by itself; we tell it where RAM and the rings are, and take the
 * rings back in the end.
 *
 * linux/vhost.h. What is the device's own, what it is connected to, its file does.
 */
#ifndef HV_VIRTIO_VHOST_H
#define HV_VIRTIO_VHOST_H

#include "virtio.h"

/**
 * struct hv_vhost - one open vhost device
 * @fd: -1: none
 * @features: that the kernel can do
 * @dev: whose rings it serves
 * @first: queue of @dev that is the kernel's ring 0
 * @count: of rings
 * @err_fd: eventfd: the driver has broken a ring; ...
 * @err_watch: ... then the device asks for a reset
 */
struct hv_vhost {
	int fd;
	uint64_t features;
	struct hv_virtio *dev;
	unsigned int first, count;
	int err_fd;
	struct hv_watch err_watch;
};

/**
 * hv_vhost_open() - have the kernel make a device
 * @vhost: filled in; to be given to hv_vhost_close(), also on failure
 * @path: "/dev/vhost-net", "/dev/vhost-vsock"
 * @err: filled in on failure: what is missing, and how to get it
 *
 * Returns 0 or -errno.
 */
int hv_vhost_open(struct hv_vhost *vhost, const char *path, struct hv_error *err);

/* Nothing is running any more; its device's worker neither, if it was bound. */
void hv_vhost_close(struct hv_vhost *vhost);

/*
 * Of HV_VIRTIO_F_RINGS what can be offered: what the kernel can do. RING_RESET is not: it has no
 * word for it.
 */
static inline uint64_t hv_vhost_ring_features(const struct hv_vhost *vhost)
{
	return vhost->features & HV_VIRTIO_F_RINGS & ~HV_VIRTIO_F_RING_RESET;
}

/* It is to serve @count queues of @dev, from @first on. Before the worker starts. */
void hv_vhost_bind(struct hv_vhost *vhost, struct hv_virtio *dev, unsigned int first,
		   unsigned int count);

/**
 * hv_vhost_start() - hand over features, RAM, and those of the rings that are up
 * @vhost: bound; what it is connected to (VHOST_NET_SET_BACKEND, ...) comes afterwards
 *
 * Returns 0 or -errno; to be undone by hv_vhost_stop() in any case.
 */
int hv_vhost_start(struct hv_vhost *vhost);

/* Take the rings back, where the kernel has left them; it is disconnected, and so serves none. */
void hv_vhost_stop(struct hv_vhost *vhost);

/* Queues of the device have other call_fds. */
void hv_vhost_rewired(const struct hv_vhost *vhost);

#endif
