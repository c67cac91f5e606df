// SPDX-License-Identifier: GPL-2.0-only
/* Attacks through registers: the order of initialization, widths, what is not there. */
#include "virtio.h"

#define REGISTERS_BYTES	0x100
#define NOTIFY		0x80
#define ALL_BITS	0xffffffffU

static void choose(const struct device *dev, u64 features)
{
	outl(dev->registers + DRIVER_SELECT, 0);
	outl(dev->registers + DRIVER_FEATURES, features);
	outl(dev->registers + DRIVER_SELECT, 1);
	outl(dev->registers + DRIVER_FEATURES, features >> 32);
}

static u64 chosen(const struct device *dev)
{
	u64 features;

	outl(dev->registers + DRIVER_SELECT, 0);
	features = inl(dev->registers + DRIVER_FEATURES);
	outl(dev->registers + DRIVER_SELECT, 1);
	return features | (u64)inl(dev->registers + DRIVER_FEATURES) << 32;
}

/* Are these taken by a device that was just reset? */
static bool are_taken(struct device *dev, u64 features)
{
	expect(device_reset(dev), true);
	outb(dev->registers + STATUS, STATUS_ACK | STATUS_DRIVER);
	choose(dev, features);
	outb(dev->registers + STATUS, STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES);
	return status_of(dev) & STATUS_FEATURES;
}

static void all_features(struct device *dev)
{
	expect(are_taken(dev, ~0ULL), false);
}

static void one_feature_too_many(struct device *dev)
{
	u64 good = dev->chosen;
	u32 bit;

	for (bit = 0; bit < 64; bit++)
		if (are_taken(dev, good | 1ULL << bit))
			expect(bit == 29 || bit == 34 || good >> bit & 1, true);
	expect(are_taken(dev, good | F_PLATFORM), false);
}

static void no_version(struct device *dev)
{
	expect(are_taken(dev, dev->chosen & ~F_VERSION_1), false);
	expect(are_taken(dev, 0), false);
}

static void features_too_late(struct device *dev)
{
	u64 before = chosen(dev);

	choose(dev, 0);
	choose(dev, ~0ULL);
	expect(chosen(dev), before);
}

static void no_such_half(struct device *dev)
{
	u32 select;

	for (select = 2; select; select *= 2) {
		outl(dev->registers + DEVICE_SELECT, select);
		outl(dev->registers + DRIVER_SELECT, select);
		expect(inl(dev->registers + DEVICE_FEATURES), 0);
		outl(dev->registers + DRIVER_FEATURES, ALL_BITS);
		expect(inl(dev->registers + DRIVER_FEATURES), 0);
	}
}

static void ready_without_features(struct device *dev)
{
	expect(device_reset(dev), true);
	outb(dev->registers + STATUS, STATUS_ACK | STATUS_DRIVER | STATUS_OK);
	expect(status_of(dev) & STATUS_OK, 0);
	queue_kick(&dev->queue[0]);
}

static void every_status(struct device *dev)
{
	u32 status;

	for (status = 0; status < 0x400; status++)
		outb(dev->registers + STATUS, status * 37);
	outb(dev->registers + STATUS, 0xff);
}

static void status_taken_back(struct device *dev)
{
	u8 before = status_of(dev);

	outb(dev->registers + STATUS, STATUS_ACK);
	outb(dev->registers + STATUS, STATUS_FAILED);
	expect(status_of(dev) & before, before);
}

static void asks_for_a_reset(struct device *dev)
{
	outb(dev->registers + STATUS, 0xff);
	expect(status_of(dev) & STATUS_BROKEN, 0);
}

static void many_resets(struct device *dev)
{
	u32 i;

	for (i = 0; i < 300; i++) {
		outb(dev->registers + STATUS, 0);
		outb(dev->registers + STATUS, STATUS_ACK | STATUS_DRIVER | STATUS_OK);
	}
}

static void starts_and_resets(struct device *dev)
{
	u32 i;

	for (i = 0; i < 30; i++) {
		expect(device_start(dev), true);
		queue_kick(&dev->queue[0]);
	}
}

static void no_such_queue(struct device *dev)
{
	u32 n;

	for (n = dev->queues; n < 0x10000; n = n * 2 + 1) {
		outw(dev->registers + QUEUE_SELECT, n);
		expect(inw(dev->registers + QUEUE_SIZE), 0);
		outw(dev->registers + QUEUE_SIZE, 256);
		outl(dev->registers + QUEUE_DESC, dev->arena);
		outw(dev->registers + QUEUE_VECTOR, 0);
		outw(dev->registers + QUEUE_ENABLE, 1);
		outw(dev->registers + QUEUE_RESET, 1);
		expect(inw(dev->registers + QUEUE_ENABLE), 0);
	}
}

