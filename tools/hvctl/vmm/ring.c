// SPDX-License-Identifier: GPL-2.0-only
/* A ring of bytes that overwrites its oldest. */
#include <string.h>

#include "lib/lock.h"
#include "ring.h"

/* Nobody comes back to an empty screen. */
#define SCREENFUL 2000

void hv_ring_init(struct hv_ring *ring)
{
	hv_lock_init(&ring->lock);
}

void hv_ring_exit(struct hv_ring *ring)
{
	pthread_mutex_destroy(&ring->lock);
}

void hv_ring_set_loop(struct hv_ring *ring, struct hv_loop *loop)
{
	pthread_mutex_lock(&ring->lock);
	ring->loop = loop;
	pthread_mutex_unlock(&ring->lock);
}

void hv_ring_put(struct hv_ring *ring, const uint8_t *data, size_t len)
{
	pthread_mutex_lock(&ring->lock);
	while (len) {
		size_t at = ring->total % sizeof(ring->data), n = sizeof(ring->data) - at;

		if (n > len)
			n = len;
		memcpy(ring->data + at, data, n);
		ring->total += n;
		data += n;
		len -= n;
	}
	if (ring->awaited && ring->loop)
		hv_loop_wake(ring->loop);
	ring->awaited = false;
	pthread_mutex_unlock(&ring->lock);
}

/* The oldest byte that is there. */
static uint64_t oldest(struct hv_ring *ring)
{
	hv_lock_assert_held(&ring->lock);
	return ring->total > sizeof(ring->data) ? ring->total - sizeof(ring->data) : 0;
}

static uint8_t byte_at(const struct hv_ring *ring, uint64_t pos)
{
	return ring->data[pos % sizeof(ring->data)];
}

size_t hv_ring_get(struct hv_ring *ring, uint64_t *pos, uint8_t *buf, size_t len, uint64_t *lost)
{
	size_t n = 0;

	pthread_mutex_lock(&ring->lock);
	*lost = *pos < oldest(ring) ? oldest(ring) - *pos : 0;
	*pos += *lost;
	while (n < len && *pos < ring->total)
		buf[n++] = byte_at(ring, (*pos)++);
	pthread_mutex_unlock(&ring->lock);
	return n;
}

bool hv_ring_has(struct hv_ring *ring, uint64_t pos)
{
	bool has;

	pthread_mutex_lock(&ring->lock);
	has = pos < ring->total;
	ring->awaited |= !has;
	pthread_mutex_unlock(&ring->lock);
	return has;
}

uint64_t hv_ring_begin(struct hv_ring *ring, uint64_t seen)
{
	uint64_t pos;

	pthread_mutex_lock(&ring->lock);
	pos = ring->total > SCREENFUL ? ring->total - SCREENFUL : 0;
	/* A line is shown whole. */
	while (pos > oldest(ring) && byte_at(ring, pos - 1) != '\n')
		pos--;
	if (seen < pos)
		pos = seen > oldest(ring) ? seen : oldest(ring);
	pthread_mutex_unlock(&ring->lock);
	return pos;
}
