// SPDX-License-Identifier: GPL-2.0-only
/* The driver: a device's initialization, chains in both formats of rings, and waiting. */
#include "virtio.h"

#define MSR_TSC_DEADLINE	0x6e0
#define CPUID_TSC_DEADLINE	(1U << 24)
#define LVT_TSC_DEADLINE	0x40000
#define NAP_VECTOR		0xe0

/* Flags of a packed descriptor. */
#define AVAIL		0x80
#define USED		0x8000

/* Where areas lie in what a queue has of the arena. */
#define DRIVER_AREA	0x4000
#define DEVICE_AREA	0x5000

/* ------------------------------------------------------------------- a nap */

static bool can_nap;

static bool on_nap(struct trap_frame *frame)
{
	(void)frame;
	apic_write(APIC_EOI, 0);
	return true;
}

void nap_init(void)
{
	can_nap = cpuid(1, 0).ecx & CPUID_TSC_DEADLINE;
	trap_hook(NAP_VECTOR, on_nap);
}

/* Until the deadline, or until another interrupt comes. */
static void halt_until(u64 deadline)
{
	apic_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | NAP_VECTOR);
	asm volatile("mfence" : : : "memory");
	wrmsr(MSR_TSC_DEADLINE, deadline);
	asm volatile("sti; hlt; cli" : : : "memory");
}

/* What wakes us too early may be a device's message, or the end of the nap before this one. */
void nap(u64 ticks)
{
	u64 start = rdtsc();

	while (rdtsc() - start < ticks) {
		if (can_nap)
			halt_until(start + ticks);
		else
			cpu_pause();
	}
}

/* ------------------------------------------------------------------ device */

u8 status_of(const struct device *dev)
{
	return inb(dev->registers + STATUS);
}

bool device_reset(struct device *dev)
{
	outb(dev->registers + STATUS, 0);
	return settles(!status_of(dev));
}

bool device_negotiate(struct device *dev)
{
	u64 offered;

	outb(dev->registers + STATUS, STATUS_ACK);
	outb(dev->registers + STATUS, STATUS_ACK | STATUS_DRIVER);
	outl(dev->registers + DEVICE_SELECT, 0);
	offered = inl(dev->registers + DEVICE_FEATURES);
	outl(dev->registers + DEVICE_SELECT, 1);
	offered |= (u64)inl(dev->registers + DEVICE_FEATURES) << 32;
	dev->chosen = offered & ~(F_PACKED | F_EVENT_IDX);
	dev->chosen |= dev->wanted | (dev->packed ? F_PACKED : 0);
	outl(dev->registers + DRIVER_SELECT, 0);
	outl(dev->registers + DRIVER_FEATURES, dev->chosen);
	outl(dev->registers + DRIVER_SELECT, 1);
	outl(dev->registers + DRIVER_FEATURES, dev->chosen >> 32);
	outb(dev->registers + STATUS, STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES);
	return status_of(dev) & STATUS_FEATURES;
}

static void write64(u16 port, u64 value)
{
	outl(port, value);
	outl(port + 4, value >> 32);
}

void queue_describe(struct queue *queue)
{
	u16 registers = queue->dev->registers;

	outw(registers + QUEUE_SELECT, queue->index);
	outw(registers + QUEUE_SIZE, queue->size);
	write64(registers + QUEUE_DESC, queue->desc);
	write64(registers + QUEUE_DRIVER, queue->driver);
	write64(registers + QUEUE_DEVICE, queue->device);
}

void queue_enable(struct queue *queue)
{
	queue_describe(queue);
	outw(queue->dev->registers + QUEUE_ENABLE, 1);
}

void queue_init(struct device *dev, u16 index, u16 size)
{
	struct queue *queue = &dev->queue[index];

	*queue = (struct queue){
		.dev = dev,
		.index = index,
		.size = size,
		.desc = dev->arena + index * RING_BYTES,
		.wrap = true,
		.seen_wrap = true,
	};
	queue->driver = queue->desc + DRIVER_AREA;
	queue->device = queue->desc + DEVICE_AREA;
	memset(at(queue->desc), 0, RING_BYTES);
}

