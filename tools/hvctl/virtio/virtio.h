/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio device, whatever bus it is on: what a transport (pci.h) and the kinds of devices, one
 * file each, have in common.
 *
 * Two sides meet here. The driver's, by the transport: a vCPU's thread, with the machine's lock
 * held. And the device's, in a worker of its own: its rings, its I/O, without that lock. The driver
 * starts, stops and resets the device by jobs for the worker, and never waits for it; `lock` is for
 * what both look at. A reset is over when the status reads 0 ("Device Reset").
 *
 * Virtio 1.2, "Basic Facilities of a Virtio Device".
 */
#ifndef HV_VIRTIO_VIRTIO_H
#define HV_VIRTIO_VIRTIO_H

#include <poll.h>
#include <stdatomic.h>

#include "lib/worker.h"
#include "queue.h"

/* What a transport can show of one device. */
#define HV_VIRTIO_QUEUES 32
#define HV_VIRTIO_CONFIG 256

/* Status */
#define HV_VIRTIO_ACKNOWLEDGE 0x01
#define HV_VIRTIO_DRIVER      0x02
#define HV_VIRTIO_DRIVER_OK   0x04
#define HV_VIRTIO_FEATURES_OK 0x08
#define HV_VIRTIO_NEEDS_RESET 0x40
#define HV_VIRTIO_FAILED      0x80

/* Features of any device, as bits; those of a kind are below bit 24 and from 50 on. */
#define HV_VIRTIO_F_INDIRECT_DESC   (1ull << 28)
#define HV_VIRTIO_F_EVENT_IDX	    (1ull << 29)
#define HV_VIRTIO_F_VERSION_1	    (1ull << 32)
#define HV_VIRTIO_F_ACCESS_PLATFORM (1ull << 33)
#define HV_VIRTIO_F_RING_PACKED	    (1ull << 34)
#define HV_VIRTIO_F_RING_RESET	    (1ull << 40)
/* What we offer of these, where rings are served here. */
#define HV_VIRTIO_F_RINGS                                                                \
	(HV_VIRTIO_F_INDIRECT_DESC | HV_VIRTIO_F_EVENT_IDX | HV_VIRTIO_F_VERSION_1 | \
	 HV_VIRTIO_F_RING_PACKED | HV_VIRTIO_F_RING_RESET)

struct hv_virtio;

/**
 * struct hv_virtio_kind - a kind of device
 * @name: as users call it, "blk"
 * @id: "Device Types"
 * @class_code: PCI's: base class, sub-class, interface
 * @start: the driver is ready: features and rings are settled (hv_virtio_has(), the queues that are
 *	up). 0 or -errno: then the device asks for a reset. May be NULL
 * @stop: let go of the guest's memory: when it returns no I/O is under way, and no chain is in
 *	flight; or hv_virtio_stray(). The rings are as they were; start() may follow. @reset: the
 *	driver has taken all back, and nobody will know what became of it. May be NULL if kick()
 *	leaves nothing
 * @kick: there may be chains in queue @n, which is up
 * @stop_queue: as stop(), for queue @n alone. NULL: as for stop()
 * @rewired: queues have other @call_fds; for rings that are served elsewhere. May be NULL
 * @write_config: the driver writes @width bytes to byte @offset of dev->config; to be changed
 *	there, if it can be. By a vCPU's thread, @lock held. NULL: nothing can be written
 * @destroy: free all; the worker has ended
 * @elsewhere: rings are served elsewhere (vhost): start() tells who does it; kicks are theirs
 *
 * But for write_config() and destroy() all are called by the device's worker, without locks.
 */
struct hv_virtio_kind {
	const char *name;
	uint16_t id;
	uint32_t class_code;
	int (*start)(struct hv_virtio *dev);
	void (*stop)(struct hv_virtio *dev, bool reset);
	void (*kick)(struct hv_virtio *dev, unsigned int n);
	void (*stop_queue)(struct hv_virtio *dev, unsigned int n);
	void (*rewired)(struct hv_virtio *dev);
	void (*write_config)(struct hv_virtio *dev, unsigned int offset, unsigned int width,
			     uint32_t value);
	void (*destroy)(struct hv_virtio *dev);
	bool elsewhere;
};

/* What the driver has done to a queue, and the worker has still to do. */
struct hv_virtio_queue {
	struct hv_vqueue ring;
	struct hv_vqueue_setup setup;	/* as the driver writes it */
	bool enabled;			/* by the driver */
	bool resetting;			/* until the worker has stopped it */
	unsigned int index;
	struct hv_virtio *dev;
	struct hv_job job;
	struct hv_watch kick;
};

struct hv_virtio {
	const struct hv_virtio_kind *kind;
	const struct hv_memory *memory;
	uint64_t offered;		/* features */
	unsigned int nr_queues;
	struct hv_virtio_queue queue[HV_VIRTIO_QUEUES];
	struct hv_worker worker;

