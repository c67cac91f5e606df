// SPDX-License-Identifier: GPL-2.0-only
/* Attacks by MSI-X: vectors that are not there, messages to nobody, masks. */
#include "virtio.h"

#define VECTOR		0x90	/* that our messages raise */
#define ENABLE		0x8000
#define FUNCTION_MASK	0x4000
#define PENDING_BITS	0x800
#define MESSAGES	0xfee00000ULL

static volatile u32 taken;

static bool on_message(struct trap_frame *frame)
{
	(void)frame;
	taken++;
	apic_write(APIC_EOI, 0);
	return true;
}

static void set_entry(struct device *dev, u32 n, u64 address, u32 data, u32 masked)
{
	volatile u32 *entry = at(dev->table + 16 * n);

	entry[0] = address;
	entry[1] = address >> 32;
	entry[2] = data;
	entry[3] = masked;
}

static void control(struct device *dev, u32 bits)
{
	pci_write(dev, dev->msix + 2, 2, bits);
}

static void wire(struct device *dev, u16 vector)
{
	outw(dev->registers + QUEUE_SELECT, 0);
	outw(dev->registers + QUEUE_VECTOR, vector);
}

/* Queue 0 raises VECTOR here. */
static void prepare(struct device *dev)
{
	trap_hook(VECTOR, on_message);
	set_entry(dev, 0, MESSAGES | (ulong)apic_id() << 12, VECTOR, 0);
	set_entry(dev, 1, MESSAGES | (ulong)apic_id() << 12, VECTOR, 1);
	control(dev, ENABLE);
	wire(dev, 0);
	taken = 0;
}

static bool is_pending(struct device *dev, u32 n)
{
	return *(volatile u32 *)at(dev->table + PENDING_BITS) >> n & 1;
}

/* ------------------------------------------------------------------- masks */

static void masked(struct device *dev)
{
	prepare(dev);
	expect(honest(dev), true);
	expect(settles(taken), true);
	set_entry(dev, 0, MESSAGES, VECTOR, 1);
	nap(MOMENT);
	taken = 0;
	expect(honest(dev), true);
	expect(settles(is_pending(dev, 0)), true);
	expect(taken, 0);
	/* The message changes while it waits; PBA is not for writing. */
	*(volatile u64 *)at(dev->table + PENDING_BITS) = 0;
	set_entry(dev, 0, MESSAGES, 0x91, 1);
	set_entry(dev, 0, MESSAGES | (ulong)apic_id() << 12, VECTOR, 1);
	expect(is_pending(dev, 0), true);
	set_entry(dev, 0, MESSAGES | (ulong)apic_id() << 12, VECTOR, 0);
	expect(settles(taken), true);
	expect(is_pending(dev, 0), false);
}

static void function_masked(struct device *dev)
{
	u32 i;

	prepare(dev);
	for (i = 0; i < 100; i++) {
		control(dev, ENABLE | FUNCTION_MASK);
		nap(MOMENT);	/* what was sent before comes now: interrupts are off otherwise */
		taken = 0;
		expect(honest(dev), true);
		nap(MOMENT);
		expect(taken, 0);
		control(dev, ENABLE);
		expect(settles(taken), true);
	}
}

/* On and off, and the table with it, while there is I/O. */
static void all_at_once(struct device *dev)
{
	u32 i;

	prepare(dev);
	for (i = 0; i < 300; i++) {
		queue_kick(&dev->queue[0]);
		control(dev, i % 4 << 14);
		set_entry(dev, 0, MESSAGES + (i & 1 ? 1 << 12 : 0xff << 12), 0x90, i & 2);
		wire(dev, i % 3);
		if (i % 10 == 0)
			expect(honest(dev), true);
	}
	prepare(dev);
	expect(honest(dev), true);
	expect(settles(taken), true);
}

/* ---------------------------------------------------------------- messages */

/* None of these comes anywhere; RAM least of all. */
static void messages_to_nobody(struct device *dev)
{
	volatile u32 *ram = at(BUFFER(dev, 3));
	const u64 addresses[] = {
		0, (ulong)ram, NOBODY, IOAPIC_PAGE, 0xfed00000, 0xfef00000, 0xfffffffc,
		MESSAGES | 1ULL << 32, MESSAGES | 1ULL << 63, MESSAGES | 0xee << 12,
	};
	u32 i;

	prepare(dev);
	*ram = 0x12345678;
	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		set_entry(dev, 0, addresses[i], 0x90, 0);
		nap(MOMENT);
		taken = 0;
		expect(honest(dev), true);
		nap(MOMENT);
		expect(taken, 0);
		expect(*ram, 0x12345678);
	}
	prepare(dev);
	expect(honest(dev), true);
	expect(settles(taken), true);
}

