/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver for virtio devices: what a guest does to rings and registers, for unit tests.
 *
 *	struct driver driver;
 *
 *	driver_init(&driver, true);			(packed rings)
 *	dev = ..._create(&env, ...);			(with &driver.memory)
 *	driver_start(&driver, dev, features);
 *	gpa = driver_alloc(&driver, 512);
 *	driver_add(&driver, 0, (struct buffer[]){ { gpa, 512, true } }, 1);
 *	driver_kick(&driver, 0);
 *	len = driver_wait(&driver, 0);
 *	driver_stop(&driver);				(reset; the device stays)
 *	driver_exit(&driver);				(and destroys it)
 */
#ifndef HV_TESTS_VIRTIO_TEST_H
#define HV_TESTS_VIRTIO_TEST_H

#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hv_test.h"
#include "virtio/table.h"

#define DRIVER_MEMORY	(16 * HV_MIB)
#define DRIVER_SIZE	64		/* entries of each ring */
#define DRIVER_WAIT_MS	10000

struct buffer {
	uint64_t gpa;
	uint32_t len;
	bool in;			/* the device writes it */
};

struct driver_ring {
	struct hv_vqueue_setup setup;
	uint16_t next;			/* descriptor, or place in a packed ring */
	uint16_t avail, used;		/* indexes of the split rings; places in a packed one */
	bool avail_wrap, used_wrap;
	uint16_t entries[DRIVER_SIZE];	/* of the chain with that id */
	int call_fd;
};

struct driver {
	struct hv_memory memory;
	struct hv_virtio *dev;
	bool packed;
	uint64_t features;
	uint64_t free;			/* RAM from here on is nobody's */
	struct driver_ring ring[HV_VIRTIO_QUEUES];
	int config_fd;
	uint32_t used_id;		/* of the chain that driver_wait() has seen */
};

static inline void driver_init(struct driver *driver, bool packed)
{
	struct hv_error err;

	*driver = (struct driver){ .packed = packed, .free = HV_MIB };
	driver->memory.fd = -1;
	assert_int_equal(hv_memory_init_shared(&driver->memory, DRIVER_MEMORY, &err), 0);
}

static inline uint64_t driver_alloc(struct driver *driver, uint64_t len)
{
	uint64_t gpa = driver->free;

	driver->free += (len + 4095) & ~4095ull;
	assert_true(driver->free <= DRIVER_MEMORY);
	return gpa;
}

static inline void *driver_at(const struct driver *driver, uint64_t gpa, uint64_t len)
{
	void *at = hv_memory_at(&driver->memory, gpa, len);

	assert_non_null(at);
	return at;
}

/* ------------------------------------------------------------------- start */

