/* SPDX-License-Identifier: GPL-2.0-only */
/* A tap of the host's: an interface whose frames we read and write. */
#ifndef HV_VIRTIO_NET_TAP_FILE_H
#define HV_VIRTIO_NET_TAP_FILE_H

#include <stdbool.h>

#include "lib/error.h"

/**
 * hv_tap_open() - open a tap that there is
 * @name: of the interface
 * @fds: filled in: one a queue; frames have a net header (struct virtio_net_hdr_v1) before them
 * @queues: how many
 * @err: filled in on failure: what is wrong with it
 *
 * Returns 0 or -errno; then none is open.
 */
int hv_tap_open(const char *name, int *fds, unsigned int queues, struct hv_error *err);
void hv_tap_close(int *fds, unsigned int queues);

struct hv_tap_state {
	unsigned int mtu;
	bool is_up;
};

/* What the host knows of the interface. Returns 0 or -errno. */
int hv_tap_state(const char *name, struct hv_tap_state *state);

/* May frames come this way? Only of an interface with several queues. */
int hv_tap_attach(int fd, bool attached);

/* What need not be done to frames that we read: bits of VIRTIO_NET_F_GUEST_*. */
int hv_tap_set_offloads(int fd, unsigned long long offloads);

#endif
