// SPDX-License-Identifier: GPL-2.0-only
/* Attacks by what stands in rings: descriptors, chains, tables, indexes. */
#include "virtio.h"

static volatile struct desc *desc_of(struct queue *queue)
{
	return at(queue->desc);
}

static volatile u16 *avail_of(struct queue *queue)
{
	return at(queue->driver);
}

/* A chain that begins as a request to read does. */
static void offer(struct device *dev, const struct piece *second, u32 count)
{
	struct blk_header *header = at(BUFFER(dev, 0));
	struct piece pieces[8] = { { (ulong)header, sizeof(*header), 0 } };

	*header = (struct blk_header){ BLK_READ, 0, 0 };
	memcpy(pieces + 1, second, count * sizeof(*second));
	queue_add(&dev->queue[0], pieces, count + 1);
	queue_kick(&dev->queue[0]);
}

/* Into @len bytes at @address the device is to write. */
static void offer_place(struct device *dev, u64 address, u32 len)
{
	const struct piece pieces[] = {
		{ address, len, WRITE },
		{ BUFFER(dev, 2), 1, WRITE },
	};

	offer(dev, pieces, ARRAY_SIZE(pieces));
}

/* ------------------------------------------------------------ descriptors */

static void to_nobody(struct device *dev)
{
	offer_place(dev, NOBODY, SECTOR);
}

static void to_apic(struct device *dev)
{
	offer_place(dev, APIC_PAGE + APIC_ICR, 16);
}

static void to_ioapic(struct device *dev)
{
	offer_place(dev, IOAPIC_PAGE, SECTOR);
}

static void to_msix(struct device *dev)
{
	offer_place(dev, dev->table, SECTOR);
}

static void to_rom(struct device *dev)
{
	offer_place(dev, ROM, SECTOR);
}

static void over_the_end(struct device *dev)
{
	offer_place(dev, RAM_END - 256, SECTOR);
}

static void around_the_end(struct device *dev)
{
	offer_place(dev, -256ULL, SECTOR);
}

static void all_of_32_bits(struct device *dev)
{
	offer_place(dev, BUFFER(dev, 1), 0xffffffff);
}

static void to_itself(struct device *dev)
{
	/* 2^64 - 1 and 2^32 - 1: as far around as there is. */
	offer_place(dev, ~0ULL, 0xffffffff);
}

/* Each is all of RAM: together they are more than 4 GiB. */
static void more_than_4_gib(struct device *dev)
{
	struct piece *table = at(BUFFER(dev, 4));
	struct blk_header *header = at(BUFFER(dev, 0));
	u32 count = 100, i;

	*header = (struct blk_header){ BLK_READ, 0, 0 };
	table[0] = (struct piece){ (ulong)header, sizeof(*header), 0 };
	for (i = 1; i < count; i++)
		table[i] = (struct piece){ MIB, RAM_END - MIB, WRITE };
	queue_add(&dev->queue[0], table, count);
	queue_kick(&dev->queue[0]);
}

static void read_behind_written(struct device *dev)
{
	const struct piece pieces[] = {
		{ BUFFER(dev, 1), SECTOR, WRITE },
		{ BUFFER(dev, 2), SECTOR, 0 },
		{ BUFFER(dev, 3), 1, WRITE },
	};

	offer(dev, pieces, ARRAY_SIZE(pieces));
}

static void empty_buffers(struct device *dev)
{
	const struct piece pieces[] = {
		{ ~0ULL, 0, WRITE },
		{ NOBODY, 0, WRITE },
		{ BUFFER(dev, 1), SECTOR, WRITE },
		{ BUFFER(dev, 2), 1, WRITE },
	};
	u32 used;

	offer(dev, pieces, ARRAY_SIZE(pieces));
	expect(queue_wait(&dev->queue[0], &used), true);
}

static void nothing_at_all(struct device *dev)
{
	const struct piece nothing = { 0, 0, 0 };

	queue_add(&dev->queue[0], &nothing, 1);
	queue_kick(&dev->queue[0]);
}

static void unknown_flags(struct device *dev)
{
	const struct piece pieces[] = {
		{ BUFFER(dev, 1), SECTOR, WRITE | (dev->packed ? 0x7f78 : 0xfff8) },
		{ BUFFER(dev, 2), 1, WRITE | (dev->packed ? 0x7f78 : 0xfff8) },
	};

	offer(dev, pieces, ARRAY_SIZE(pieces));
}