/* Vectors below 16, modes that there are not, levels: to a CPU that there is not, or as SMI. */
static void odd_messages(struct device *dev)
{
	u32 data;

	prepare(dev);
	for (data = 0; data < 16; data++) {
		set_entry(dev, 0, MESSAGES | (ulong)apic_id() << 12, data, 0);
		expect(honest(dev), true);
	}
	for (data = 0; data < 0x10000; data += 0x100) {
		set_entry(dev, 0, MESSAGES | 0xee << 12, data | 0x90, 0);
		if (data % 0x1000 == 0)
			expect(honest(dev), true);
	}
	set_entry(dev, 0, MESSAGES, 0xffffffff, 0);
	set_entry(dev, 0, MESSAGES | (ulong)apic_id() << 12, 0x200 | VECTOR, 0);
	expect(honest(dev), true);
}

/* ------------------------------------------------------------------- table */

static void vectors_that_are_not_there(struct device *dev)
{
	u32 n;

	prepare(dev);
	for (n = dev->queues + 1; n <= 0xffff; n = n * 2 + 1) {
		wire(dev, n);
		expect(inw(dev->registers + QUEUE_VECTOR), NO_VECTOR);
		outw(dev->registers + CONFIG_VECTOR, n);
		expect(inw(dev->registers + CONFIG_VECTOR), NO_VECTOR);
		expect(honest(dev), true);
	}
	expect(taken, 0);
}

static void table_in_odd_pieces(struct device *dev)
{
	volatile u8 *table = at(dev->table);
	u32 i;

	for (i = 0; i < 0x1000; i++) {
		table[i] = 0xff;
		*(volatile u16 *)(table + (i & 0xffe)) = 0xffff;
		if (i < 0xffd)
			*(volatile u32 *)(table + i) = i & 3 ? 0xffffffff : 0;
		if (i < 0xff9)
			*(volatile u64 *)(table + i) = i & 7 ? ~0ULL : 0;
	}
}

/* All vectors are the same: those of queues, and that of the configuration. */
static void one_for_all(struct device *dev)
{
	u16 i;

	prepare(dev);
	outw(dev->registers + CONFIG_VECTOR, 0);
	for (i = 0; i < dev->queues; i++) {
		outw(dev->registers + QUEUE_SELECT, i);
		outw(dev->registers + QUEUE_VECTOR, 0);
	}
	expect(honest(dev), true);
	expect(settles(taken), true);
}

/* INTx, asserted and never acknowledged. */
static void line_forever(struct device *dev)
{
	pci_write(dev, REG_COMMAND, 2, COMMAND_PORTS | COMMAND_MEMORY | COMMAND_MASTER);
	expect(honest(dev), true);
	expect(settles(pci_read(dev, REG_COMMAND + 2, 2) & 8), true);
	expect(honest(dev), true);
}

static void status_read_forever(struct device *dev)
{
	u32 i;

	for (i = 0; i < 2000; i++)
		inb(dev->isr);
	outb(dev->isr, 0xff);
	outl(dev->isr, 0xffffffff);
	expect(inb(dev->isr), 0);
}

const struct attack attacks_msix[] = {
	{ "MSI-X, masked and changed while pending", BLK, BOTH, GOOD, masked },
	{ "MSI-X, the function's mask 100 times", BLK, SPLIT, GOOD, function_masked },
	{ "MSI-X on and off during I/O", BLK, BOTH, GOOD, all_at_once },
	{ "MSI-X on and off during I/O", RNG, SPLIT, GOOD, all_at_once },
	{ "messages to nobody", BLK, SPLIT, GOOD, messages_to_nobody },
	{ "messages that are no interrupts", BLK, SPLIT, GOOD, odd_messages },
	{ "vectors that are not there", BLK, SPLIT, GOOD, vectors_that_are_not_there },
	{ "vectors that are not there", RNG, SPLIT, GOOD, vectors_that_are_not_there },
	{ "the table in odd pieces", BLK, SPLIT, ANY, table_in_odd_pieces },
	{ "one vector for all", BLK, SPLIT, GOOD, one_for_all },
	{ "INTx that nobody acknowledges", BLK, SPLIT, GOOD, line_forever },
	{ "the ISR register, read 2,000 times", BLK, SPLIT, GOOD, status_read_forever },
	{ }
};
