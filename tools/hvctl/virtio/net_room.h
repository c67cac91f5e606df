/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors of this process, of which a guest in a user network could take all: each connection,
 * and each pair of ports of its datagrams, is a socket of the host's. Then the control channel
 * could take nobody any more.
 */
#ifndef HV_VIRTIO_NET_ROOM_H
#define HV_VIRTIO_NET_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kept for all else that hvctl does. */
#define HV_NET_DESCRIPTORS_KEPT 64u

/* May this frame of the guest's cost a socket? Not if it belongs to a connection that there is. */
bool hv_net_may_open(const uint8_t *frame, size_t len);

/* How many descriptors sockets may use up. It is asked before the sandbox closes. */
unsigned int hv_net_descriptors(void);

/* Is the next descriptor below @limit? */
bool hv_net_has_room(unsigned int limit);

/* Does @fd wait for connections, and each of them would be another socket? */
bool hv_net_is_listening(int fd);

#endif