static inline void driver_setup_ring(struct driver *driver, unsigned int n)
{
	struct driver_ring *ring = &driver->ring[n];
	uint16_t size = driver->dev->queue[n].ring.max_size;
	int fd = ring->call_fd;

	if (size > DRIVER_SIZE)
		size = DRIVER_SIZE;
	*ring = (struct driver_ring){
		.setup = {
			.size = size,
			.desc = driver_alloc(driver, 16 * DRIVER_SIZE),
			.driver = driver_alloc(driver, 4096),
			.device = driver_alloc(driver, 4096),
		},
		.avail_wrap = true,
		.used_wrap = true,
		.call_fd = fd > 0 ? fd : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	memset(driver_at(driver, ring->setup.desc, 4096), 0, 4096);
	memset(driver_at(driver, ring->setup.driver, 4096), 0, 4096);
	memset(driver_at(driver, ring->setup.device, 4096), 0, 4096);
	atomic_store(&driver->dev->queue[n].ring.call_fd, ring->call_fd);
}

static inline void driver_enable(struct driver *driver, unsigned int n)
{
	struct hv_virtio *dev = driver->dev;

	driver_setup_ring(driver, n);
	pthread_mutex_lock(&dev->lock);
	dev->queue[n].setup = driver->ring[n].setup;
	pthread_mutex_unlock(&dev->lock);
	hv_virtio_enable_queue(dev, n);
}

/* Up to FEATURES_OK; false: the device does not take them. */
static inline bool driver_negotiate(struct driver *driver, uint64_t features)
{
	struct hv_virtio *dev = driver->dev;

	hv_virtio_set_status(dev, HV_VIRTIO_ACKNOWLEDGE);
	hv_virtio_set_status(dev, HV_VIRTIO_ACKNOWLEDGE | HV_VIRTIO_DRIVER);
	hv_virtio_choose(dev, 0, (uint32_t)features);
	hv_virtio_choose(dev, 32, (uint32_t)(features >> 32));
	hv_virtio_set_status(dev, hv_virtio_status(dev) | HV_VIRTIO_FEATURES_OK);
	driver->features = features;
	return hv_virtio_status(dev) & HV_VIRTIO_FEATURES_OK;
}

static inline void driver_nothing(void *ctx)
{
	(void)ctx;
}

/* DRIVER_OK; the device has looked at its rings once, and does so from now on when kicked. */
static inline void driver_ready(const struct driver *driver)
{
	hv_virtio_set_status(driver->dev, hv_virtio_status(driver->dev) | HV_VIRTIO_DRIVER_OK);
	hv_worker_run(&driver->dev->worker, driver_nothing, NULL);
}

/* All queues, and @features besides those of rings; the worker's thread is started. */
static inline void driver_start(struct driver *driver, struct hv_virtio *dev, uint64_t features)
{
	struct hv_error err = { .text = "" };

	driver->dev = dev;
	if (driver->config_fd <= 0)
		driver->config_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	atomic_store(&dev->config_fd, driver->config_fd);
	if (!dev->worker.started && hv_worker_start(&dev->worker, &err))
		fail_msg("%s", err.text);
	features |= HV_VIRTIO_F_VERSION_1 | HV_VIRTIO_F_INDIRECT_DESC | HV_VIRTIO_F_RING_RESET;
	if (driver->packed)
		features |= HV_VIRTIO_F_RING_PACKED;
	assert_true(driver_negotiate(driver, features & dev->offered));
	for (unsigned int n = 0; n < dev->nr_queues; n++)
		driver_enable(driver, n);
	driver_ready(driver);
}

/* A reset, as drivers do it. */
static inline void driver_stop(struct driver *driver)
{
	unsigned int ms = 0;

	hv_virtio_set_status(driver->dev, 0);
	for (; hv_virtio_status(driver->dev) && ms < DRIVER_WAIT_MS; ms++)
		usleep(1000);
	assert_int_equal(hv_virtio_status(driver->dev), 0);
}

static inline void driver_exit(struct driver *driver)
{
	if (driver->dev) {
		hv_virtio_reset(driver->dev);
		hv_worker_stop(&driver->dev->worker);
		for (unsigned int n = 0; n < driver->dev->nr_queues; n++)
			if (driver->ring[n].call_fd > 0)
				close(driver->ring[n].call_fd);
		driver->dev->kind->destroy(driver->dev);
		close(driver->config_fd);
	}
	hv_memory_exit(&driver->memory);
}

/* -------------------------------------------------------------------- rings */

static inline uint16_t driver_flags(const struct buffer *buffer, bool last)
{
	return (buffer->in ? VRING_DESC_F_WRITE : 0) | (last ? 0 : VRING_DESC_F_NEXT);
}

static inline uint16_t driver_add_split(struct driver *driver, struct driver_ring *ring,
					const struct buffer *buffer, unsigned int count)
{
	struct vring_desc *desc = driver_at(driver, ring->setup.desc, 16 * ring->setup.size);
	struct vring_avail *avail = driver_at(driver, ring->setup.driver, 4096);
	uint16_t mask = ring->setup.size - 1, head = ring->next & mask;

	for (unsigned int i = 0; i < count; i++, ring->next++)
		desc[ring->next & mask] = (struct vring_desc){
			.addr = buffer[i].gpa,
			.len = buffer[i].len,
			.flags = driver_flags(&buffer[i], i + 1 == count),
			.next = (ring->next + 1) & mask,
		};
	avail->ring[ring->avail++ & mask] = head;
	__atomic_store_n(&avail->idx, ring->avail, __ATOMIC_RELEASE);
	return head;
}

static inline uint16_t driver_packed_flags(bool wrap)
{
	return wrap ? 1u << VRING_PACKED_DESC_F_AVAIL : 1u << VRING_PACKED_DESC_F_USED;
}

static inline uint16_t driver_add_packed(struct driver *driver, struct driver_ring *ring,
					 const struct buffer *buffer, unsigned int count)
{
	struct vring_packed_desc *desc = driver_at(driver, ring->setup.desc, 16 * ring->setup.size);
	uint16_t first = ring->avail, first_flags = 0;

	for (unsigned int i = 0; i < count; i++) {
		uint16_t flags = driver_flags(&buffer[i], i + 1 == count) |
				 driver_packed_flags(ring->avail_wrap);
		struct vring_packed_desc *at = &desc[ring->avail];

		at->addr = buffer[i].gpa;
		at->len = buffer[i].len;
		at->id = first;
		if (i)
			__atomic_store_n(&at->flags, flags, __ATOMIC_RELAXED);
		else
			first_flags = flags;
		if (++ring->avail == ring->setup.size) {
			ring->avail = 0;
			ring->avail_wrap = !ring->avail_wrap;
		}
	}
	ring->entries[first] = (uint16_t)count;
	__atomic_store_n(&desc[first].flags, first_flags, __ATOMIC_RELEASE);
	return first;
}

/* Make a chain available; returns its id. */
static inline uint16_t driver_add(struct driver *driver, unsigned int n,
				  const struct buffer *buffer, unsigned int count)
{
	struct driver_ring *ring = &driver->ring[n];

	return driver->packed ? driver_add_packed(driver, ring, buffer, count) :
				driver_add_split(driver, ring, buffer, count);
}

/* Chain @id is one buffer, which is a table of them. Before the kick. */
static inline void driver_mark_indirect(struct driver *driver, unsigned int n, uint16_t id)
{
	struct driver_ring *ring = &driver->ring[n];
	uint64_t at = ring->setup.desc + 16ull * id;

	if (driver->packed)
		((struct vring_packed_desc *)driver_at(driver, at, 16))->flags |=
			VRING_DESC_F_INDIRECT;
	else
		((struct vring_desc *)driver_at(driver, at, 16))->flags |= VRING_DESC_F_INDIRECT;
}

static inline void driver_kick(const struct driver *driver, unsigned int n)
{
	const uint64_t one = 1;

	assert_int_equal(write(driver->dev->queue[n].ring.kick_fd, &one, sizeof(one)), sizeof(one));
}

/* Has the device given one back? Its length is *len, its id driver->used_id. */
static inline bool driver_take(struct driver *driver, unsigned int n, uint32_t *len)
{
	struct driver_ring *ring = &driver->ring[n];
	struct vring_packed_desc *desc;
	struct vring_used *used;
	uint16_t flags;

	if (!driver->packed) {
		used = driver_at(driver, ring->setup.device, 4096);
		if (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) == ring->used)
			return false;
		*len = used->ring[ring->used & (ring->setup.size - 1)].len;
		driver->used_id = used->ring[ring->used++ & (ring->setup.size - 1)].id;
		return true;
	}
	desc = driver_at(driver, ring->setup.desc, 16 * ring->setup.size);
	flags = __atomic_load_n(&desc[ring->used].flags, __ATOMIC_ACQUIRE);
	if (!!(flags >> VRING_PACKED_DESC_F_AVAIL & 1) != ring->used_wrap ||
	    !!(flags >> VRING_PACKED_DESC_F_USED & 1) != ring->used_wrap)
		return false;
	driver->used_id = desc[ring->used].id;
	*len = desc[ring->used].len;
	assert_true(driver->used_id < DRIVER_SIZE);
	ring->used += ring->entries[driver->used_id];
	if (ring->used >= ring->setup.size) {
		ring->used -= ring->setup.size;
		ring->used_wrap = !ring->used_wrap;
	}
	return true;
}

/* Wait for an interrupt of queue @n; false: none came. */
static inline bool driver_interrupted(const struct driver *driver, unsigned int n, int ms)
{
	struct pollfd fd = { .fd = driver->ring[n].call_fd, .events = POLLIN };
	uint64_t count;

	return poll(&fd, 1, ms) == 1 && read(fd.fd, &count, sizeof(count)) == sizeof(count);
}

/* Wait until the device gives one back, for which it interrupts; its length. */
static inline uint32_t driver_wait(struct driver *driver, unsigned int n)
{
	uint32_t len;

	while (!driver_take(driver, n, &len))
		if (!driver_interrupted(driver, n, DRIVER_WAIT_MS))
			fail_msg("queue %u: no interrupt in %d ms", n, DRIVER_WAIT_MS);
	return len;
}

/* Does the device want a reset, or come to it within a moment? */
static inline bool driver_is_broken(const struct driver *driver)
{
	for (unsigned int ms = 0; ms < DRIVER_WAIT_MS; ms++) {
		if (hv_virtio_status(driver->dev) & HV_VIRTIO_NEEDS_RESET)
			return true;
		usleep(1000);
	}
	return false;
}

#endif
