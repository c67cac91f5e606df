// SPDX-License-Identifier: GPL-2.0-only
/* The life of a virtio device: the driver's wishes, and the worker that follows them. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/event.h"
#include "lib/lock.h"
#include "virtio.h"

static void signal_config(const struct hv_virtio *dev)
{
	int fd = atomic_load(&dev->config_fd);

	if (fd >= 0)
		hv_signal_event(fd);
}

bool hv_virtio_is_resetting(struct hv_virtio *dev)
{
	bool resetting;

	pthread_mutex_lock(&dev->lock);
	resetting = dev->resetting;
	pthread_mutex_unlock(&dev->lock);
	return resetting;
}

void hv_virtio_break(struct hv_virtio *dev)
{
	uint8_t before = atomic_fetch_or(&dev->status, HV_VIRTIO_NEEDS_RESET);

	for (unsigned int n = 0; n < dev->nr_queues; n++)
		dev->queue[n].ring.broken = true;
	if (before & HV_VIRTIO_DRIVER_OK && !(before & HV_VIRTIO_NEEDS_RESET))
		signal_config(dev);
}

int hv_virtio_pop(struct hv_virtio *dev, unsigned int n, struct hv_vchain **chain)
{
	int result = hv_vqueue_pop(hv_virtio_ring(dev, n), chain);

	if (result < 0)
		hv_virtio_break(dev);
	return result;
}

void hv_virtio_set_config(struct hv_virtio *dev, unsigned int offset, const void *data, size_t len)
{
	pthread_mutex_lock(&dev->lock);
	memcpy(dev->config + offset, data, len);
	if (offset + len > dev->config_len)
		dev->config_len = (unsigned int)(offset + len);
	dev->generation++;
	pthread_mutex_unlock(&dev->lock);
	if (atomic_load(&dev->status) & HV_VIRTIO_DRIVER_OK)
		signal_config(dev);
}

/* ------------------------------------------------------------- the worker's */

static void take_kick(const struct hv_vqueue *queue)
{
	(void)hv_take_event(queue->kick_fd);
}

static void serve(struct hv_virtio *dev, unsigned int n)
{
	if (dev->running && dev->queue[n].ring.up && !dev->queue[n].ring.broken && dev->kind->kick)
		dev->kind->kick(dev, n);
}

static short wants_kick(void *ctx)
{
	const struct hv_virtio_queue *queue = ctx;

	return queue->dev->running && queue->ring.up && !queue->dev->kind->elsewhere ? POLLIN : 0;
}

static void on_kick(void *ctx, short revents)
{
	struct hv_virtio_queue *queue = ctx;

	(void)revents;
	take_kick(&queue->ring);
	serve(queue->dev, queue->index);
}

/* The driver has enabled it; it may set it up again only when it was stopped. */
static bool bring_up(struct hv_virtio_queue *queue)
{
	struct hv_virtio *dev = queue->dev;
	struct hv_vqueue_setup setup;
	bool enabled;

	pthread_mutex_lock(&dev->lock);
	setup = queue->setup;
	enabled = queue->enabled && !queue->resetting;
	pthread_mutex_unlock(&dev->lock);
	if (!enabled || queue->ring.up)
		return true;
	setup.packed = hv_virtio_has(dev, HV_VIRTIO_F_RING_PACKED);
	setup.event_idx = hv_virtio_has(dev, HV_VIRTIO_F_EVENT_IDX);
	setup.indirect = hv_virtio_has(dev, HV_VIRTIO_F_INDIRECT_DESC);
	return !hv_vqueue_up(&queue->ring, &setup);
}

static void run(struct hv_virtio *dev)
{
	if (dev->kind->start && dev->kind->start(dev)) {
		hv_virtio_break(dev);
		return;
	}
	dev->running = true;
	for (unsigned int n = 0; n < dev->nr_queues; n++)
		if (!dev->kind->elsewhere)
			serve(dev, n);
}

