/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes are a guest that drives one virtio device: registers, rings, descriptors, and whatever
 * else it writes to its RAM. There is no thread: what the worker would do is done between two steps
 * of the guest, and its time passes as the guest likes.
 */
#ifndef HV_FUZZ_VIRTIO_H
#define HV_FUZZ_VIRTIO_H

#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_input.h"
#include "virtio/table.h"

#define FUZZ_RAM     HV_MIB
#define FUZZ_RINGS   0x10000	/* 16 KiB each */
#define FUZZ_BUFFERS 0x90000
#define FUZZ_SIZE    16
#define FUZZ_STEPS   256

/* ------------------------------------------------------------- the worker's */

static uint64_t fuzz_now_ns;

static uint64_t fuzz_now(struct hv_clock *clock)
{
	(void)clock;
	return fuzz_now_ns;
}

static inline void fuzz_nothing(void *ctx)
{
	(void)ctx;
}

static inline void fuzz_do_jobs(struct hv_virtio *dev)
{
	hv_worker_run(&dev->worker, fuzz_nothing, NULL);
}

static inline void fuzz_let_time_pass(struct hv_virtio *dev, uint64_t ns)
{
	fuzz_now_ns += ns;
	hv_clock_run(&dev->worker.loop.clock);
}

static inline void fuzz_kick(struct hv_virtio_queue *queue)
{
	if (queue->kick.wants(queue->kick.ctx))
		queue->kick.ready(queue->kick.ctx, POLLIN);
}

/* --------------------------------------------------------------- the guest's */

static inline uint64_t fuzz_ring(unsigned int n)
{
	return FUZZ_RINGS + n * 0x4000ull;
}

/* Where it belongs, or anywhere. */
static inline void fuzz_enable(struct hv_virtio *dev, unsigned int n, struct fuzz_input *input)
{
	struct hv_vqueue_setup setup = {
		.size = FUZZ_SIZE,
		.desc = fuzz_ring(n),
		.driver = fuzz_ring(n) + 0x1000,
		.device = fuzz_ring(n) + 0x2000,
	};
	uint8_t how = fuzz_byte(input);

	if (how & 1)
		setup.size = (uint16_t)fuzz_half(input);
	if (how & 2)
		setup.desc = (uint64_t)fuzz_half(input) << (how >> 4);
	if (how & 4)
		setup.driver = (uint64_t)fuzz_half(input) << (how >> 4);
	if (how & 8)
		setup.device = (uint64_t)fuzz_half(input) << (how >> 4);
	pthread_mutex_lock(&dev->lock);
	if (!dev->queue[n].enabled)
		dev->queue[n].setup = setup;
	pthread_mutex_unlock(&dev->lock);
	hv_virtio_enable_queue(dev, n);
}

/* A chain of up to four buffers in a split ring; lengths and places are the guest's. */
static inline void fuzz_add(struct hv_memory *memory, unsigned int n, struct fuzz_input *input)
{
	struct vring_desc *desc = hv_memory_at(memory, fuzz_ring(n), 16 * FUZZ_SIZE);
	uint16_t *avail = hv_memory_at(memory, fuzz_ring(n) + 0x1000, 4 + 2 * FUZZ_SIZE);
	unsigned int how = fuzz_byte(input), count = 1 + (how & 3);
	uint16_t head = (how >> 4) & (FUZZ_SIZE - 1);

	for (unsigned int i = 0; i < count; i++) {
		struct vring_desc *at = &desc[(head + i) % FUZZ_SIZE];
		uint8_t flags = fuzz_byte(input);

		at->addr = FUZZ_BUFFERS + fuzz_half(input);
		at->len = flags & 0x40 ? fuzz_word(input) : fuzz_byte(input);
		at->flags = (flags & (VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT)) |
			    (i + 1 < count ? VRING_DESC_F_NEXT : 0);
		at->next = (uint16_t)((head + i + 1) % FUZZ_SIZE);
	}
	avail[2 + avail[1] % FUZZ_SIZE] = head;
	avail[1]++;
}

static inline void fuzz_write(struct hv_memory *memory, struct fuzz_input *input)
{
	unsigned int len = fuzz_byte(input) & 63;
	uint64_t gpa = fuzz_half(input) << 4;

	for (; len--; gpa++) {
		uint8_t byte = fuzz_byte(input);

		(void)hv_memory_write(memory, gpa, &byte, 1);
	}
}