/* ---------------------------------------------------------- indirect tables */

/* Entry @i of a table; in a packed one flags have the link's place. */
static void set_entry(struct device *dev, u64 table, u32 i, struct piece piece)
{
	struct desc *entry = (struct desc *)at(table) + i;

	*entry = (struct desc){ piece.address, piece.len, piece.flags, i + 1 };
	if (dev->packed)
		entry->next = piece.flags;
}

/* A read, in a table of three. */
static void make_table(struct device *dev, u64 table)
{
	struct blk_header *header = at(BUFFER(dev, 0));

	*header = (struct blk_header){ BLK_READ, 0, 0 };
	set_entry(dev, table, 0, (struct piece){ (ulong)header, sizeof(*header), NEXT });
	set_entry(dev, table, 1, (struct piece){ BUFFER(dev, 1), SECTOR, WRITE | NEXT });
	set_entry(dev, table, 2, (struct piece){ BUFFER(dev, 2), 1, WRITE });
}

static void offer_table(struct device *dev, u64 table, u32 len, u16 flags)
{
	const struct piece piece = { table, len, INDIRECT | flags };

	queue_add(&dev->queue[0], &piece, 1);
	queue_kick(&dev->queue[0]);
}

#define TABLE(dev)	BUFFER(dev, 5)

static void good_table(struct device *dev)
{
	u32 used;

	make_table(dev, TABLE(dev));
	offer_table(dev, TABLE(dev), 48, 0);
	expect(queue_wait(&dev->queue[0], &used), true);
	expect(*(u8 *)at(BUFFER(dev, 2)), BLK_OK);
	/* WRITE has no meaning there. */
	offer_table(dev, TABLE(dev), 48, WRITE);
	expect(queue_wait(&dev->queue[0], &used), true);
}

static void table_in_table(struct device *dev)
{
	make_table(dev, TABLE(dev));
	set_entry(dev, TABLE(dev), 1, (struct piece){ TABLE(dev), 48, INDIRECT });
	offer_table(dev, TABLE(dev), 48, 0);
}

static void table_of_odd_length(struct device *dev)
{
	make_table(dev, TABLE(dev));
	offer_table(dev, TABLE(dev), 47, 0);
}

static void empty_table(struct device *dev)
{
	offer_table(dev, TABLE(dev), 0, 0);
}

static void table_of_4_gib(struct device *dev)
{
	make_table(dev, TABLE(dev));
	offer_table(dev, TABLE(dev), 0xfffffff0, 0);
}

static void table_of_all_ram(struct device *dev)
{
	offer_table(dev, MIB, RAM_END - MIB, 0);
}

static void table_not_aligned(struct device *dev)
{
	make_table(dev, TABLE(dev) + 3);
	offer_table(dev, TABLE(dev) + 3, 48, 0);
}

static void table_outside_of_ram(struct device *dev)
{
	offer_table(dev, NOBODY, 48, 0);
}

static void table_in_rom(struct device *dev)
{
	offer_table(dev, ROM, 48, 0);
}

static void table_around_the_end(struct device *dev)
{
	offer_table(dev, -16ULL, 48, 0);
}

static void table_with_more_behind(struct device *dev)
{
	const struct piece pieces[] = {
		{ TABLE(dev), 48, INDIRECT },
		{ BUFFER(dev, 1), SECTOR, WRITE },
	};

	make_table(dev, TABLE(dev));
	queue_add(&dev->queue[0], pieces, ARRAY_SIZE(pieces));
	queue_kick(&dev->queue[0]);
}

static void table_in_a_circle(struct device *dev)
{
	make_table(dev, TABLE(dev));
	set_entry(dev, TABLE(dev), 2, (struct piece){ BUFFER(dev, 2), 1, WRITE | NEXT });
	((struct desc *)at(TABLE(dev)))[2].next = 1;
	offer_table(dev, TABLE(dev), 48, 0);
}

static void table_out_of_itself(struct device *dev)
{
	make_table(dev, TABLE(dev));
	((struct desc *)at(TABLE(dev)))[1].next = 0xffff;
	offer_table(dev, TABLE(dev), 48, 0);
}