static void halt(struct hv_virtio *dev, bool reset)
{
	if (dev->running && dev->kind->stop)
		dev->kind->stop(dev, reset);
	dev->running = false;
}

/* DRIVER_OK. What the driver has made available before is served without a kick. */
static void start(void *ctx)
{
	struct hv_virtio *dev = ctx;
	bool good = true, resetting;

	pthread_mutex_lock(&dev->lock);
	dev->features = dev->chosen;
	resetting = dev->resetting;
	pthread_mutex_unlock(&dev->lock);
	if (dev->running || resetting || !(atomic_load(&dev->status) & HV_VIRTIO_DRIVER_OK))
		return;
	for (unsigned int n = 0; n < dev->nr_queues; n++)
		good &= bring_up(&dev->queue[n]);
	if (good)
		run(dev);
	else
		hv_virtio_break(dev);
}

static void take_down(struct hv_virtio_queue *queue)
{
	hv_vqueue_down(&queue->ring);
	take_kick(&queue->ring);
}

/* When the status reads 0 the driver may use its memory for something else. */
static void finish_reset(void *ctx)
{
	struct hv_virtio *dev = ctx;

	halt(dev, true);
	/* hv_virtio_left() comes back. */
	if (dev->astray)
		return;
	for (unsigned int n = 0; n < dev->nr_queues; n++)
		take_down(&dev->queue[n]);
	pthread_mutex_lock(&dev->lock);
	for (unsigned int n = 0; n < dev->nr_queues; n++)
		dev->queue[n].resetting = false;
	dev->features = 0;
	dev->resetting = false;
	atomic_store(&dev->status, 0);
	pthread_cond_broadcast(&dev->reset_done);
	pthread_mutex_unlock(&dev->lock);
}

void hv_virtio_stray(struct hv_virtio *dev)
{
	dev->astray = true;
}

void hv_virtio_left(struct hv_virtio *dev)
{
	dev->astray = false;
	if (hv_virtio_is_resetting(dev))
		finish_reset(dev);
}

static void stop_queue(struct hv_virtio_queue *queue)
{
	struct hv_virtio *dev = queue->dev;
	bool alone = dev->kind->stop_queue || !dev->running || !queue->ring.up;

	if (!alone)
		halt(dev, false);
	else if (dev->running && queue->ring.up)
		dev->kind->stop_queue(dev, queue->index);
	take_down(queue);
	if (!alone)
		run(dev);
	pthread_mutex_lock(&dev->lock);
	queue->resetting = false;
	pthread_mutex_unlock(&dev->lock);
}

/* Who serves rings elsewhere, and cannot be told of one, is told of all once more. */
static void add_queue(struct hv_virtio_queue *queue)
{
	struct hv_virtio *dev = queue->dev;
	bool was_up = queue->ring.up;

	if (!bring_up(queue)) {
		hv_virtio_break(dev);
	} else if (dev->kind->elsewhere && !dev->kind->kick && queue->ring.up && !was_up) {
		halt(dev, false);
		run(dev);
	} else {
		serve(dev, queue->index);
	}
}

/* A queue that is enabled, or reset, while the device runs. */
static void follow_queue(void *ctx)
{
	struct hv_virtio_queue *queue = ctx;
	struct hv_virtio *dev = queue->dev;
	bool gone, resetting;

	pthread_mutex_lock(&dev->lock);
	/* A reset of all takes this one with it; what comes before only makes it wait. */
	gone = dev->resetting;
	resetting = queue->resetting;
	pthread_mutex_unlock(&dev->lock);
	if (gone)
		return;
	if (resetting)
		stop_queue(queue);
	else if (dev->running && !(atomic_load(&dev->status) & HV_VIRTIO_NEEDS_RESET))
		add_queue(queue);
}

static void rewire(void *ctx)
{
	struct hv_virtio *dev = ctx;

	if (dev->running && !hv_virtio_is_resetting(dev))
		dev->kind->rewired(dev);
}

