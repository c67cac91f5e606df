// SPDX-License-Identifier: GPL-2.0-only
/* What the devices are there for: is it still done, and rightly? */
#include "virtio.h"

/* Pages of the arena that honest I/O has for itself. */
#define HEADER_PAGE	100
#define DATA_PAGE	101
#define RECEIVE_PAGE	104
#define HONEST_SECTOR	8

/* -------------------------------------------------------------------- disk */

u8 blk_request(struct device *dev, u32 type, u64 sector, u64 data, u32 len)
{
	struct blk_header *header = at(BUFFER(dev, HEADER_PAGE));
	volatile u8 *status = at(BUFFER(dev, HEADER_PAGE) + 64);
	const struct piece pieces[] = {
		{ (ulong)header, sizeof(*header), 0 },
		{ data, len, type == BLK_READ || type == BLK_GET_ID ? WRITE : 0 },
		{ (ulong)status, 1, WRITE },
	};
	u32 used;

	*header = (struct blk_header){ type, 0, sector };
	*status = BLK_SILENCE;
	queue_add(&dev->queue[0], pieces, ARRAY_SIZE(pieces));
	queue_kick(&dev->queue[0]);
	return queue_wait(&dev->queue[0], &used) ? *status : BLK_SILENCE;
}

static bool blk_is_honest(struct device *dev)
{
	u64 out = BUFFER(dev, DATA_PAGE), in = BUFFER(dev, DATA_PAGE + 1);

	memset(at(out), ++dev->rounds, SECTOR);
	memset(at(in), 0, SECTOR);
	return blk_request(dev, BLK_WRITE, HONEST_SECTOR, out, SECTOR) == BLK_OK &&
	       blk_request(dev, BLK_READ, HONEST_SECTOR, in, SECTOR) == BLK_OK &&
	       !memcmp(at(in), at(out), SECTOR);
}

/* ----------------------------------------------------------------- network */

#define ETHERTYPE_ARP	0x0806
#define FRAME_MIN	60

void net_offer(struct device *dev, u64 address, u32 len)
{
	const struct piece piece = { address, len, WRITE };

	queue_add(&dev->queue[NET_RX], &piece, 1);
	queue_kick(&dev->queue[NET_RX]);
}

void net_send(struct device *dev, u64 address, u32 len)
{
	const struct piece piece = { address, len, 0 };
	u32 used;

	queue_add(&dev->queue[NET_TX], &piece, 1);
	queue_kick(&dev->queue[NET_TX]);
	queue_wait(&dev->queue[NET_TX], &used);
}

static u8 *put(u8 *to, const void *what, u32 len)
{
	memcpy(to, what, len);
	return to + len;
}

u32 net_ask(struct device *dev, u64 address)
{
	static const u8 all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, nobody[6];
	static const u8 question[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };
	static const u8 me[] = { 10, 0, 2, 15 }, router[] = { 10, 0, 2, 2 };
	u8 mac[6], *to = at(address);
	u32 i;

	for (i = 0; i < sizeof(mac); i++)
		mac[i] = inb(dev->config + i);
	memset(to, 0, NET_HEADER + FRAME_MIN);
	to = put(put(to + NET_HEADER, all, 6), mac, 6);
	to = put(put(put(to, question, sizeof(question)), mac, 6), me, 4);
	put(put(to, nobody, 6), router, 4);
	return NET_HEADER + FRAME_MIN;
}

/* An answer to the question, or something else that came first. */
static bool is_answer(const u8 *frame)
{
	return frame[12] == ETHERTYPE_ARP >> 8 && frame[13] == (ETHERTYPE_ARP & 0xff) &&
	       frame[21] == 2 && frame[28] == 10 && frame[31] == 2;
}

static bool net_is_honest(struct device *dev)
{
	u64 question = BUFFER(dev, DATA_PAGE), answer = BUFFER(dev, RECEIVE_PAGE);
	int tries;
	u32 used;

	for (tries = 0; tries < 8; tries++) {
		net_offer(dev, answer, 0x1000);
		if (!tries)
			net_send(dev, question, net_ask(dev, question));
		if (!queue_wait(&dev->queue[NET_RX], &used))
			return false;
		if (is_answer((u8 *)at(answer) + NET_HEADER))
			return true;
	}
	return false;
}

/* ------------------------------------------------------- numbers, a balloon */

static bool rng_is_honest(struct device *dev)
{
	const struct piece piece = { BUFFER(dev, DATA_PAGE), 64, WRITE };
	u8 *bytes = at(piece.address);
	u32 used = 0, i;
	u8 any = 0;

	memset(bytes, 0, piece.len);
	queue_add(&dev->queue[0], &piece, 1);
	queue_kick(&dev->queue[0]);
	if (!queue_wait(&dev->queue[0], &used) || !used || used > piece.len)
		return false;
	for (i = 0; i < used; i++)
		any |= bytes[i];
	return any;
}

/* A page that is given away reads zero. */
static bool balloon_is_honest(struct device *dev)
{
	const struct piece piece = { BUFFER(dev, DATA_PAGE), 4, 0 };
	volatile u32 *page = at(BUFFER(dev, RECEIVE_PAGE));
	u32 used;

	*page = 0x12345678;
	*(u32 *)at(piece.address) = (ulong)page >> 12;
	queue_add(&dev->queue[0], &piece, 1);
	queue_kick(&dev->queue[0]);
	return queue_wait(&dev->queue[0], &used) && !*page;
}

bool honest(struct device *dev)
{
	switch (dev->kind) {
	case BLK:
		return blk_is_honest(dev);
	case NET:
		return net_is_honest(dev);
	case RNG:
		return rng_is_honest(dev);
	default:
		return balloon_is_honest(dev);
	}
}
