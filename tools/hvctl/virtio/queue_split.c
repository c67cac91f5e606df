// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split virtqueues: a table of descriptors, a ring of chains that are available, a ring of those
 * that were used. Virtio 1.2, "Split Virtqueues".
 *
 *  driver area	flags, idx, ring[size], used_event
 *  device area	flags, idx, ring[size] of (id, len), avail_event
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stddef.h>

#include "queue_ring.h"

static uint64_t desc_len(uint16_t size)
{
	return size * sizeof(struct vring_desc);
}

static uint64_t driver_len(uint16_t size)
{
	return sizeof(struct vring_avail) + (size + 1) * sizeof(uint16_t);
}

static uint64_t device_len(uint16_t size)
{
	return sizeof(struct vring_used) + size * sizeof(struct vring_used_elem) + sizeof(uint16_t);
}

static bool size_ok(uint16_t size)
{
	return !(size & (size - 1));
}

/* The word behind the last entry of each ring. */
static uint16_t *used_event(const struct hv_vqueue *queue)
{
	struct vring_avail *avail = queue->driver;

	return &avail->ring[queue->setup.size];
}

static uint16_t *avail_event(const struct hv_vqueue *queue)
{
	struct vring_used *used = queue->device;

	return (uint16_t *)&used->ring[queue->setup.size];
}

/* -------------------------------------------------------------------- take */

static int read_desc(const struct hv_vqueue *queue, uint16_t index, struct hv_vdesc *desc)
{
	const struct vring_desc *table = queue->desc;
	struct vring_desc entry;

	if (index >= queue->setup.size)
		return -EINVAL;
	hv_ring_copy(&entry, &table[index], sizeof(entry) / 8);
	*desc = (struct hv_vdesc){
		.gpa = entry.addr,
		.len = entry.len,
		.next = entry.flags & VRING_DESC_F_NEXT,
		.write = entry.flags & VRING_DESC_F_WRITE,
		.indirect = entry.flags & VRING_DESC_F_INDIRECT,
		.link = entry.next,
	};
	return 0;
}

/* No longer than the table: one that goes in a circle is none. */
static int collect(struct hv_vqueue *queue, uint16_t index, struct hv_vchain **chain)
{
	for (unsigned int left = queue->setup.size; left; left--) {
		struct hv_vdesc desc;
		int error = read_desc(queue, index, &desc);

		if (error)
			return error;
		if (desc.indirect)
			return desc.next ? -EINVAL :
					   hv_vchain_add_table(queue, chain, &desc, false);
		error = hv_vchain_add(queue, chain, &desc);
		if (error || !desc.next)
			return error;
		index = desc.link;
	}
	return -EINVAL;
}

static int pop(struct hv_vqueue *queue, struct hv_vchain **chain)
{
	struct vring_avail *avail = queue->driver;
	uint16_t count = hv_ring_get16(&avail->idx) - queue->avail, head;
	struct hv_vchain *found;
	int error;

	if (!count)
		return 0;
	if (count > queue->setup.size || queue->in_flight >= queue->setup.size)
		return -EINVAL;
	found = hv_vchain_get(queue);
	if (!found)
		return -ENOMEM;
	head = hv_ring_get16(&avail->ring[queue->avail & (queue->setup.size - 1)]);
	error = collect(queue, head, &found);
	if (error) {
		hv_vchain_put(queue, found);
		return error;
	}
	found->id = head;
	queue->avail++;
	*chain = found;
	return 1;
}

static void unpop(struct hv_vqueue *queue, const struct hv_vchain *chain)
{
	(void)chain;
	queue->avail--;
}

static bool has_next(const struct hv_vqueue *queue)
{
	const struct vring_avail *avail = queue->driver;

	return hv_ring_get16(&avail->idx) != queue->avail;
}

static void want_kick(struct hv_vqueue *queue, bool wanted)
{
	struct vring_used *used = queue->device;

	if (!queue->setup.event_idx)
		hv_ring_set16(&used->flags, wanted ? 0 : VRING_USED_F_NO_NOTIFY);
	else if (wanted)
		hv_ring_set16(avail_event(queue), queue->avail);
}

/* -------------------------------------------------------------------- give */

static void push(struct hv_vqueue *queue, struct hv_vchain *const *chains, const uint32_t *written,
		 unsigned int count)
{
	struct vring_used *used = queue->device;

	for (unsigned int i = 0; i < count; i++) {
		struct vring_used_elem *elem = &used->ring[queue->used & (queue->setup.size - 1)];

		__atomic_store_n(&elem->id, (uint32_t)chains[i]->id, __ATOMIC_RELAXED);
		__atomic_store_n(&elem->len, written[i], __ATOMIC_RELAXED);
		queue->used++;
	}
	hv_ring_set16(&used->idx, queue->used);
}

/* Did the index go over @event since it was last told? */
static bool wants_call(struct hv_vqueue *queue)
{
	const struct vring_avail *avail = queue->driver;
	uint16_t old = queue->told, new = queue->used;
	bool valid = queue->told_valid;

	if (valid && old == new)
		return false;
	queue->told = new;
	queue->told_valid = true;
	if (!queue->setup.event_idx)
		return !(hv_ring_get16(&avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
	return !valid || vring_need_event(hv_ring_get16(used_event(queue)), new, old);
}

static bool place_ok(const struct hv_vqueue *queue, const struct hv_vqueue_position *position)
{
	(void)queue;
	return position->avail == position->used && position->avail_wrap && position->used_wrap;
}

const struct hv_ring_ops hv_ring_split = {
	.desc_len = desc_len,
	.driver_len = driver_len,
	.device_len = device_len,
	.driver_align = 2,
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