bool device_start(struct device *dev)
{
	u16 i, size;

	if (!device_reset(dev) || !device_negotiate(dev))
		return false;
	dev->queues = inw(dev->registers + NUM_QUEUES);
	require(dev->queues <= MAX_QUEUES);
	for (i = 0; i < dev->queues; i++) {
		outw(dev->registers + QUEUE_SELECT, i);
		size = inw(dev->registers + QUEUE_SIZE);
		queue_init(dev, i, size < MAX_SIZE ? size : MAX_SIZE);
		queue_enable(&dev->queue[i]);
	}
	outb(dev->registers + STATUS, STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES | STATUS_OK);
	return status_of(dev) & STATUS_OK;
}

/* ------------------------------------------------------------------ chains */

static void add_split(struct queue *queue, const struct piece *pieces, u32 count)
{
	volatile struct desc *table = at(queue->desc);
	volatile u16 *avail = at(queue->driver);
	u16 head = queue->next, i;

	for (i = 0; i < count; i++) {
		u16 next = (queue->next + 1) % queue->size;

		table[queue->next].address = pieces[i].address;
		table[queue->next].len = pieces[i].len;
		table[queue->next].flags = pieces[i].flags | (i + 1U < count ? NEXT : 0);
		table[queue->next].next = next;
		queue->next = next;
	}
	avail[2 + queue->avail % queue->size] = head;
	avail[1] = ++queue->avail;
}

/* The first one's flags last: it is what makes the chain available. */
static void add_packed(struct queue *queue, const struct piece *pieces, u32 count)
{
	volatile struct desc *ring = at(queue->desc);
	u16 head = queue->next, head_flags = 0, i;

	for (i = 0; i < count; i++) {
		u16 flags = pieces[i].flags | (i + 1U < count ? NEXT : 0) |
			    (queue->wrap ? AVAIL : USED);

		ring[queue->next].address = pieces[i].address;
		ring[queue->next].len = pieces[i].len;
		ring[queue->next].flags = head;		/* the id's place */
		if (i)
			ring[queue->next].next = flags;
		else
			head_flags = flags;
		if (++queue->next == queue->size) {
			queue->next = 0;
			queue->wrap = !queue->wrap;
		}
	}
	queue->length[head] = count;
	ring[head].next = head_flags;
}

void queue_add(struct queue *queue, const struct piece *pieces, u32 count)
{
	if (queue->dev->packed)
		add_packed(queue, pieces, count);
	else
		add_split(queue, pieces, count);
}

void queue_kick(const struct queue *queue)
{
	asm volatile("mfence" : : : "memory");
	outw(queue->dev->notify + queue->index * queue->dev->notify_step, queue->index);
}

static bool take_split(struct queue *queue, u32 *len)
{
	volatile u32 *used = at(queue->device);

	if ((used[0] >> 16) == queue->seen)
		return false;
	*len = used[1 + 2 * (queue->seen % queue->size) + 1];
	queue->seen++;
	return true;
}

static bool take_packed(struct queue *queue, u32 *len)
{
	volatile struct desc *desc = (struct desc *)at(queue->desc) + queue->seen;
	u16 want = queue->seen_wrap ? AVAIL | USED : 0;

	if ((desc->next & (AVAIL | USED)) != want)
		return false;
	*len = desc->len;
	queue->seen += queue->length[desc->flags % MAX_SIZE];
	if (queue->seen >= queue->size) {
		queue->seen -= queue->size;
		queue->seen_wrap = !queue->seen_wrap;
	}
	return true;
}

bool queue_take(struct queue *queue, u32 *len)
{
	return queue->dev->packed ? take_packed(queue, len) : take_split(queue, len);
}

bool queue_wait(struct queue *queue, u32 *len)
{
	u64 start = rdtsc();

	while (!queue_take(queue, len)) {
		if (rdtsc() - start > DEVICE_PATIENCE || status_of(queue->dev) & STATUS_BROKEN)
			return queue_take(queue, len);
		nap(MOMENT);
	}
	return true;
}
