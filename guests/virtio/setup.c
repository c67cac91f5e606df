// SPDX-License-Identifier: GPL-2.0-only
/* Attacks by where rings are and how large: outside of RAM, over what is not theirs, moved. */
#include "virtio.h"

/* Start anew, with queue 0 as @change leaves it; it is enabled before DRIVER_OK. */
static void start_with(struct device *dev, void (*change)(struct queue *queue, u64 how), u64 how)
{
	struct queue *queue = &dev->queue[0];

	expect(device_reset(dev), true);
	expect(device_negotiate(dev), true);
	queue_init(dev, 0, queue->size);
	change(queue, how);
	queue_enable(queue);
	outb(dev->registers + STATUS, STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES | STATUS_OK);
}

static void set_desc(struct queue *queue, u64 address)
{
	queue->desc = address;
}

static void set_driver(struct queue *queue, u64 address)
{
	queue->driver = address;
}

static void set_device(struct queue *queue, u64 address)
{
	queue->device = address;
}

static void set_size(struct queue *queue, u64 size)
{
	queue->size = size;
}

/* Each area there: each time the device asks for a reset. */
static void areas_at(struct device *dev, u64 address)
{
	start_with(dev, set_desc, address);
	expect(settles(status_of(dev) & STATUS_BROKEN), true);
	start_with(dev, set_driver, address);
	expect(settles(status_of(dev) & STATUS_BROKEN), true);
	start_with(dev, set_device, address);
}

static void outside_of_ram(struct device *dev)
{
	areas_at(dev, RAM_END);
}

static void over_the_end(struct device *dev)
{
	struct queue *queue = &dev->queue[0];

	/* A page of it is there. */
	start_with(dev, set_desc, RAM_END - 16UL * (queue->size - 1));
}

static void over_apic(struct device *dev)
{
	areas_at(dev, APIC_PAGE);
}

static void over_ioapic(struct device *dev)
{
	areas_at(dev, IOAPIC_PAGE);
}

static void over_own_msix(struct device *dev)
{
	areas_at(dev, dev->table);
}

static void over_rom(struct device *dev)
{
	areas_at(dev, ROM);
}

static void around_the_end(struct device *dev)
{
	areas_at(dev, -16ULL);
	expect(settles(status_of(dev) & STATUS_BROKEN), true);
	areas_at(dev, 0x8000000000000000ULL);
}

static void beyond_32_bits(struct device *dev)
{
	areas_at(dev, dev->queue[0].desc | 1ULL << 32);
}

static void unaligned(struct device *dev)
{
	start_with(dev, set_desc, dev->arena + 8);
	expect(settles(status_of(dev) & STATUS_BROKEN), true);
	start_with(dev, set_driver, dev->arena + 0x4001);
	expect(settles(status_of(dev) & STATUS_BROKEN), true);
	start_with(dev, set_device, dev->arena + 0x5002);
}

static void no_size(struct device *dev)
{
	start_with(dev, set_size, 0);
}

static void large_size(struct device *dev)
{
	start_with(dev, set_size, 33000);
}

static void largest_size(struct device *dev)
{
	start_with(dev, set_size, 0xffff);
}

static void twice_the_size(struct device *dev)
{
	start_with(dev, set_size, 512);
}

static void odd_size(struct device *dev)
{
	start_with(dev, set_size, 7);
}

static void size_of_one(struct device *dev)
{
	start_with(dev, set_size, 1);
}

static void all_in_one_place(struct device *dev)
{
	start_with(dev, set_driver, dev->queue[0].desc);
	queue_kick(&dev->queue[0]);
}

static void used_over_descriptors(struct device *dev)
{
	struct queue *queue = &dev->queue[0];
	u64 data = BUFFER(dev, 0);

	start_with(dev, set_device, queue->desc);
	blk_request(dev, BLK_READ, 0, data, SECTOR);
}

static void one_ring_for_two(struct device *dev)
{
	start_with(dev, set_desc, dev->queue[1].desc);
	queue_kick(&dev->queue[0]);
	queue_kick(&dev->queue[1]);
}

static void enabled_again(struct device *dev)
{
	struct queue *queue = &dev->queue[0];
	int i;

	for (i = 0; i < 100; i++) {
		outw(dev->registers + QUEUE_SELECT, 0);
		outw(dev->registers + QUEUE_ENABLE, 1);
		outw(dev->registers + QUEUE_ENABLE, 0);
		outw(dev->registers + QUEUE_ENABLE, 2);
		expect(inw(dev->registers + QUEUE_ENABLE), 1);
	}
	queue_kick(queue);
}

/* Registers of an enabled queue are fixed: where it is, and how large. */
static void moved_in_use(struct device *dev)
{
	struct queue elsewhere = dev->queue[0];
	int i;

	elsewhere.desc = NOBODY;
	elsewhere.size = 16;
	for (i = 0; i < 100; i++) {
		queue_describe(&elsewhere);
		expect(inl(dev->registers + QUEUE_DESC), dev->queue[0].desc);
		expect(inw(dev->registers + QUEUE_SIZE), dev->queue[0].size);
		if (i % 10 == 0)
			expect(honest(dev), true);
	}
}

static void enabled_late(struct device *dev)
{
	struct queue *queue = &dev->queue[0];

	expect(device_reset(dev), true);
	expect(device_negotiate(dev), true);
	outb(dev->registers + STATUS, STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES | STATUS_OK);
	queue_init(dev, 0, queue->size);
	queue->desc = NOBODY;
	queue_enable(queue);
}