/* All that is not a register as it should be written. A status of 0 would be a reset. */
static void odd_widths(struct device *dev)
{
	u32 offset, width;

	for (offset = 0; offset < NOTIFY; offset++)
		for (width = 1; width <= 4 && offset + width <= NOTIFY; width *= 2) {
			inb(dev->registers + offset);
			inw(dev->registers + offset);
			inl(dev->registers + offset);
			if (offset % width || (width == 4 && offset >= 0x10 && offset < 0x20))
				port_write(dev->registers + offset, width, 0);
		}
}

static void garbage_everywhere(struct device *dev)
{
	u32 offset, width;

	for (offset = 0; offset < REGISTERS_BYTES; offset++)
		for (width = 1; width <= 4; width *= 2)
			port_write(dev->registers + offset, width, 0xa5a5a5a5);
	for (offset = 0; offset < 0x40; offset++)
		for (width = 1; dev->config && width <= 4; width *= 2)
			port_write(dev->config + offset, width, 0x5a5a5a5a);
}

/* Only the write cache can be written to; and what is read there always is the same. */
static void configuration(struct device *dev)
{
	u8 generation = inb(dev->registers + GENERATION);
	u32 capacity = inl(dev->config), i;

	for (i = 0; i < 300; i++) {
		outl(dev->config + i % 60, i * 0x01010101);
		outb(dev->config + 32, i);
		expect(inl(dev->config), capacity);
	}
	expect(inb(dev->registers + GENERATION), generation);
	expect(inl(dev->config + 0x3c), 0);
}

static void kicks_of_nothing(struct device *dev)
{
	u32 offset;

	expect(device_reset(dev), true);
	for (offset = 0; offset < REGISTERS_BYTES - NOTIFY; offset++) {
		outb(dev->notify + offset, 0);
		outw(dev->notify + offset, 0xffff);
		outl(dev->notify + offset, 0xffffffff);
	}
}

/* The same by a driver that is there: kicks of queues that are not. */
static void kicks_of_others(struct device *dev)
{
	u32 offset;

	for (offset = 0; offset < REGISTERS_BYTES - NOTIFY; offset++) {
		outb(dev->notify + offset, 1);
		outw(dev->notify + offset, offset);
		outl(dev->notify + offset, offset);
	}
}

const struct attack attacks_registers[] = {
	{ "all features", BLK, SPLIT, ANY, all_features },
	{ "each feature that is not offered", BLK, SPLIT, ANY, one_feature_too_many },
	{ "each feature that is not offered", NET, SPLIT, ANY, one_feature_too_many },
	{ "features without VERSION_1", RNG, SPLIT, ANY, no_version },
	{ "features after FEATURES_OK", BLK, BOTH, GOOD, features_too_late },
	{ "features beyond 64", BLK, SPLIT, GOOD, no_such_half },
	{ "DRIVER_OK without FEATURES_OK", BLK, SPLIT, ANY, ready_without_features },
	{ "every status", BLK, SPLIT, ANY, every_status },
	{ "every status", NET, SPLIT, ANY, every_status },
	{ "bits of the status taken back", BLK, SPLIT, GOOD, status_taken_back },
	{ "a driver that says NEEDS_RESET", RNG, SPLIT, GOOD, asks_for_a_reset },
	{ "300 resets, half done", BLK, SPLIT, ANY, many_resets },
	{ "30 starts without an end", NET, BOTH, ANY, starts_and_resets },
	{ "30 starts without an end", BALLOON, SPLIT, ANY, starts_and_resets },
	{ "queues that there are not", BLK, SPLIT, GOOD, no_such_queue },
	{ "queues that there are not", NET, SPLIT, GOOD, no_such_queue },
	{ "registers in other widths", BLK, SPLIT, GOOD, odd_widths },
	{ "garbage in all registers", BLK, SPLIT, ANY, garbage_everywhere },
	{ "garbage in all registers", NET, PACKED, ANY, garbage_everywhere },
	{ "garbage in all registers", BALLOON, SPLIT, ANY, garbage_everywhere },
	{ "configuration space written to", BLK, SPLIT, GOOD, configuration },
	{ "kicks before the device runs", BLK, SPLIT, ANY, kicks_of_nothing },
	{ "kicks of queues that there are not", BLK, SPLIT, GOOD, kicks_of_others },
	{ "kicks of queues that there are not", NET, SPLIT, GOOD, kicks_of_others },
	{ }
};
