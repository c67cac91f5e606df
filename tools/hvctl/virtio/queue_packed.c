// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packed virtqueues: one ring of descriptors, in which the device writes over what it has used.
 * Two bits of a descriptor's flags, compared with wrap counters, say whose it is. Virtio 1.2,
 * "Packed Virtqueues".
 *
 *  driver area	which used descriptor is to cause an interrupt: offset and wrap counter, flags
 *  device area	... which available one a kick
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stddef.h>

#include "queue_ring.h"

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1u << VRING_PACKED_DESC_F_USED)
#define WRAP  (1u << VRING_PACKED_EVENT_F_WRAP_CTR)

static uint64_t desc_len(uint16_t size)
{
	return size * sizeof(struct vring_packed_desc);
}

static uint64_t event_len(uint16_t size)
{
	(void)size;
	return sizeof(struct vring_packed_desc_event);
}

static bool size_ok(uint16_t size)
{
	return size <= 1u << 15;
}

static struct vring_packed_desc *desc_at(const struct hv_vqueue *queue, uint16_t index)
{
	return (struct vring_packed_desc *)queue->desc + index;
}

static void advance(const struct hv_vqueue *queue, uint16_t *index, bool *wrap, uint16_t count)
{
	unsigned int next = *index + count;

	if (next >= queue->setup.size) {
		next -= queue->setup.size;
		*wrap = !*wrap;
	}
	*index = (uint16_t)next;
}

/* -------------------------------------------------------------------- take */

static bool is_available(const struct hv_vqueue *queue, uint16_t index, bool wrap)
{
	uint16_t flags = hv_ring_get16(&desc_at(queue, index)->flags);

	return !!(flags & AVAIL) == wrap && !!(flags & USED) != wrap;
}

static bool has_next(const struct hv_vqueue *queue)
{
	return is_available(queue, queue->avail, queue->avail_wrap);
}

static void read_desc(const struct hv_vqueue *queue, uint16_t index, struct hv_vdesc *desc,
		      uint16_t *id)
{
	struct vring_packed_desc entry;

	hv_ring_copy(&entry, desc_at(queue, index), sizeof(entry) / 8);
	*desc = (struct hv_vdesc){
		.gpa = entry.addr,
		.len = entry.len,
		.next = entry.flags & VRING_DESC_F_NEXT,
		.write = entry.flags & VRING_DESC_F_WRITE,
		.indirect = entry.flags & VRING_DESC_F_INDIRECT,
	};
	*id = entry.id;
}

/*
 * Descriptors of a chain follow each other; the driver makes the first one available last, so the
 * others' bits say nothing. The last one has the id.
 */
static int collect(struct hv_vqueue *queue, struct hv_vchain **chain, uint16_t *entries,
		   uint16_t *id)
{
	uint16_t index = queue->avail;
	bool wrap = queue->avail_wrap;

	for (*entries = 1; *entries + queue->in_flight <= queue->setup.size; ++*entries) {
		struct hv_vdesc desc;
		int error;

		read_desc(queue, index, &desc, id);
		if (desc.indirect)
			return desc.next || *entries > 1 ?
				       -EINVAL :
				       hv_vchain_add_table(queue, chain, &desc, true);
		error = hv_vchain_add(queue, chain, &desc);
		if (error || !desc.next)
			return error;
		advance(queue, &index, &wrap, 1);
	}
	return -EINVAL;
}

static int pop(struct hv_vqueue *queue, struct hv_vchain **chain)
{
	struct hv_vchain *found;
	uint16_t entries, id = 0;
	int error;

	if (!has_next(queue))
		return 0;
	found = hv_vchain_get(queue);
	if (!found)
		return -ENOMEM;
	error = collect(queue, &found, &entries, &id);
	if (error) {
		hv_vchain_put(queue, found);
		return error;
	}
	found->id = id;
	found->entries = entries;
	advance(queue, &queue->avail, &queue->avail_wrap, entries);
	*chain = found;
	return 1;
}