/* ------------------------------------------------------------- split rings */

static void links_to_itself(struct device *dev)
{
	volatile struct desc *desc = desc_of(&dev->queue[0]);

	offer_place(dev, BUFFER(dev, 1), SECTOR);
	desc[dev->queue[0].next] = (struct desc){ BUFFER(dev, 0), 16, NEXT, dev->queue[0].next };
	avail_of(&dev->queue[0])[2 + dev->queue[0].avail % MAX_SIZE] = dev->queue[0].next;
	avail_of(&dev->queue[0])[1]++;
	queue_kick(&dev->queue[0]);
}

static void circle_of_all(struct device *dev)
{
	struct queue *queue = &dev->queue[0];
	u16 i;

	for (i = 0; i < queue->size; i++)
		desc_of(queue)[i] =
			(struct desc){ BUFFER(dev, 0), 0, NEXT, (i + 1) % queue->size };
	avail_of(queue)[1]++;
	queue_kick(queue);
}

static void link_out_of_table(struct device *dev)
{
	struct queue *queue = &dev->queue[0];
	u16 first = queue->next;

	desc_of(queue)[first] = (struct desc){ BUFFER(dev, 0), 16, NEXT, queue->size };
	avail_of(queue)[2 + queue->avail % queue->size] = first;
	avail_of(queue)[1]++;
	queue_kick(queue);
}

static void head_out_of_table(struct device *dev)
{
	struct queue *queue = &dev->queue[0];

	avail_of(queue)[2 + queue->avail % queue->size] = 0xffff;
	avail_of(queue)[1]++;
	queue_kick(queue);
}

/* A network looks into its first queue only when a frame comes. */
static void jump(struct device *dev, u16 by)
{
	struct queue *queue = &dev->queue[dev->kind == NET ? NET_TX : 0];

	avail_of(queue)[1] += by;
	queue_kick(queue);
}

static void jump_over_all(struct device *dev)
{
	jump(dev, dev->queue[0].size + 1);
}

static void jump_half_around(struct device *dev)
{
	jump(dev, 0x8000);
}

static void jump_back(struct device *dev)
{
	jump(dev, 0xffff);
}

/* The same chain as often as there is room. */
static void same_chain(struct device *dev)
{
	struct queue *queue = &dev->queue[0];
	u16 first = queue->next, i;
	u32 used;

	offer_place(dev, BUFFER(dev, 1), SECTOR);
	for (i = 1; i < queue->size; i++)
		avail_of(queue)[2 + (queue->avail + i - 1) % queue->size] = first;
	queue->avail += queue->size - 1;
	avail_of(queue)[1] = queue->avail;
	queue_kick(queue);
	for (i = 0; i < queue->size; i++)
		expect(queue_wait(queue, &used), true);
}

/* ------------------------------------------------------------ packed rings */

static void endless_chain(struct device *dev)
{
	struct queue *queue = &dev->queue[0];
	u16 i;

	for (i = 0; i < queue->size; i++)
		desc_of(queue)[i] = (struct desc){ BUFFER(dev, 0), 1, 7, NEXT | 0x80 };
	queue_kick(queue);
}

/* It comes back as it went. */
static void odd_id(struct device *dev)
{
	struct queue *queue = &dev->queue[0];
	volatile struct desc *desc = desc_of(queue) + queue->next;
	const struct piece nothing = { BUFFER(dev, 0), 1, 0 };

	queue_add(queue, &nothing, 1);
	desc->flags = 0xffff;
	queue_kick(queue);
}

/* All bits that say whose a descriptor is, in all ways, at every place. */
static void odd_bits(struct device *dev)
{
	struct queue *queue = &dev->queue[0];
	u32 i;

	for (i = 0; i < 8 * queue->size; i++) {
		desc_of(queue)[i % queue->size].next = i * 0x1081;
		queue_kick(queue);
	}
}

static void odd_events(struct device *dev)
{
	u32 i, used;

	for (i = 0; i < 64; i++) {
		*(volatile u32 *)at(dev->queue[0].driver) = i * 0x9e3779b9;
		expect(honest(dev), true);
	}
	queue_take(&dev->queue[0], &used);
}