static inline void fuzz_configure(struct hv_virtio *dev, struct fuzz_input *input)
{
	unsigned int offset = fuzz_byte(input), width = 1u << (fuzz_byte(input) & 1);

	width = fuzz_byte(input) & 1 ? 4 : width;
	pthread_mutex_lock(&dev->lock);
	if (dev->kind->write_config && offset + width <= dev->config_len)
		dev->kind->write_config(dev, offset, width, fuzz_word(input));
	pthread_mutex_unlock(&dev->lock);
}

static inline void fuzz_negotiate(struct hv_virtio *dev, struct fuzz_input *input)
{
	uint8_t how = fuzz_byte(input);
	uint64_t features = dev->offered;

	if (how & 1)
		features &= ~(uint64_t)fuzz_word(input);
	/* Chains that are made here are those of a split ring. */
	if (!(how & 2))
		features &= ~HV_VIRTIO_F_RING_PACKED;
	hv_virtio_set_status(dev, HV_VIRTIO_ACKNOWLEDGE | HV_VIRTIO_DRIVER);
	hv_virtio_choose(dev, 0, (uint32_t)features);
	hv_virtio_choose(dev, 32, (uint32_t)(features >> 32));
	hv_virtio_set_status(dev, hv_virtio_status(dev) | HV_VIRTIO_FEATURES_OK);
}

static inline void fuzz_reset(struct hv_virtio *dev)
{
	hv_virtio_reset(dev);
	if (hv_virtio_status(dev))
		abort();
	for (unsigned int n = 0; n < dev->nr_queues; n++)
		if (dev->queue[n].ring.in_flight || dev->queue[n].ring.up)
			abort();
}

static inline void fuzz_step(struct hv_virtio *dev, struct hv_memory *memory,
			     struct fuzz_input *input)
{
	uint8_t what = fuzz_byte(input);
	unsigned int n = (what >> 4) % dev->nr_queues;

	switch (what & 15) {
	case 0:
		fuzz_negotiate(dev, input);
		break;
	case 1:
		fuzz_enable(dev, n, input);
		break;
	case 2:
		hv_virtio_set_status(dev, hv_virtio_status(dev) | HV_VIRTIO_DRIVER_OK);
		break;
	case 3:
		hv_virtio_set_status(dev, fuzz_byte(input));
		break;
	case 4:
		fuzz_let_time_pass(dev, fuzz_word(input));
		break;
	case 5:
		fuzz_configure(dev, input);
		break;
	case 6:
		fuzz_write(memory, input);
		break;
	case 7:
		hv_virtio_reset_queue(dev, n);
		break;
	case 8:
		hv_virtio_hold(dev);
		hv_virtio_go_on(dev);
		break;
	case 9:
		fuzz_reset(dev);
		break;
	case 10:
		fuzz_kick(&dev->queue[n]);
		break;
	default:
		fuzz_add(memory, n, input);
		fuzz_kick(&dev->queue[n]);
	}
}

/* Make the memory once: it is all zeroes for each guest. */
static inline struct hv_memory *fuzz_memory(void)
{
	static struct hv_memory memory;
	struct hv_error err;

	if (memory.size)
		hv_memory_clear(&memory);
	else if (hv_memory_init(&memory, FUZZ_RAM, &err) || hv_memory_add_rom(&memory, 4096, &err))
		abort();
	return &memory;
}

/* As a driver that means well does it: what follows soon comes to the device itself. */
static inline void fuzz_start(struct hv_virtio *dev)
{
	struct fuzz_input plain = { 0 };

	fuzz_negotiate(dev, &plain);
	for (unsigned int n = 0; n < dev->nr_queues; n++)
		fuzz_enable(dev, n, &plain);
	hv_virtio_set_status(dev, hv_virtio_status(dev) | HV_VIRTIO_DRIVER_OK);
	fuzz_do_jobs(dev);
}

/* @other: what else the guest's host does meanwhile; may be NULL. Destroys @dev. */
static inline void fuzz_drive(struct hv_virtio *dev, struct hv_memory *memory, const uint8_t *data,
			      size_t len,
			      void (*other)(struct hv_virtio *dev, struct fuzz_input *input))
{
	struct fuzz_input input = { data, len };

	dev->worker.loop.clock.now_ns = fuzz_now;
	if (fuzz_byte(&input) & 1)
		fuzz_start(dev);
	for (unsigned int i = 0; input.left && i < FUZZ_STEPS; i++) {
		if (other && input.data[0] == 0xff) {
			(void)fuzz_byte(&input);
			other(dev, &input);
		} else {
			fuzz_step(dev, memory, &input);
		}
		fuzz_do_jobs(dev);
		hv_clock_run(&dev->worker.loop.clock);
	}
	fuzz_reset(dev);
	dev->kind->destroy(dev);
}

#endif
