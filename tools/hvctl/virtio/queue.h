/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtqueues, split and packed: the one accessor of rings that lie in the guest's memory.
 *
 * That memory is hostile, and changes under us: each word of a ring is read once, a descriptor is
 * copied before it is looked at, lengths are summed where they cannot overflow, and no loop is
 * longer than the queue. What the driver must not do breaks the queue: nothing is taken from it
 * any more, and the device asks for a reset (hv_virtio_break()).
 *
 * A queue belongs to one thread, its device's worker; but for @kick_fd and @call_fd, which
 * anybody may signal. Virtio 1.2, "Split Virtqueues" and "Packed Virtqueues".
 */
#ifndef HV_VIRTIO_QUEUE_H
#define HV_VIRTIO_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lib/event.h"
#include "lib/iov.h"
#include "lib/memory.h"

#define HV_VQUEUE_MAX 1024	/* entries of a ring that we offer */
/* Buffers of a chain; those of an indirect table may be more than the queue has entries. */
#define HV_VCHAIN_MAX 1024

/**
 * struct hv_vchain - buffers that the guest has made available, to be used as one
 * @id: what the driver knows it by
 * @entries: of a packed ring that it takes up
 * @nr_out: buffers that the device reads
 * @nr_in: buffers that it writes, behind those
 * @out_len: bytes in the former
 * @in_len: ... in the latter; both together are less than 4 GiB
 * @iov: the buffers, where they are in our memory: RAM of the guest's, all of it
 * @next: the queue's, while it is free
 * @room: of @iov
 *
 * The device owns it from hv_vqueue_pop() to hv_vqueue_push(). What is in the buffers is the
 * guest's, and may change at any time: copy what is looked at more than once.
 */
struct hv_vchain {
	uint16_t id;
	uint16_t entries;
	unsigned int nr_out, nr_in;
	uint64_t out_len, in_len;
	struct hv_vchain *next;
	unsigned int room;
	struct iovec iov[];
};

/* What the driver has said about a queue, as it stands in the transport's registers. */
struct hv_vqueue_setup {
	uint16_t size;			/* entries */
	uint64_t desc, driver, device;	/* guest-physical addresses of the three areas */
	bool packed, event_idx, indirect;	/* features that were negotiated */
};

struct hv_vqueue {
	const struct hv_memory *memory;
	uint16_t max_size;		/* what the device offers; 0: there is no such queue */
	int kick_fd;			/* eventfd: the driver has made buffers available */
	/* eventfd: interrupts the driver; -1: it wants none. Read it anew each time. */
	atomic_int call_fd;

	bool up;			/* between hv_vqueue_up() and hv_vqueue_down() */
	bool broken;
	struct hv_vqueue_setup setup;
	void *desc, *driver, *device;	/* the areas, in our memory */
	uint16_t avail, used;		/* where we are: free-running (split), an index (packed) */
	bool avail_wrap, used_wrap;	/* packed: the wrap counters */
	uint16_t told;			/* @used when the driver was last interrupted */
	bool told_valid;
	bool told_wrap;
	uint32_t untold;		/* packed: entries that were given back since */
	unsigned int in_flight;		/* chains that the device has */
	struct hv_vchain *free;
};

/* Where a queue stands between two chains; for saving, and for who serves it elsewhere. */
struct hv_vqueue_position {
	uint16_t avail, used;
	uint8_t avail_wrap, used_wrap;
	uint16_t pad;
};

/**
 * hv_vqueue_init() - a queue that is down
 * @queue: filled in
 * @memory: the guest's
 * @max_size: entries at the most, up to HV_VQUEUE_MAX, a power of two
 *
 * Returns 0 or -EMFILE. hv_vqueue_exit() undoes it.
 */
int hv_vqueue_init(struct hv_vqueue *queue, const struct hv_memory *memory, uint16_t max_size);
void hv_vqueue_exit(struct hv_vqueue *queue);

/**
 * hv_vqueue_up() - begin with the rings that the driver has set up
 * @queue: that is down
 * @setup: where they are
 *
 * Returns 0, or -EINVAL: an area is not in RAM or not aligned, or the size is none that there is.
 */
int hv_vqueue_up(struct hv_vqueue *queue, const struct hv_vqueue_setup *setup);

/* Forget the rings; no chain is in flight. */
void hv_vqueue_down(struct hv_vqueue *queue);

/**
 * hv_vqueue_pop() - take the next chain that the driver has made available
 * @queue: any queue; one that is down or broken has none
 * @chain: filled in: the caller's, until it is given to hv_vqueue_push()
 *
 * Returns 1; 0: there is none now; -EINVAL: the queue was broken, just now or before; -ENOMEM.
 */
int hv_vqueue_pop(struct hv_vqueue *queue, struct hv_vchain **chain);

/**
 * hv_vqueue_push() - give a chain back to the driver
 * @queue: that it came from
 * @chain: it is gone afterwards
 * @written: bytes that were written to its buffers, from the first one on
 *
 * The driver sees it, but is not told before hv_vqueue_tell().
 */
void hv_vqueue_push(struct hv_vqueue *queue, struct hv_vchain *chain, uint32_t written);

/*
 * The same for @count chains, of @queue all, at least one: the driver sees all of them at once, or
 * none yet.
 */
void hv_vqueue_push_all(struct hv_vqueue *queue, struct hv_vchain *const *chains,
			const uint32_t *written, unsigned int count);

/* Have the device look for chains, as if the driver had kicked; any thread. */
static inline void hv_vqueue_kick(const struct hv_vqueue *queue)
{
	hv_signal_event(queue->kick_fd);
}

/*
 * Put back what was taken last, as if it were not; nothing was given back since. Several go back
 * in reverse order.
 */
void hv_vqueue_unpop(struct hv_vqueue *queue, struct hv_vchain *chain);

/* Interrupt the driver for what was pushed, if it wants that. */
void hv_vqueue_tell(struct hv_vqueue *queue);

/*
 * We look for chains by ourselves (hush), or want a kick for the next one (listen). After
 * hv_vqueue_listen() has returned true there is one already, for which no kick may come:
 *
 *	do {
 *		hv_vqueue_hush(queue);
 *		while (hv_vqueue_pop(queue, &chain) > 0)
 *			...
 *	} while (hv_vqueue_listen(queue));
 */
void hv_vqueue_hush(struct hv_vqueue *queue);
bool hv_vqueue_listen(struct hv_vqueue *queue);

struct hv_vqueue_position hv_vqueue_position(const struct hv_vqueue *queue);
/* Go on there: for a queue that is up, with nothing in flight. 0 or -EINVAL: no such place. */
int hv_vqueue_set_position(struct hv_vqueue *queue, const struct hv_vqueue_position *position);

/*
 * Copy out of the buffers that the device reads, from byte @offset on, or into those that it
 * writes. Returns the number of bytes, less than @len where the buffers end.
 */
size_t hv_vchain_read(const struct hv_vchain *chain, uint64_t offset, void *buf, size_t len);
size_t hv_vchain_write(const struct hv_vchain *chain, uint64_t offset, const void *buf, size_t len);

/* The buffers of each kind. */
static inline const struct iovec *hv_vchain_out(const struct hv_vchain *chain)
{
	return chain->iov;
}

static inline const struct iovec *hv_vchain_in(const struct hv_vchain *chain)
{
	return chain->iov + chain->nr_out;
}

#endif
