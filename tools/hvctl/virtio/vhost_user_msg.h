/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of the vhost-user protocol, as they stand on the socket. */
#ifndef HV_VIRTIO_VHOST_USER_MSG_H
#define HV_VIRTIO_VHOST_USER_MSG_H

#include <linux/vhost_types.h>
#include <stdint.h>

#include "virtio.h"

/* A feature of virtio's that it has not: protocol features are to be agreed upon. */
#define HV_VHOST_USER_F_PROTOCOL (1ull << 30)

/* Requests of the front-end */
enum hv_vhost_user_request {
	HV_VHOST_USER_GET_FEATURES = 1,
	HV_VHOST_USER_SET_FEATURES = 2,
	HV_VHOST_USER_SET_OWNER = 3,
	HV_VHOST_USER_SET_MEM_TABLE = 5,
	HV_VHOST_USER_SET_VRING_NUM = 8,
	HV_VHOST_USER_SET_VRING_ADDR = 9,
	HV_VHOST_USER_SET_VRING_BASE = 10,
	HV_VHOST_USER_GET_VRING_BASE = 11,
	HV_VHOST_USER_SET_VRING_KICK = 12,
	HV_VHOST_USER_SET_VRING_CALL = 13,
	HV_VHOST_USER_GET_PROTOCOL_FEATURES = 15,
	HV_VHOST_USER_SET_PROTOCOL_FEATURES = 16,
	HV_VHOST_USER_GET_QUEUE_NUM = 17,
	HV_VHOST_USER_SET_VRING_ENABLE = 18,
	HV_VHOST_USER_SET_BACKEND_REQ_FD = 21,
	HV_VHOST_USER_GET_CONFIG = 24,
	HV_VHOST_USER_SET_CONFIG = 25,
	HV_VHOST_USER_REQUESTS
};

/* ... and of the back-end, by the channel */
#define HV_VHOST_USER_CONFIG_CHANGE 2

/* Flags */
#define HV_VHOST_USER_VERSION	 0x1	/* bits 0 and 1 */
#define HV_VHOST_USER_REPLY	 0x4
#define HV_VHOST_USER_NEED_REPLY 0x8

/* In the u64 of SET_VRING_KICK and SET_VRING_CALL, beside the queue's number: there is no fd. */
#define HV_VHOST_USER_NO_FD 0x100

struct hv_vhost_user_header {
	uint32_t request, flags, size;
};

struct hv_vhost_user_region {
	uint64_t gpa, len, user, offset;
};

struct hv_vhost_user_memory {
	uint32_t count, padding;
	struct hv_vhost_user_region region[HV_MEMORY_MAX_RANGES];
};

struct hv_vhost_user_config {
	uint32_t offset, size, flags;
	uint8_t data[HV_VIRTIO_CONFIG];
};

union hv_vhost_user_body {
	uint64_t u64;
	struct vhost_vring_state state;
	struct vhost_vring_addr addr;
	struct hv_vhost_user_memory memory;
	struct hv_vhost_user_config config;
};

#endif
