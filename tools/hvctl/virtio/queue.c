// SPDX-License-Identifier: GPL-2.0-only
/* Virtqueues: what both formats of rings have in common. */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "queue.h"
#include "queue_ring.h"

/* Room of a new chain: most need no more. */
#define ROOM_FIRST 8

static const struct hv_ring_ops *ring_of(const struct hv_vqueue *queue)
{
	return queue->setup.packed ? &hv_ring_packed : &hv_ring_split;
}

/* ------------------------------------------------------------------ chains */

struct hv_vchain *hv_vchain_get(struct hv_vqueue *queue)
{
	struct hv_vchain *chain = queue->free;
	unsigned int room;

	if (chain) {
		queue->free = chain->next;
	} else {
		chain = malloc(sizeof(*chain) + ROOM_FIRST * sizeof(chain->iov[0]));
		if (!chain)
			return NULL;
		chain->room = ROOM_FIRST;
	}
	room = chain->room;
	*chain = (struct hv_vchain){ .room = room };
	return chain;
}

void hv_vchain_put(struct hv_vqueue *queue, struct hv_vchain *chain)
{
	chain->next = queue->free;
	queue->free = chain;
}

static int make_room(struct hv_vchain **chain)
{
	unsigned int used = (*chain)->nr_out + (*chain)->nr_in, room = (*chain)->room;
	struct hv_vchain *larger;

	if (used < room)
		return 0;
	if (used >= HV_VCHAIN_MAX)
		return -EINVAL;
	larger = realloc(*chain, sizeof(*larger) + 2 * room * sizeof(larger->iov[0]));
	if (!larger)
		return -ENOMEM;
	larger->room = 2 * room;
	*chain = larger;
	return 0;
}

/* Rings and buffers are in RAM: a ROM cannot be written, and nobody would keep a ring there. */
static void *find_ram(const struct hv_vqueue *queue, uint64_t gpa, uint64_t len)
{
	if (hv_memory_is_rom(queue->memory, gpa))
		return NULL;
	return hv_memory_at(queue->memory, gpa, len);
}

int hv_vchain_add(struct hv_vqueue *queue, struct hv_vchain **chain, const struct hv_vdesc *desc)
{
	struct hv_vchain *to = *chain;
	void *at;
	int error;

	/* What the device writes comes last, so that one of the two is a prefix. */
	if (!desc->write && to->nr_in)
		return -EINVAL;
	if (to->out_len + to->in_len + desc->len > UINT32_MAX)
		return -EINVAL;
	if (!desc->len)
		return 0;
	at = find_ram(queue, desc->gpa, desc->len);
	if (!at)
		return -EINVAL;
	error = make_room(chain);
	if (error)
		return error;
	to = *chain;
	to->iov[to->nr_out + to->nr_in] = (struct iovec){ .iov_base = at, .iov_len = desc->len };
	if (desc->write) {
		to->nr_in++;
		to->in_len += desc->len;
	} else {
		to->nr_out++;
		to->out_len += desc->len;
	}
	return 0;
}

int hv_vchain_add_table(struct hv_vqueue *queue, struct hv_vchain **chain,
			const struct hv_vdesc *desc, bool packed)
{
	unsigned int count = desc->len / sizeof(struct vring_desc), i = 0;
	const struct vring_desc *table = find_ram(queue, desc->gpa, desc->len);
	int error = 0;

	if (!queue->setup.indirect || !table || !count || desc->len % sizeof(*table) ||
	    count > HV_VCHAIN_MAX || desc->gpa % 8)
		return -EINVAL;
	/* However they are linked, no more than there are. */
	for (unsigned int left = count; left && !error; left--) {
		struct vring_desc entry;
		struct hv_vdesc one;

		hv_ring_copy(&entry, &table[i], sizeof(entry) / 8);
		one = (struct hv_vdesc){
			.gpa = entry.addr,
			.len = entry.len,
			/* In a packed table flags are where a split one has its link. */
			.write = (packed ? entry.next : entry.flags) & VRING_DESC_F_WRITE,
		};
		if ((packed ? entry.next : entry.flags) & VRING_DESC_F_INDIRECT)
			return -EINVAL;
		error = hv_vchain_add(queue, chain, &one);
		if (packed) {
			i++;
			continue;
		}
		if (!(entry.flags & VRING_DESC_F_NEXT))
			return error;
		i = entry.next;
		if (i >= count)
			return -EINVAL;
	}
	/* Behind the last of a packed one; a split one has come in a circle. */
	return packed ? error : -EINVAL;
}

/* -------------------------------------------------------------- up and down */

int hv_vqueue_init(struct hv_vqueue *queue, const struct hv_memory *memory, uint16_t max_size)
{
	*queue = (struct hv_vqueue){ .memory = memory, .max_size = max_size };
	atomic_init(&queue->call_fd, -1);
	queue->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return queue->kick_fd < 0 ? -EMFILE : 0;
}

void hv_vqueue_exit(struct hv_vqueue *queue)
{
	hv_vqueue_down(queue);
	close(queue->kick_fd);
	queue->kick_fd = -1;
}

