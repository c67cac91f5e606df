/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket to a daemon, which may be slow, and may hang: nothing here waits past @deadline, in ns
 * of hv_monotonic_ns(). 0; -ETIMEDOUT; -EPIPE: it has closed its end; or another -errno.
 */
#ifndef HV_VIRTIO_VHOST_USER_SOCKET_H
#define HV_VIRTIO_VHOST_USER_SOCKET_H

#include <stddef.h>
#include <stdint.h>

/* Until @fd has one of @events, as poll() has them. */
int hv_vhost_user_wait(int fd, short events, uint64_t deadline);

/* All of @data; up to HV_FDS_MAX descriptors, @nr_fds of them, go with the first byte. */
int hv_vhost_user_send(int fd, const void *data, size_t len, const int *fds, unsigned int nr_fds,
		       uint64_t deadline);

/* All of @data. Descriptors that it sends along the kernel drops: there is no room for them. */
int hv_vhost_user_receive(int fd, void *data, size_t len, uint64_t deadline);

#endif