static void unpop(struct hv_vqueue *queue, const struct hv_vchain *chain)
{
	if (queue->avail < chain->entries) {
		queue->avail += queue->setup.size;
		queue->avail_wrap = !queue->avail_wrap;
	}
	queue->avail -= chain->entries;
}

static void want_kick(struct hv_vqueue *queue, bool wanted)
{
	struct vring_packed_desc_event *event = queue->device;
	uint16_t flags = VRING_PACKED_EVENT_FLAG_DISABLE;

	if (wanted && queue->setup.event_idx) {
		hv_ring_set16(&event->off_wrap, queue->avail | (queue->avail_wrap ? WRAP : 0));
		flags = VRING_PACKED_EVENT_FLAG_DESC;
	} else if (wanted) {
		flags = VRING_PACKED_EVENT_FLAG_ENABLE;
	}
	hv_ring_set16(&event->flags, flags);
}

/* -------------------------------------------------------------------- give */

/* The flags last, those of the first one behind all: the driver looks no further before. */
static void push(struct hv_vqueue *queue, struct hv_vchain *const *chains, const uint32_t *written,
		 unsigned int count)
{
	uint16_t *first = &desc_at(queue, queue->used)->flags, first_flags = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct vring_packed_desc *desc = desc_at(queue, queue->used);
		uint16_t flags = (queue->used_wrap ? AVAIL | USED : 0) |
				 (written[i] ? VRING_DESC_F_WRITE : 0);

		__atomic_store_n(&desc->id, chains[i]->id, __ATOMIC_RELAXED);
		__atomic_store_n(&desc->len, written[i], __ATOMIC_RELAXED);
		if (i)
			hv_ring_set16(&desc->flags, flags);
		else
			first_flags = flags;
		queue->untold += chains[i]->entries;
		advance(queue, &queue->used, &queue->used_wrap, chains[i]->entries);
	}
	hv_ring_set16(first, first_flags);
}

/* Where the driver wants an interrupt, in the wrap of @used; -1: one round from here. */
static bool passes_event(const struct hv_vqueue *queue, uint16_t off_wrap, uint16_t old)
{
	uint16_t event = off_wrap & (WRAP - 1);

	if (!!(off_wrap & WRAP) != queue->used_wrap)
		event -= queue->setup.size;
	return vring_need_event(event, queue->used, old);
}

static bool wants_call(struct hv_vqueue *queue)
{
	const struct vring_packed_desc_event *event = queue->driver;
	uint16_t flags = hv_ring_get16(&event->flags), old = queue->told;
	/* Once around: whatever the driver waits for was passed, and places do not say it. */
	bool valid = queue->told_valid, round = queue->untold >= queue->setup.size;

	if (valid && !queue->untold)
		return false;
	queue->untold = 0;
	/* In the terms of this round. */
	if (queue->told_wrap != queue->used_wrap)
		old -= queue->setup.size;
	queue->told = queue->used;
	queue->told_wrap = queue->used_wrap;
	queue->told_valid = true;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !queue->setup.event_idx)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	return !valid || round || passes_event(queue, hv_ring_get16(&event->off_wrap), old);
}

static bool place_ok(const struct hv_vqueue *queue, const struct hv_vqueue_position *position)
{
	return position->avail < queue->setup.size && position->avail == position->used &&
	       position->avail_wrap == position->used_wrap;
}

const struct hv_ring_ops hv_ring_packed = {
	.desc_len = desc_len,
	.driver_len = event_len,
	.device_len = event_len,
	.driver_align = 4,
	.device_align = 4,
	.size_ok = size_ok,
	.pop = pop,
	.unpop = unpop,
	.push = push,
	.wants_call = wants_call,
	.want_kick = want_kick,
	.has_next = has_next,
	.place_ok = place_ok,
};
