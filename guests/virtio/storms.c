// SPDX-License-Identifier: GPL-2.0-only
/* Attacks by how often: kicks, events, requests and interrupts without an end. */
#include "virtio.h"

/* Where another CPU works beside; alone it would be the same for a longer time. */
#define MANY_KICKS	1000000
#define KICKS		50000

/* All queues in turn, whether there is something in them or not. */
static void kicks(struct device *dev, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		queue_kick(&dev->queue[i % dev->queues]);
}

static void million_kicks(struct device *dev)
{
	kicks(dev, nr_cpus > 1 ? MANY_KICKS : KICKS);
	expect(honest(dev), true);
}

static void kicks_of_all(struct device *dev)
{
	kicks(dev, KICKS);
}

/* A device that asks for a reset, or that does not run, has nothing to look for. */
static void kicks_of_the_broken(struct device *dev)
{
	struct queue *queue = &dev->queue[dev->kind == NET ? NET_TX : 0];
	const struct piece nobody = { NOBODY, 1, WRITE };

	queue_add(queue, &nobody, 1);
	queue_kick(queue);
	expect(settles(status_of(dev) & STATUS_BROKEN), true);
	kicks(dev, KICKS);
}

static void kicks_of_the_stopped(struct device *dev)
{
	expect(device_reset(dev), true);
	kicks(dev, KICKS);
}

/* Of a width that the kernel does not take: each comes to hvctl. */
static void slow_kicks(struct device *dev)
{
	u32 i;

	for (i = 0; i < 10000; i++)
		outl(dev->notify, 0);
}

/* With EVENT_IDX: an interrupt and a kick are asked for with each request, anywhere. */
static void events_anywhere(struct device *dev)
{
	struct queue *queue = &dev->queue[0];
	volatile u16 *event = at(queue->driver + (dev->packed ? 0 : 4 + 2 * queue->size));
	u32 i;

	for (i = 0; i < 300; i++) {
		*event = i & 1 ? i * 0x7fff : queue->seen;
		if (dev->packed)
			event[1] = i % 4;
		expect(honest(dev), true);
	}
}

static void resets_and_kicks(struct device *dev)
{
	u32 i;

	for (i = 0; i < 40; i++) {
		expect(device_start(dev), true);
		kicks(dev, 50);
		outb(dev->registers + STATUS, 0);
		kicks(dev, 50);
	}
}

/* Interrupts that nobody takes, as fast as a disk makes them. */
static void interrupts(struct device *dev)
{
	volatile u32 *entry = at(dev->table);
	u32 i;

	entry[0] = APIC_PAGE | apic_id() << 12;
	entry[2] = 0x90;
	entry[3] = 0;
	pci_write(dev, dev->msix + 2, 2, 0x8000);
	outw(dev->registers + QUEUE_SELECT, 0);
	outw(dev->registers + QUEUE_VECTOR, 0);
	for (i = 0; i < 300; i++) {
		u32 used;
		const struct piece pieces[] = {
			{ BUFFER(dev, 0), 16, 0 },
			{ BUFFER(dev, 1), 1, WRITE },
		};

		*(struct blk_header *)at(BUFFER(dev, 0)) = (struct blk_header){ 0xff, 0, 0 };
		queue_add(&dev->queue[0], pieces, 2);
		queue_kick(&dev->queue[0]);
		while (!queue_take(&dev->queue[0], &used))
			cpu_pause();
	}
}

static bool on_interrupt(struct trap_frame *frame)
{
	(void)frame;
	apic_write(APIC_EOI, 0);
	return true;
}

static void interrupts_of_a_disk(struct device *dev)
{
	trap_hook(0x90, on_interrupt);
	interrupts(dev);
}

const struct attack attacks_storms[] = {
	{ "a million kicks of all queues, on two CPUs", NET, SPLIT, GOOD, million_kicks },
	{ "50,000 kicks", BLK, BOTH, GOOD, kicks_of_all },
	{ "50,000 kicks", RNG, BOTH, GOOD, kicks_of_all },
	{ "50,000 kicks", BALLOON, BOTH, GOOD, kicks_of_all },
	{ "50,000 kicks of a broken device", BLK, BOTH, BROKEN, kicks_of_the_broken },
	{ "50,000 kicks of a broken device", NET, SPLIT, BROKEN, kicks_of_the_broken },
	{ "50,000 kicks of a device that is not there yet", BLK, SPLIT, ANY, kicks_of_the_stopped },
	{ "10,000 kicks that come to hvctl", BLK, SPLIT, GOOD, slow_kicks },
	{ "events anywhere", BLK, BOTH | EVENTS, GOOD, events_anywhere },
	{ "events anywhere", RNG, BOTH | EVENTS, GOOD, events_anywhere },
	{ "resets among kicks", BLK, BOTH, ANY, resets_and_kicks },
	{ "resets among kicks", NET, SPLIT, ANY, resets_and_kicks },
	{ "resets among kicks", RNG, SPLIT, ANY, resets_and_kicks },
	{ "resets among kicks", BALLOON, SPLIT, ANY, resets_and_kicks },
	{ "interrupts that are not waited for", BLK, BOTH, GOOD, interrupts_of_a_disk },
	{ }
};