int hv_vqueue_up(struct hv_vqueue *queue, const struct hv_vqueue_setup *setup)
{
	const struct hv_ring_ops *ring = setup->packed ? &hv_ring_packed : &hv_ring_split;
	uint16_t size = setup->size;

	if (!size || size > queue->max_size || !ring->size_ok(size) || setup->desc % 16 ||
	    setup->driver % ring->driver_align || setup->device % ring->device_align)
		return -EINVAL;
	queue->desc = find_ram(queue, setup->desc, ring->desc_len(size));
	queue->driver = find_ram(queue, setup->driver, ring->driver_len(size));
	queue->device = find_ram(queue, setup->device, ring->device_len(size));
	if (!queue->desc || !queue->driver || !queue->device)
		return -EINVAL;
	queue->setup = *setup;
	queue->avail = queue->used = queue->told = 0;
	queue->avail_wrap = queue->used_wrap = queue->told_wrap = true;
	queue->told_valid = true;
	queue->broken = false;
	queue->in_flight = queue->untold = 0;
	queue->up = true;
	return 0;
}

void hv_vqueue_down(struct hv_vqueue *queue)
{
	struct hv_vchain *chain;

	queue->up = queue->broken = false;
	while ((chain = queue->free)) {
		queue->free = chain->next;
		free(chain);
	}
}

int hv_vqueue_break(struct hv_vqueue *queue)
{
	queue->broken = true;
	return -EINVAL;
}

/* --------------------------------------------------------------- pop, push */

int hv_vqueue_pop(struct hv_vqueue *queue, struct hv_vchain **chain)
{
	int result;

	*chain = NULL;
	if (!queue->up)
		return 0;
	if (queue->broken)
		return -EINVAL;
	result = ring_of(queue)->pop(queue, chain);
	if (result > 0)
		queue->in_flight++;
	else if (result == -EINVAL)
		return hv_vqueue_break(queue);
	return result;
}

void hv_vqueue_unpop(struct hv_vqueue *queue, struct hv_vchain *chain)
{
	ring_of(queue)->unpop(queue, chain);
	queue->in_flight--;
	hv_vchain_put(queue, chain);
}

/* All of the area that the device writes to, for it writes anywhere there. */
static void mark_ring_dirty(const struct hv_vqueue *queue)
{
	const struct hv_vqueue_setup *setup = &queue->setup;
	const struct hv_ring_ops *ring = ring_of(queue);

	hv_memory_mark_dirty(queue->memory, setup->device, ring->device_len(setup->size));
	if (setup->packed)
		hv_memory_mark_dirty(queue->memory, setup->desc, ring->desc_len(setup->size));
}

static void mark_dirty(const struct hv_vqueue *queue, const struct hv_vchain *chain, uint64_t len)
{
	const struct iovec *iov = hv_vchain_in(chain);

	if (!queue->memory->dirtied)
		return;
	mark_ring_dirty(queue);
	for (unsigned int i = 0; i < chain->nr_in && len; i++) {
		uint64_t part = iov[i].iov_len < len ? iov[i].iov_len : len;

		hv_memory_mark_dirty_at(queue->memory, iov[i].iov_base, part);
		len -= part;
	}
}

void hv_vqueue_push_all(struct hv_vqueue *queue, struct hv_vchain *const *chains,
			const uint32_t *written, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		mark_dirty(queue, chains[i], written[i]);
	ring_of(queue)->push(queue, chains, written, count);
	queue->in_flight -= count;
	for (unsigned int i = 0; i < count; i++)
		hv_vchain_put(queue, chains[i]);
}

void hv_vqueue_push(struct hv_vqueue *queue, struct hv_vchain *chain, uint32_t written)
{
	hv_vqueue_push_all(queue, &chain, &written, 1);
}

void hv_vqueue_tell(struct hv_vqueue *queue)
{
	int fd = atomic_load(&queue->call_fd);

	if (!queue->up)
		return;
	hv_ring_barrier();
	if (ring_of(queue)->wants_call(queue) && fd >= 0)
		hv_signal_event(fd);
}

void hv_vqueue_hush(struct hv_vqueue *queue)
{
	if (!queue->up || queue->broken)
		return;
	ring_of(queue)->want_kick(queue, false);
	mark_ring_dirty(queue);
}

bool hv_vqueue_listen(struct hv_vqueue *queue)
{
	if (!queue->up || queue->broken)
		return false;
	ring_of(queue)->want_kick(queue, true);
	mark_ring_dirty(queue);
	hv_ring_barrier();
	return ring_of(queue)->has_next(queue);
}

struct hv_vqueue_position hv_vqueue_position(const struct hv_vqueue *queue)
{
	return (struct hv_vqueue_position){
		.avail = queue->avail,
		.used = queue->used,
		.avail_wrap = queue->avail_wrap,
		.used_wrap = queue->used_wrap,
	};
}

int hv_vqueue_set_position(struct hv_vqueue *queue, const struct hv_vqueue_position *position)
{
	if (!queue->up || position->pad || position->avail_wrap > 1 || position->used_wrap > 1 ||
	    !ring_of(queue)->place_ok(queue, position))
		return -EINVAL;
	queue->avail = position->avail;
	queue->used = position->used;
	queue->avail_wrap = position->avail_wrap;
	queue->used_wrap = position->used_wrap;
	queue->told_valid = false;
	return 0;
}

/* ----------------------------------------------------------------- buffers */

size_t hv_vchain_read(const struct hv_vchain *chain, uint64_t offset, void *buf, size_t len)
{
	return hv_iov_copy(hv_vchain_out(chain), chain->nr_out, offset, buf, len, false);
}

size_t hv_vchain_write(const struct hv_vchain *chain, uint64_t offset, const void *buf, size_t len)
{
	return hv_iov_copy(hv_vchain_in(chain), chain->nr_in, offset, (void *)(uintptr_t)buf, len,
			   true);
}