/* Behind the back of whoever looks: descriptors change while they are read. */
static void changing_descriptors(struct device *dev)
{
	struct queue *queue = &dev->queue[0];
	volatile struct desc *desc = desc_of(queue);
	u32 i;

	for (i = 0; i < 3000; i++) {
		desc[i % queue->size].address = i & 1 ? BUFFER(dev, 1) : NOBODY;
		desc[i % queue->size].len = i & 2 ? 0xffffffff : 1;
		desc[i % queue->size].flags = i;
		desc[i % queue->size].next = i * 7;
		avail_of(queue)[2 + i % queue->size] = i;
		if (i % 16 == 0)
			avail_of(queue)[1]++;
		if (i % 16 == 0)
			queue_kick(queue);
	}
}

#define ROWS(name, outcome, run)		\
	{ name, BLK, BOTH, outcome, run }

const struct attack attacks_rings[] = {
	ROWS("a buffer that is nowhere", BROKEN, to_nobody),
	ROWS("a buffer in the local APIC", BROKEN, to_apic),
	ROWS("a buffer in the I/O APIC", BROKEN, to_ioapic),
	ROWS("a buffer in the device's own MSI-X table", BROKEN, to_msix),
	ROWS("a buffer in ROM", BROKEN, to_rom),
	ROWS("a buffer over the end of RAM", BROKEN, over_the_end),
	ROWS("a buffer around 2^64", BROKEN, around_the_end),
	ROWS("a buffer of 2^32 - 1 bytes", BROKEN, all_of_32_bits),
	ROWS("a buffer from the last byte around", BROKEN, to_itself),
	ROWS("buffers of more than 4 GiB together", BROKEN, more_than_4_gib),
	ROWS("a buffer to read behind one to write", BROKEN, read_behind_written),
	ROWS("empty buffers anywhere", GOOD, empty_buffers),
	ROWS("a chain of nothing", BROKEN, nothing_at_all),
	ROWS("unknown flags", ANY, unknown_flags),
	ROWS("an indirect table, as it should be", GOOD, good_table),
	ROWS("an indirect table in another", BROKEN, table_in_table),
	ROWS("an indirect table of 47 bytes", BROKEN, table_of_odd_length),
	ROWS("an indirect table of no bytes", BROKEN, empty_table),
	ROWS("an indirect table of 2^32 - 16 bytes", BROKEN, table_of_4_gib),
	ROWS("an indirect table of all RAM", BROKEN, table_of_all_ram),
	ROWS("an indirect table that is not aligned", BROKEN, table_not_aligned),
	ROWS("an indirect table that is nowhere", BROKEN, table_outside_of_ram),
	ROWS("an indirect table in ROM", BROKEN, table_in_rom),
	ROWS("an indirect table around 2^64", BROKEN, table_around_the_end),
	ROWS("an indirect table and more behind", BROKEN, table_with_more_behind),
	{ "an indirect table in a circle", BLK, SPLIT, BROKEN, table_in_a_circle },
	{ "an indirect table that leads out", BLK, SPLIT, BROKEN, table_out_of_itself },
	{ "a descriptor that links to itself", BLK, SPLIT, BROKEN, links_to_itself },
	{ "all descriptors in a circle", BLK, SPLIT, BROKEN, circle_of_all },
	{ "a link out of the table", BLK, SPLIT, BROKEN, link_out_of_table },
	{ "a head out of the table", BLK, SPLIT, BROKEN, head_out_of_table },
	{ "an index ahead of all entries", BLK, SPLIT, BROKEN, jump_over_all },
	{ "an index half around", NET, SPLIT, BROKEN, jump_half_around },
	{ "an index that goes back", BLK, SPLIT, BROKEN, jump_back },
	{ "one chain in all entries", BLK, SPLIT, GOOD, same_chain },
	{ "a chain without an end", BLK, PACKED, BROKEN, endless_chain },
	{ "an id beyond the ring", BLK, PACKED, ANY, odd_id },
	{ "all bits at every place", BLK, PACKED, ANY, odd_bits },
	{ "event area of garbage", BLK, PACKED | EVENTS, GOOD, odd_events },
	ROWS("rings that change all the time", ANY, changing_descriptors),
	{ }
};