/* ------------------------------------------------------------ the driver's */

uint8_t hv_virtio_status(struct hv_virtio *dev)
{
	return atomic_load(&dev->status);
}

/* A reset takes back all at once, but what the worker has still to stop. */
static void begin_reset(struct hv_virtio *dev)
{
	dev->chosen = 0;
	for (unsigned int n = 0; n < dev->nr_queues; n++) {
		struct hv_virtio_queue *queue = &dev->queue[n];

		queue->enabled = false;
		queue->setup = (struct hv_vqueue_setup){ .size = queue->ring.max_size };
	}
	if (!atomic_load(&dev->status))
		return;
	dev->resetting = true;
	hv_worker_post(&dev->worker, &dev->reset_job);
}

/* "A device MUST NOT accept features that it did not offer", nor go without VERSION_1. */
static bool features_fit(const struct hv_virtio *dev)
{
	return !(dev->chosen & ~dev->offered) && dev->chosen & HV_VIRTIO_F_VERSION_1;
}

void hv_virtio_set_status(struct hv_virtio *dev, uint8_t status)
{
	uint8_t before, added;

	pthread_mutex_lock(&dev->lock);
	before = atomic_load(&dev->status);
	added = status & ~before;
	if (dev->resetting)
		added = 0;
	else if (!status)
		begin_reset(dev);
	if (added & HV_VIRTIO_FEATURES_OK && !features_fit(dev))
		added &= ~HV_VIRTIO_FEATURES_OK;
	/* Not before the features are settled. */
	if (!((before | added) & HV_VIRTIO_FEATURES_OK))
		added &= ~HV_VIRTIO_DRIVER_OK;
	/* That is ours to say. */
	added &= ~HV_VIRTIO_NEEDS_RESET;
	atomic_fetch_or(&dev->status, added);
	if (added & HV_VIRTIO_DRIVER_OK)
		hv_worker_post(&dev->worker, &dev->start_job);
	pthread_mutex_unlock(&dev->lock);
}

void hv_virtio_choose(struct hv_virtio *dev, unsigned int shift, uint32_t features)
{
	pthread_mutex_lock(&dev->lock);
	if (!dev->resetting && !(atomic_load(&dev->status) & HV_VIRTIO_FEATURES_OK))
		dev->chosen = (dev->chosen & ~(0xffffffffull << shift)) | (uint64_t)features
										  << shift;
	pthread_mutex_unlock(&dev->lock);
}

void hv_virtio_enable_queue(struct hv_virtio *dev, unsigned int n)
{
	struct hv_virtio_queue *queue = &dev->queue[n];

	pthread_mutex_lock(&dev->lock);
	if (!dev->resetting && !queue->enabled && !queue->resetting) {
		queue->enabled = true;
		if (atomic_load(&dev->status) & HV_VIRTIO_DRIVER_OK)
			hv_worker_post(&dev->worker, &queue->job);
	}
	pthread_mutex_unlock(&dev->lock);
}

void hv_virtio_reset_queue(struct hv_virtio *dev, unsigned int n)
{
	struct hv_virtio_queue *queue = &dev->queue[n];

	pthread_mutex_lock(&dev->lock);
	if (!dev->resetting && queue->enabled && dev->chosen & HV_VIRTIO_F_RING_RESET &&
	    atomic_load(&dev->status) & HV_VIRTIO_DRIVER_OK) {
		queue->enabled = false;
		queue->resetting = true;
		queue->setup = (struct hv_vqueue_setup){ .size = queue->ring.max_size };
		hv_worker_post(&dev->worker, &queue->job);
	}
	pthread_mutex_unlock(&dev->lock);
}

void hv_virtio_rewire(struct hv_virtio *dev)
{
	if (dev->kind->rewired)
		hv_worker_post(&dev->worker, &dev->rewire_job);
}

