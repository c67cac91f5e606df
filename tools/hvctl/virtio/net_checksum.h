/* SPDX-License-Identifier: GPL-2.0-only */
/* Checksums of frames that the driver has left to the device. */
#ifndef HV_VIRTIO_NET_CHECKSUM_H
#define HV_VIRTIO_NET_CHECKSUM_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Put in the checksum that @header asks for: where it goes there is already what belongs to it
 * and is not in the frame. False: it would not be in the frame.
 */
bool hv_net_finish_checksum(const struct virtio_net_hdr_v1 *header, uint8_t *frame, size_t len);

#endif
