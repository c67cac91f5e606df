/* SPDX-License-Identifier: GPL-2.0-only */
/* The last that was said on a console, for who comes later, or reads slowly. */
#ifndef HV_VMM_RING_H
#define HV_VMM_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/loop.h"

#define HV_RING_SIZE (128 * 1024)

/* Bytes are known by how many were said before them. */
struct hv_ring {
	pthread_mutex_t lock;		/* innermost */
	struct hv_loop *loop;		/* is woken when somebody waits for more */
	bool awaited;
	uint64_t total;
	uint8_t data[HV_RING_SIZE];
};

void hv_ring_init(struct hv_ring *ring);
void hv_ring_exit(struct hv_ring *ring);

/* NULL: nobody waits any more. */
void hv_ring_set_loop(struct hv_ring *ring, struct hv_loop *loop);

/* Any thread. */
void hv_ring_put(struct hv_ring *ring, const uint8_t *data, size_t len);

/**
 * hv_ring_get() - copy what was said
 * @ring: the ring
 * @pos: from here on; moves on, also over what is lost
 * @buf: where to
 * @len: how much at most
 * @lost: how many bytes from @pos on are there no more
 *
 * Returns how many bytes were copied.
 */
size_t hv_ring_get(struct hv_ring *ring, uint64_t *pos, uint8_t *buf, size_t len, uint64_t *lost);

/* Is there something from @pos on? If not, the loop is woken when there is. */
bool hv_ring_has(struct hv_ring *ring, uint64_t pos);

/* Where to begin for who has seen all up to @seen: there, or a screenful before the end. */
uint64_t hv_ring_begin(struct hv_ring *ring, uint64_t seen);

#endif
