/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest with a network device, for unit tests: frames there and back. */
#ifndef HV_TESTS_NET_TEST_H
#define HV_TESTS_NET_TEST_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>

#include "lib/util.h"
#include "virtio/net.h"
#include "virtio/net_row.h"
#include "virtio_test.h"

#define GUEST_BUFFERS DRIVER_SIZE

/* Receive buffers are all of one length. */
struct guest {
	struct driver driver;
	uint32_t len;
	uint64_t buffer[GUEST_BUFFERS];	/* by the id of the chain */
	uint64_t tx, control;
	uint8_t mac[HV_MAC_LEN];
	char note[512];
	uint8_t frame[HV_NET_FRAME_MAX];	/* that came last */
	struct virtio_net_hdr_v1 header;	/* its */
};

static inline void guest_note(void *ctx, const char *text)
{
	struct guest *guest = ctx;

	snprintf(guest->note, sizeof(guest->note), "%s", text);
}

static inline struct hv_virtio *guest_try(struct guest *guest, const char *options,
					  struct hv_error *err)
{
	const struct hv_virtio_env env = {
		.memory = &guest->driver.memory,
		.name = "test",
		.note = guest_note,
		.ctx = guest,
	};

	return hv_net_create(&env, options, err);
}

static inline void guest_init(struct guest *guest, bool packed)
{
	*guest = (struct guest){ .len = 2048 };
	driver_init(&guest->driver, packed);
	guest->tx = driver_alloc(&guest->driver, HV_NET_HEADER + HV_NET_FRAME_MAX);
	guest->control = driver_alloc(&guest->driver, 4096);
}

/* Give the device a receive buffer. */
static inline void guest_offer(struct guest *guest, uint64_t gpa)
{
	const struct buffer buffer = { gpa, guest->len, true };
	uint16_t id = driver_add(&guest->driver, 0, &buffer, 1);

	assert_true(id < GUEST_BUFFERS);
	guest->buffer[id] = gpa;
}

static inline void guest_offer_some(struct guest *guest, unsigned int count)
{
	while (count--)
		guest_offer(guest, driver_alloc(&guest->driver, guest->len));
	driver_kick(&guest->driver, 0);
}

static inline void guest_start(struct guest *guest, const char *options, uint64_t features)
{
	struct hv_error err = { .text = "" };
	struct hv_virtio *dev = guest->driver.dev ?: guest_try(guest, options, &err);

	if (!dev)
		fail_msg("%s", err.text);
	memcpy(guest->mac, dev->config, sizeof(guest->mac));
	driver_start(&guest->driver, dev, features);
}

static inline void guest_exit(struct guest *guest)
{
	driver_exit(&guest->driver);
}

/* One buffer of those that a frame is in, and back with it. */
static inline uint32_t guest_take(struct guest *guest, void *to, size_t room)
{
	uint32_t len = driver_wait(&guest->driver, 0);
	uint64_t gpa = guest->buffer[guest->driver.used_id];

	assert_true(len <= room && len <= guest->len);
	memcpy(to, driver_at(&guest->driver, gpa, len), len);
	guest_offer(guest, gpa);
	return len;
}

/* The next frame, its length. */
static inline size_t guest_receive_any(struct guest *guest)
{
	uint8_t first[65536];
	size_t len = guest_take(guest, first, sizeof(first));

	assert_true(len >= sizeof(guest->header));
	memcpy(&guest->header, first, sizeof(guest->header));
	len -= sizeof(guest->header);
	memcpy(guest->frame, first + sizeof(guest->header), len);
	for (unsigned int i = 1; i < guest->header.num_buffers; i++)
		len += guest_take(guest, guest->frame + len, sizeof(guest->frame) - len);
	driver_kick(&guest->driver, 0);
	return len;
}

/* Send a frame, which is in one buffer with its header or not. */
static inline void guest_send(struct guest *guest, const struct virtio_net_hdr_v1 *header,
			      const void *frame, size_t len, bool together)
{
	size_t all = sizeof(*header) + len;
	uint8_t *at = driver_at(&guest->driver, guest->tx, all);
	const struct buffer one = { guest->tx, (uint32_t)all, false };
	const struct buffer two[] = {
		{ guest->tx, sizeof(*header), false },
		{ guest->tx + sizeof(*header), (uint32_t)len, false },
	};

	memcpy(at, header, sizeof(*header));
	memcpy(at + sizeof(*header), frame, len);
	driver_add(&guest->driver, 1, together ? &one : two, together ? 1 : 2);
	driver_kick(&guest->driver, 1);
	assert_int_equal(driver_wait(&guest->driver, 1), 0);
}

/* A command; -1: it was not answered as it should. */
static inline int guest_command(struct guest *guest, unsigned int queue, const void *bytes,
				size_t len)
{
	const struct buffer buffers[] = {
		{ guest->control, (uint32_t)len, false },
		{ guest->control + 2048, 1, true },
	};
	uint8_t *ack = driver_at(&guest->driver, guest->control + 2048, 1);

	memcpy(driver_at(&guest->driver, guest->control, len), bytes, len);
	*ack = 0xff;
	driver_add(&guest->driver, queue, buffers, 2);
	driver_kick(&guest->driver, queue);
	return driver_wait(&guest->driver, queue) == 1 ? *ack : -1;
}

#endif