void hv_virtio_begin_reset(struct hv_virtio *dev)
{
	pthread_mutex_lock(&dev->lock);
	begin_reset(dev);
	pthread_mutex_unlock(&dev->lock);
}

bool hv_virtio_wait_reset(struct hv_virtio *dev, unsigned int ms)
{
	struct timespec until;
	bool done;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000ll;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&dev->lock);
	while (dev->resetting &&
	       !pthread_cond_clockwait(&dev->reset_done, &dev->lock, CLOCK_MONOTONIC, &until))
		;
	done = !dev->resetting;
	pthread_mutex_unlock(&dev->lock);
	return done;
}

void hv_virtio_reset(struct hv_virtio *dev)
{
	hv_virtio_begin_reset(dev);
	hv_worker_run(&dev->worker, finish_reset, dev);
}

static void hold(void *ctx)
{
	halt(ctx, false);
}

static void go_on(void *ctx)
{
	struct hv_virtio *dev = ctx;

	if (atomic_load(&dev->status) & HV_VIRTIO_DRIVER_OK && !dev->running)
		run(dev);
}

void hv_virtio_hold(struct hv_virtio *dev)
{
	hv_worker_run(&dev->worker, hold, dev);
}

void hv_virtio_go_on(struct hv_virtio *dev)
{
	hv_worker_run(&dev->worker, go_on, dev);
}

/* ---------------------------------------------------------------- together */

int hv_virtio_init(struct hv_virtio *dev, const struct hv_virtio_kind *kind,
		   const struct hv_memory *memory, uint64_t features, struct hv_error *err)
{
	int error = hv_worker_init(&dev->worker, kind->name, err);

	if (error)
		return error;
	dev->kind = kind;
	dev->memory = memory;
	dev->offered = features;
	dev->nr_queues = dev->config_len = 0;
	dev->chosen = dev->features = 0;
	dev->running = dev->resetting = dev->astray = false;
	atomic_init(&dev->config_fd, -1);
	atomic_init(&dev->status, 0);
	hv_lock_init(&dev->lock);
	pthread_cond_init(&dev->reset_done, NULL);
	dev->start_job = (struct hv_job){ .fn = start, .ctx = dev };
	dev->reset_job = (struct hv_job){ .fn = finish_reset, .ctx = dev };
	dev->rewire_job = (struct hv_job){ .fn = rewire, .ctx = dev };
	return 0;
}

int hv_virtio_add_queue(struct hv_virtio *dev, uint16_t size, struct hv_error *err)
{
	unsigned int n = dev->nr_queues;
	struct hv_virtio_queue *queue = &dev->queue[n];

	if (n == HV_VIRTIO_QUEUES)
		return hv_fail(err, ENOSPC, "a device has %d queues at the most; ask for fewer",
			       HV_VIRTIO_QUEUES);
	*queue = (struct hv_virtio_queue){ .index = n, .dev = dev };
	if (hv_vqueue_init(&queue->ring, dev->memory, size))
		return hv_fail(err, EMFILE,
			       "no file descriptors; close something, or raise ulimit -n");
	queue->setup.size = size;
	queue->job = (struct hv_job){ .fn = follow_queue, .ctx = queue };
	queue->kick = (struct hv_watch){
		.fd = queue->ring.kick_fd,
		.wants = wants_kick,
		.ready = on_kick,
		.ctx = queue,
	};
	hv_loop_add(&dev->worker.loop, &queue->kick);
	dev->nr_queues++;
	return 0;
}

void hv_virtio_exit(struct hv_virtio *dev)
{
	hv_worker_run(&dev->worker, hold, dev);
	hv_worker_exit(&dev->worker);
	for (unsigned int n = 0; n < dev->nr_queues; n++)
		hv_vqueue_exit(&dev->queue[n].ring);
	pthread_cond_destroy(&dev->reset_done);
	pthread_mutex_destroy(&dev->lock);
}