/* ------------------------------------------------------------- RING_RESET */

/* As "Virtqueue Reset" has it: write 1, until it reads 0. */
static bool reset_queue(struct queue *queue)
{
	u16 registers = queue->dev->registers;

	outw(registers + QUEUE_SELECT, queue->index);
	outw(registers + QUEUE_RESET, 1);
	return settles(!inw(registers + QUEUE_RESET)) && !inw(registers + QUEUE_ENABLE);
}

static void fill_with_reads(struct device *dev)
{
	struct blk_header *header = at(BUFFER(dev, 0));
	const struct piece pieces[] = {
		{ (ulong)header, sizeof(*header), 0 },
		{ BUFFER(dev, 1), 0x10000, WRITE },
		{ BUFFER(dev, 20), 1, WRITE },
	};
	int i;

	*header = (struct blk_header){ BLK_READ, 0, 0 };
	for (i = 0; i < MAX_SIZE / 3 - 4; i++)
		queue_add(&dev->queue[0], pieces, ARRAY_SIZE(pieces));
	queue_kick(&dev->queue[0]);
}

/* What was under way does not come to memory behind it. */
static void ring_reset_in_io(struct device *dev)
{
	int i;

	for (i = 0; i < 10; i++) {
		fill_with_reads(dev);
		expect(reset_queue(&dev->queue[0]), true);
		memset(at(BUFFER(dev, 1)), 0x77, 0x10000);
		nap(MOMENT);
		expect(*(volatile u64 *)at(BUFFER(dev, 1)), 0x7777777777777777ULL);
		queue_init(dev, 0, dev->queue[0].size);
		queue_enable(&dev->queue[0]);
	}
}

static void ring_reset_again(struct device *dev)
{
	u16 i;

	for (i = 0; i < 100; i++) {
		outw(dev->registers + QUEUE_SELECT, i % dev->queues);
		outw(dev->registers + QUEUE_RESET, 1);
		outw(dev->registers + QUEUE_ENABLE, 1);
		outw(dev->registers + QUEUE_RESET, 0);
		outw(dev->registers + QUEUE_RESET, 0xffff);
	}
}

static void ring_reset_to_nowhere(struct device *dev)
{
	struct queue *queue = &dev->queue[0];

	expect(reset_queue(queue), true);
	queue->desc = NOBODY;
	queue_enable(queue);
}

static void reset_in_io(struct device *dev)
{
	int i;

	for (i = 0; i < 10; i++) {
		fill_with_reads(dev);
		expect(device_reset(dev), true);
		memset(at(BUFFER(dev, 1)), 0x77, 0x10000);
		nap(MOMENT);
		expect(*(volatile u64 *)at(BUFFER(dev, 1)), 0x7777777777777777ULL);
		expect(device_start(dev), true);
	}
}

const struct attack attacks_setup[] = {
	{ "rings outside of RAM", BLK, BOTH, BROKEN, outside_of_ram },
	{ "rings outside of RAM", NET, SPLIT, BROKEN, outside_of_ram },
	{ "a ring over the end of RAM", BLK, BOTH, BROKEN, over_the_end },
	{ "rings over the local APIC", BLK, BOTH, BROKEN, over_apic },
	{ "rings over the I/O APIC", RNG, BOTH, BROKEN, over_ioapic },
	{ "rings over the device's own MSI-X table", BLK, BOTH, BROKEN, over_own_msix },
	{ "rings over ROM", BLK, BOTH, BROKEN, over_rom },
	{ "rings that wrap around 2^64", BLK, BOTH, BROKEN, around_the_end },
	{ "rings that wrap around 2^64", NET, BOTH, BROKEN, around_the_end },
	{ "rings that are in RAM but for bit 32", BLK, BOTH, BROKEN, beyond_32_bits },
	{ "rings that are not aligned", BLK, BOTH, BROKEN, unaligned },
	{ "size 0", BLK, BOTH, BROKEN, no_size },
	{ "size 33000", BLK, BOTH, BROKEN, large_size },
	{ "size 65535", NET, BOTH, BROKEN, largest_size },
	{ "twice the size that is offered", BLK, BOTH, BROKEN, twice_the_size },
	{ "size 7", BLK, SPLIT, BROKEN, odd_size },
	{ "size 7", BLK, PACKED, GOOD, odd_size },
	{ "size 1", RNG, SPLIT, GOOD, size_of_one },
	{ "driver area over descriptors", BLK, BOTH, ANY, all_in_one_place },
	{ "used ring over descriptors", BLK, BOTH, ANY, used_over_descriptors },
	{ "two queues with one ring", NET, BOTH, ANY, one_ring_for_two },
	{ "queues enabled again and disabled", BLK, BOTH, GOOD, enabled_again },
	{ "a ring moved while it is in use", BLK, BOTH, GOOD, moved_in_use },
	{ "a bad ring behind DRIVER_OK", BLK, BOTH, BROKEN, enabled_late },
	{ "RING_RESET in the middle of I/O", BLK, BOTH, GOOD, ring_reset_in_io },
	{ "RING_RESET and enabled at once", BLK, BOTH, ANY, ring_reset_again },
	{ "RING_RESET and enabled at once", NET, BOTH, ANY, ring_reset_again },
	{ "RING_RESET to a bad ring", BLK, BOTH, BROKEN, ring_reset_to_nowhere },
	{ "a reset in the middle of I/O", BLK, BOTH, ANY, reset_in_io },
	{ }
};
