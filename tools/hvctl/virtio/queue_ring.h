/* SPDX-License-Identifier: GPL-2.0-only */
/* Between queue.c and the two formats of rings. Private to them. */
#ifndef HV_VIRTIO_QUEUE_RING_H
#define HV_VIRTIO_QUEUE_RING_H

#include "queue.h"

/* A descriptor, copied; both formats and indirect tables come down to this. */
struct hv_vdesc {
	uint64_t gpa;
	uint32_t len;
	bool next, write, indirect;
	uint16_t link;			/* split: the next one */
};

struct hv_ring_ops {
	uint64_t (*desc_len)(uint16_t size);	/* bytes of the three areas */
	uint64_t (*driver_len)(uint16_t size);
	uint64_t (*device_len)(uint16_t size);
	unsigned int driver_align, device_align;
	bool (*size_ok)(uint16_t size);
	/* Collect the next chain, *room is where to: as hv_vqueue_pop(). */
	int (*pop)(struct hv_vqueue *queue, struct hv_vchain **chain);
	void (*unpop)(struct hv_vqueue *queue, const struct hv_vchain *chain);
	/* As hv_vqueue_push_all(). */
	void (*push)(struct hv_vqueue *queue, struct hv_vchain *const *chains,
		     const uint32_t *written, unsigned int count);
	bool (*wants_call)(struct hv_vqueue *queue);
	void (*want_kick)(struct hv_vqueue *queue, bool wanted);
	bool (*has_next)(const struct hv_vqueue *queue);
	bool (*place_ok)(const struct hv_vqueue *queue, const struct hv_vqueue_position *position);
};

extern const struct hv_ring_ops hv_ring_split, hv_ring_packed;

/* A chain with room for at least one buffer, empty; NULL: no memory. */
struct hv_vchain *hv_vchain_get(struct hv_vqueue *queue);
void hv_vchain_put(struct hv_vqueue *queue, struct hv_vchain *chain);

/*
 * Append what a descriptor points to. Returns 0, -EINVAL: it is not in RAM, or what may not be
 * there; -ENOMEM. The chain may move.
 */
int hv_vchain_add(struct hv_vqueue *queue, struct hv_vchain **chain, const struct hv_vdesc *desc);

/*
 * An indirect table, of which @desc tells. Descriptors are linked, or one behind the other
 * (@packed). As hv_vchain_add().
 */
int hv_vchain_add_table(struct hv_vqueue *queue, struct hv_vchain **chain,
			const struct hv_vdesc *desc, bool packed);

/* Nothing is taken any more. Returns -EINVAL. */
int hv_vqueue_break(struct hv_vqueue *queue);

/* Words of rings, each read or written once. x86: what is little-endian is as it is. */
static inline uint16_t hv_ring_get16(const void *at)
{
	return __atomic_load_n((const uint16_t *)at, __ATOMIC_ACQUIRE);
}

static inline void hv_ring_set16(void *at, uint16_t value)
{
	__atomic_store_n((uint16_t *)at, value, __ATOMIC_RELEASE);
}

static inline void hv_ring_copy(void *to, const void *from, size_t words)
{
	const uint64_t *source = from;
	uint64_t *target = to;

	for (size_t i = 0; i < words; i++)
		target[i] = __atomic_load_n(&source[i], __ATOMIC_RELAXED);
}

/*
 * What we have written is seen before what we read next: between the two sides each publishes an
 * index and then looks whether the other sleeps, and one of them must see the other.
 */
static inline void hv_ring_barrier(void)
{
	/* Not by atomic_thread_fence(), which the thread sanitizer does not know. */
	__asm__ volatile("mfence" ::: "memory");
}

#endif
