/* SPDX-License-Identifier: GPL-2.0-only */
/* MAC addresses of network devices. */
#ifndef HV_VIRTIO_NET_MAC_H
#define HV_VIRTIO_NET_MAC_H

#include <stdint.h>

#include "lib/error.h"

#define HV_MAC_LEN 6

/**
 * hv_net_mac() - an address for a device, made of what stays the same
 * @vm: name of the VM
 * @kind: of the device, "net": others may have as many
 * @index: of the device among these
 * @mac: filled in: a locally administered one
 */
void hv_net_mac(const char *vm, const char *kind, unsigned int index, uint8_t mac[HV_MAC_LEN]);

/* "52:54:00:12:34:56": an address of one device. Returns 0 or -EINVAL. */
int hv_net_parse_mac(const char *text, uint8_t mac[HV_MAC_LEN], struct hv_error *err);

#endif
