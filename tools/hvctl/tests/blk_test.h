/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of virtio disks share: requests as a driver makes them. */
#ifndef HV_BLK_TEST_H
#define HV_BLK_TEST_H

#include <linux/virtio_blk.h>

#include "disk_test.h"
#include "virtio_test.h"

#define NOT_WRITTEN 0xee	/* what is in a status byte before */

/* Where a request lies in the guest's memory. */
struct blk_place {
	uint64_t header, status, data;
};

static inline struct blk_place blk_place(struct driver *driver, uint64_t data)
{
	struct blk_place place = {
		.header = driver_alloc(driver, 4096),
		.data = driver_alloc(driver, data),
	};

	place.status = place.header + 1024;
	return place;
}

static inline void blk_header(const struct driver *driver, const struct blk_place *place,
			      uint32_t type, uint64_t sector)
{
	const struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	const uint8_t status = NOT_WRITTEN;

	test_put(&driver->memory, place->header, &header, sizeof(header));
	test_put(&driver->memory, place->status, &status, sizeof(status));
}

/* As most drivers do it: header, data, status. Returns the chain's id. */
static inline uint16_t blk_add(struct driver *driver, unsigned int n, const struct blk_place *place,
			       uint32_t type, uint64_t sector, uint32_t len)
{
	const struct buffer buffers[] = {
		{ place->header, sizeof(struct virtio_blk_outhdr), false },
		{ place->data, len, type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID },
		{ place->status, 1, true },
	};
	const struct buffer without[] = { buffers[0], buffers[2] };

	blk_header(driver, place, type, sector);
	return driver_add(driver, n, len ? buffers : without, len ? 3 : 2);
}

static inline uint8_t blk_status(const struct driver *driver, const struct blk_place *place)
{
	return (uint8_t)test_get(&driver->memory, place->status, 1);
}

/* Have it done; its status. */
static inline uint8_t blk_do(struct driver *driver, const struct blk_place *place, uint32_t type,
			     uint64_t sector, uint32_t len)
{
	blk_add(driver, 0, place, type, sector, len);
	driver_kick(driver, 0);
	driver_wait(driver, 0);
	return blk_status(driver, place);
}

#endif