	/* Something for the driver to look at besides rings: an eventfd; -1: no interrupt. */
	atomic_int config_fd;
	atomic_uchar status;

	pthread_mutex_t lock;		/* innermost; the following, and setups of queues */
	uint64_t chosen;		/* features, by the driver */
	bool resetting;			/* until the worker has stopped all ... */
	pthread_cond_t reset_done;	/* ... which is told here */
	uint8_t config[HV_VIRTIO_CONFIG];	/* "Device Configuration Space" */
	unsigned int config_len;
	uint8_t generation;

	/* The worker's. */
	uint64_t features;		/* that were negotiated, from start() to stop() */
	bool running;			/* between the two */
	bool astray;			/* hv_virtio_stray() */
	struct hv_job start_job, reset_job, rewire_job;
	void *owner;			/* the transport's */
};

/**
 * hv_virtio_init() - the part of a device that all have in common
 * @dev: filled in; embedded in the kind's own struct
 * @kind: what it is
 * @memory: the guest's
 * @features: offered, HV_VIRTIO_F_RINGS or a part of it included
 * @err: filled in on failure
 *
 * Then hv_virtio_add_queue() for each queue, hv_virtio_set_config(), and all watches and timers of
 * dev->worker.loop. The transport starts the worker. Returns 0 or -errno. To be undone by
 * hv_virtio_exit(), also where what follows fails.
 */
int hv_virtio_init(struct hv_virtio *dev, const struct hv_virtio_kind *kind,
		   const struct hv_memory *memory, uint64_t features, struct hv_error *err);
void hv_virtio_exit(struct hv_virtio *dev);

/* One queue more, of up to @size entries, a power of two. Returns 0 or -errno. */
int hv_virtio_add_queue(struct hv_virtio *dev, uint16_t size, struct hv_error *err);

/*
 * Change bytes of the configuration space; the driver is told, if there is one. Any thread, `lock`
 * not held.
 */
void hv_virtio_set_config(struct hv_virtio *dev, unsigned int offset, const void *data, size_t len);

/* Was this feature negotiated? By the worker, from start() to stop(). */
static inline bool hv_virtio_has(const struct hv_virtio *dev, uint64_t feature)
{
	return dev->features & feature;
}

/* Has the driver taken back all, and the worker still to stop? `lock` not held. */
bool hv_virtio_is_resetting(struct hv_virtio *dev);

static inline struct hv_vqueue *hv_virtio_ring(struct hv_virtio *dev, unsigned int n)
{
	return &dev->queue[n].ring;
}

/*
 * The driver has done what it must not, or who serves the rings is gone: ask for a reset, and do
 * nothing more until then (DEVICE_NEEDS_RESET). By the worker. What finds a queue broken while it
 * pops calls this; hv_virtio_pop() does.
 */
void hv_virtio_break(struct hv_virtio *dev);

/*
 * Who serves the rings elsewhere is out of control, and may yet write to the guest's memory: no
 * reset is over before hv_virtio_left() says that he is gone. By the worker.
 */
void hv_virtio_stray(struct hv_virtio *dev);
void hv_virtio_left(struct hv_virtio *dev);

/* hv_vqueue_pop(), and hv_virtio_break() if that fails. */
int hv_virtio_pop(struct hv_virtio *dev, unsigned int n, struct hv_vchain **chain);

/* ------------------------------------------------- for transports: a vCPU's thread */

uint8_t hv_virtio_status(struct hv_virtio *dev);
/* The driver writes the status: a step of the initialization, or 0: a reset. */
void hv_virtio_set_status(struct hv_virtio *dev, uint8_t status);
/* The driver chooses features, the half at bit @shift (0 or 32). */
void hv_virtio_choose(struct hv_virtio *dev, unsigned int shift, uint32_t features);
/* Bring queue @n up, or on at once if the driver is ready; "Queue Reset" takes it down. */
void hv_virtio_enable_queue(struct hv_virtio *dev, unsigned int n);
void hv_virtio_reset_queue(struct hv_virtio *dev, unsigned int n);
/* call_fds have changed. */
void hv_virtio_rewire(struct hv_virtio *dev);

/*
 * The machine is reset, and no vCPU runs: stop the device, and forget all that the driver has said.
 * That takes as long as the host's disks and daemons do: wait for it without locks, a while at a
 * time. True: it is over.
 */
void hv_virtio_begin_reset(struct hv_virtio *dev);
bool hv_virtio_wait_reset(struct hv_virtio *dev, unsigned int ms);

/* The same, for who takes the device down: but for those who have strayed, it is over. */
void hv_virtio_reset(struct hv_virtio *dev);

/* Hold all I/O, to save the machine or to have it stand still; and go on. Waits for the worker. */
void hv_virtio_hold(struct hv_virtio *dev);
void hv_virtio_go_on(struct hv_virtio *dev);

#endif
