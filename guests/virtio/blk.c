// SPDX-License-Identifier: GPL-2.0-only
/* Attacks on a disk by requests that no driver would make. */
#include "virtio.h"

struct segment {
	u64 sector;
	u32 sectors, flags;
};

/* ---------------------------------------------------------------- requests */

static void beyond_the_end(struct device *dev)
{
	u64 data = BUFFER(dev, 1);

	expect(blk_request(dev, BLK_READ, SECTORS, data, SECTOR), BLK_IOERR);
	expect(blk_request(dev, BLK_WRITE, SECTORS - 1, data, 2 * SECTOR), BLK_IOERR);
	expect(blk_request(dev, BLK_READ, ~0ULL, data, SECTOR), BLK_IOERR);
	expect(blk_request(dev, BLK_WRITE, ~0ULL / SECTOR + 1, data, SECTOR), BLK_IOERR);
	expect(blk_request(dev, BLK_WRITE, 1ULL << 54, data, SECTOR), BLK_IOERR);
	expect(blk_request(dev, BLK_READ, 1ULL << 55, data, SECTOR), BLK_IOERR);
}

static void odd_lengths(struct device *dev)
{
	u64 data = BUFFER(dev, 1);

	expect(blk_request(dev, BLK_READ, 0, data, 511), BLK_IOERR);
	expect(blk_request(dev, BLK_WRITE, 0, data, 513), BLK_IOERR);
	expect(blk_request(dev, BLK_READ, 0, data, 1), BLK_IOERR);
	blk_request(dev, BLK_WRITE, 0, data, 0);
	blk_request(dev, BLK_READ, 0, data, 0);
	expect(blk_request(dev, BLK_FLUSH, 7, data, 0), BLK_OK);
	blk_request(dev, BLK_FLUSH, ~0ULL, data, SECTOR);
}

static void unknown_types(struct device *dev)
{
	u64 data = BUFFER(dev, 1);
	u32 type;

	for (type = 14; type; type *= 2)
		expect(blk_request(dev, type, 0, data, SECTOR), BLK_UNSUPP);
	expect(blk_request(dev, 2, 0, data, SECTOR), BLK_UNSUPP);
	expect(blk_request(dev, 0xffffffff, 0, data, SECTOR), BLK_UNSUPP);
	/* That of zones, and of secure erasure, which were not negotiated. */
	expect(blk_request(dev, 14, 0, data, SECTOR), BLK_UNSUPP);
	expect(blk_request(dev, 16, 0, data, SECTOR), BLK_UNSUPP);
}

static void names_of_all_lengths(struct device *dev)
{
	u64 data = BUFFER(dev, 1);
	u32 len;

	for (len = 1; len < 64; len++) {
		memset(at(data), 0xaa, 128);
		expect(blk_request(dev, BLK_GET_ID, 0, data, len), BLK_OK);
		expect(*(u8 *)at(data + len), 0xaa);
	}
}

/* @op of one segment that says so; its status. */
static u8 segment(struct device *dev, u32 op, struct segment segment)
{
	struct segment *at_segment = at(BUFFER(dev, 1));

	*at_segment = segment;
	return blk_request(dev, op, 0, (ulong)at_segment, sizeof(segment));
}

static void discards(struct device *dev)
{
	const u32 ops[] = { BLK_DISCARD, BLK_ZEROES };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		expect(segment(dev, ops[i], (struct segment){ 0, 0xffffffff, 0 }), BLK_IOERR);
		expect(segment(dev, ops[i], (struct segment){ ~0ULL, 1, 0 }), BLK_IOERR);
		expect(segment(dev, ops[i], (struct segment){ SECTORS, 1, 0 }), BLK_IOERR);
		expect(segment(dev, ops[i], (struct segment){ 16, SECTORS, 0 }), BLK_IOERR);
		expect(segment(dev, ops[i], (struct segment){ 1ULL << 55, 8, 0 }), BLK_IOERR);
		expect(segment(dev, ops[i], (struct segment){ 16, 8, 2 }), BLK_UNSUPP);
		expect(segment(dev, ops[i], (struct segment){ 16, 8, ~0U }), BLK_UNSUPP);
		segment(dev, ops[i], (struct segment){ 16, 0, 0 });
		expect(segment(dev, ops[i], (struct segment){ 16, 8, 0 }), BLK_OK);
	}
	expect(segment(dev, BLK_DISCARD, (struct segment){ 16, 8, 1 }), BLK_UNSUPP);
}

static void odd_segments(struct device *dev)
{
	u64 data = BUFFER(dev, 1);
	u32 len;

	memset(at(data), 0, 0x1000);
	for (len = 0; len < 64; len++)
		if (len % 16)
			expect(blk_request(dev, BLK_DISCARD, 0, data, len), BLK_IOERR);
	expect(blk_request(dev, BLK_ZEROES, 0, data, 0), BLK_IOERR);
	expect(blk_request(dev, BLK_DISCARD, 0, data, 17 * 16), BLK_IOERR);
	expect(blk_request(dev, BLK_ZEROES, 0, data, 0x1000), BLK_IOERR);
}

/* ------------------------------------------------------------ their framing */

static struct piece table[MAX_SIZE];

/* Offer @count pieces of table[], whatever the device makes of it. */
static void offer_pieces(struct device *dev, u32 count)
{
	queue_add(&dev->queue[0], table, count);
	queue_kick(&dev->queue[0]);
}

static struct blk_header *set_header(struct device *dev, u32 type)
{
	struct blk_header *header = at(BUFFER(dev, 0));

	*header = (struct blk_header){ type, 0, 16 };
	return header;
}

