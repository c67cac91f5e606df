/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio device for tests of what all devices have in common. */
#ifndef HV_TESTS_VIRTIO_ECHO_H
#define HV_TESTS_VIRTIO_ECHO_H

#include "virtio_test.h"

#define ECHO_ID 63

/* A device that gives each chain back with the bytes it could have written, and keeps none. */
struct echo {
	struct hv_virtio dev;
	atomic_uint chains;
	atomic_uint stops;
};

static inline void echo_kick(struct hv_virtio *dev, unsigned int n)
{
	struct echo *echo = (struct echo *)dev;
	struct hv_vqueue *queue = hv_virtio_ring(dev, n);
	struct hv_vchain *chain;
	uint8_t buf[4096];

	do {
		hv_vqueue_hush(queue);
		while (hv_virtio_pop(dev, n, &chain) > 0) {
			size_t len = hv_vchain_read(chain, 0, buf, sizeof(buf));
			size_t done = hv_vchain_write(chain, 0, buf, len);

			atomic_fetch_add(&echo->chains, 1);
			hv_vqueue_push(queue, chain, (uint32_t)done);
		}
	} while (hv_vqueue_listen(queue));
	hv_vqueue_tell(queue);
}

static inline void echo_stop(struct hv_virtio *dev, bool reset)
{
	(void)reset;
	atomic_fetch_add(&((struct echo *)dev)->stops, 1);
}

static inline void echo_destroy(struct hv_virtio *dev)
{
	hv_virtio_exit(dev);
}

static const struct hv_virtio_kind echo_kind = {
	.name = "echo",
	.id = ECHO_ID,
	.kick = echo_kick,
	.stop = echo_stop,
	.destroy = echo_destroy,
};

#endif