/* Header, data and status byte by byte, with empty ones between: that is the driver's choice. */
static void in_a_hundred_pieces(struct device *dev)
{
	ulong header = (ulong)set_header(dev, BLK_READ);
	volatile u8 *status = at(BUFFER(dev, 2));
	u32 count = 0, i, used;

	for (i = 0; i < 16; i++) {
		table[count++] = (struct piece){ NOBODY, 0, 0 };
		table[count++] = (struct piece){ header + i, 1, 0 };
	}
	for (i = 0; i < 128; i++)
		table[count++] = (struct piece){ BUFFER(dev, 1) + 4 * i, 4, WRITE };
	*status = BLK_SILENCE;
	table[count++] = (struct piece){ (ulong)status, 1, WRITE };
	offer_pieces(dev, count);
	expect(queue_wait(&dev->queue[0], &used), true);
	expect(*status, BLK_OK);
	expect(used, SECTOR + 1);
}

static void nothing_to_say_how(struct device *dev)
{
	table[0] = (struct piece){ (ulong)set_header(dev, BLK_FLUSH), 16, 0 };
	offer_pieces(dev, 1);
}

static void short_header(struct device *dev)
{
	table[0] = (struct piece){ (ulong)set_header(dev, BLK_READ), 15, 0 };
	table[1] = (struct piece){ BUFFER(dev, 1), SECTOR + 1, WRITE };
	offer_pieces(dev, 2);
}

static void header_that_is_written(struct device *dev)
{
	table[0] = (struct piece){ (ulong)set_header(dev, BLK_READ), 16, WRITE };
	table[1] = (struct piece){ BUFFER(dev, 1), SECTOR + 1, WRITE };
	offer_pieces(dev, 2);
}

static void status_in_rom(struct device *dev)
{
	table[0] = (struct piece){ (ulong)set_header(dev, BLK_FLUSH), 16, 0 };
	table[1] = (struct piece){ ROM, 1, WRITE };
	offer_pieces(dev, 2);
}

/* Read @len bytes to @place, and the status behind. */
static void read_to(struct device *dev, u64 place, u32 len)
{
	u32 used;

	table[0] = (struct piece){ (ulong)set_header(dev, BLK_READ), 16, 0 };
	table[1] = (struct piece){ place, len, WRITE };
	table[2] = (struct piece){ place, 1, WRITE };
	offer_pieces(dev, 3);
	queue_wait(&dev->queue[0], &used);
}

static void over_its_header(struct device *dev)
{
	int i;

	for (i = 0; i < 50; i++)
		read_to(dev, BUFFER(dev, 0), SECTOR);
}

static void over_descriptors(struct device *dev)
{
	read_to(dev, dev->queue[0].desc, 4096);
}

static void over_available(struct device *dev)
{
	read_to(dev, dev->queue[0].driver, SECTOR);
}

static void over_used(struct device *dev)
{
	read_to(dev, dev->queue[0].device, SECTOR);
}

/* All to the same place at once; then the device is taken away. */
static void all_to_one_place(struct device *dev)
{
	u32 used, i;

	table[0] = (struct piece){ (ulong)set_header(dev, BLK_READ), 16, 0 };
	table[1] = (struct piece){ BUFFER(dev, 1), 0x4000, WRITE };
	table[2] = (struct piece){ BUFFER(dev, 1), 1, WRITE };
	for (i = 0; i < 80; i++)
		queue_add(&dev->queue[0], table, 3);
	queue_kick(&dev->queue[0]);
	for (i = 0; i < 80; i++)
		expect(queue_wait(&dev->queue[0], &used), true);
}

/* A buffer that the device is writing from is written to. */
static void changing_header(struct device *dev)
{
	volatile struct blk_header *header = set_header(dev, BLK_READ);
	u32 i, used;

	table[0] = (struct piece){ (ulong)header, 16, 0 };
	table[1] = (struct piece){ BUFFER(dev, 1), SECTOR + 1, WRITE };
	for (i = 0; i < 300; i++) {
		queue_add(&dev->queue[0], table, 2);
		queue_kick(&dev->queue[0]);
		header->type = i;
		header->sector = ~(u64)i;
		header->type = i % 14;
		header->sector = i * 7;
		queue_wait(&dev->queue[0], &used);
	}
}

const struct attack attacks_blk[] = {
	{ "sectors beyond the end", BLK, BOTH, GOOD, beyond_the_end },
	{ "lengths that are no sectors", BLK, BOTH, GOOD, odd_lengths },
	{ "unknown requests", BLK, BOTH, GOOD, unknown_types },
	{ "names of all lengths", BLK, SPLIT, GOOD, names_of_all_lengths },
	{ "discards and zeroes, of 2^32 sectors and other flags", BLK, BOTH, GOOD, discards },
	{ "segments of odd lengths, and too many", BLK, SPLIT, GOOD, odd_segments },
	{ "a request in 161 pieces", BLK, BOTH, GOOD, in_a_hundred_pieces },
	{ "a request without a status", BLK, BOTH, BROKEN, nothing_to_say_how },
	{ "a header of 15 bytes", BLK, BOTH, BROKEN, short_header },
	{ "a header that is to be written", BLK, BOTH, BROKEN, header_that_is_written },
	{ "a status in ROM", BLK, BOTH, BROKEN, status_in_rom },
	{ "data over its own header", BLK, BOTH, GOOD, over_its_header },
	{ "data over descriptors", BLK, BOTH, ANY, over_descriptors },
	{ "data over the driver area", BLK, BOTH, ANY, over_available },
	{ "data over the device area", BLK, BOTH, ANY, over_used },
	{ "80 reads to one place", BLK, BOTH, GOOD, all_to_one_place },
	{ "headers that change", BLK, BOTH, ANY, changing_header },
	{ }
};
