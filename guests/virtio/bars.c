// SPDX-License-Identifier: GPL-2.0-only
/* Attacks by configuration space: BARs in the way of others, commands, the window. */
#include "virtio.h"

#define PORT_COM1_BAR	0x300	/* 256 ports from here on have COM1 and more in them */
#define PORT_PCI_BAR	0xc00	/* ... the ports of configuration space */
#define COM1_SCRATCH	(PORT_COM1 + 7)
#define ELSEWHERE	0xe000	/* ports that nobody has */
#define PAGE		0x1000U

/* ------------------------------------------------------------ BARs of memory */

static void over_ram(struct device *dev)
{
	volatile u32 *ram = at(BUFFER(dev, 3));
	u32 i;

	for (i = 0; i < PAGE / 4; i++)
		ram[i] = i;
	move_bar(dev, BAR_MSIX, (ulong)ram);
	for (i = 0; i < PAGE / 4; i++) {
		expect(ram[i], i);
		ram[i] = ~i;
		expect(ram[i], ~i);
	}
}

static void over_apic(struct device *dev)
{
	u32 version = *(volatile u32 *)(APIC_PAGE + APIC_VERSION);

	move_bar(dev, BAR_MSIX, APIC_PAGE);
	expect(*(volatile u32 *)(APIC_PAGE + APIC_VERSION), version);
	nap(MOMENT);
}

static u32 ioapic_version(void)
{
	volatile u32 *page = (volatile u32 *)IOAPIC_PAGE;

	page[0] = 1;
	return page[4];
}

static void over_ioapic(struct device *dev)
{
	u32 version = ioapic_version();

	move_bar(dev, BAR_MSIX, IOAPIC_PAGE);
	expect(ioapic_version(), version);
}

static void over_the_witness(struct device *dev)
{
	volatile u32 *theirs = at(witness.table);

	theirs[0] = 0x5a5a5a5a & ~3U;
	move_bar(dev, BAR_MSIX, witness.table);
	expect(theirs[0], 0x5a5a5a5a & ~3U);
	expect(witness_works(), true);
	theirs[0] = 0;
}

static void at_all_ends(struct device *dev)
{
	static const u64 places[] = {
		0, 0x1000, 0xff000, 0x100000, RAM_END - PAGE, RAM_END, 0xbffff000,
		0xfffff000, 0x100000000, 0xffffffffff000, 0xfffffffffffff000, 0x8000000000000000,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		move_bar(dev, BAR_MSIX, places[i]);
		expect(witness_works(), true);
	}
}

/* ------------------------------------------------------------- BARs of ports */

static void over_com1(struct device *dev)
{
	outb(COM1_SCRATCH, 0x42);
	move_bar(dev, BAR_REGISTERS, PORT_COM1_BAR);
	expect(inb(COM1_SCRATCH), 0x42);
	outb(COM1_SCRATCH, 0x24);
	expect(inb(COM1_SCRATCH), 0x24);
}

static void over_pci(struct device *dev)
{
	u32 id = pci_read(dev, 0, 4);

	move_bar(dev, BAR_REGISTERS, PORT_PCI_BAR);
	expect(pci_read(dev, 0, 4), id);
}

static void over_ports_of_the_witness(struct device *dev)
{
	move_bar(dev, BAR_REGISTERS, witness.bar[BAR_REGISTERS] & ~3U);
	expect(witness_works(), true);
	queue_kick(&dev->queue[0]);
	expect(witness_works(), true);
}

/* The witness comes first and has the place, then others; now one comes over who is behind. */
static void over_its_own(struct device *dev)
{
	move_bar(dev, BAR_REGISTERS, dev->bar[1] & ~3U);
	pci_write(dev, 0x14, 4, dev->bar[BAR_REGISTERS]);
	expect(witness_works(), true);
}

static void moves_in_io(struct device *dev)
{
	u16 there = dev->bar[BAR_REGISTERS] & ~3U;
	u32 i;

	for (i = 0; i < 60; i++) {
		u64 data = BUFFER(dev, 1);

		move_bar(dev, BAR_REGISTERS, i & 1 ? there : ELSEWHERE);
		expect(blk_request(dev, BLK_READ, i, data, SECTOR), BLK_OK);
	}
}

static void moves_all_the_time(struct device *dev)
{
	u32 i;

	for (i = 0; i < 500; i++)
		move_bar(dev, BAR_REGISTERS, ELSEWHERE + (i % 8) * 0x100);
}

/* ---------------------------------------------------------------- commands */

static void ports_off_in_io(struct device *dev)
{
	u64 data = BUFFER(dev, 1);
	int i;

	for (i = 0; i < 30; i++) {
		pci_write(dev, REG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
		queue_kick(&dev->queue[0]);
		expect(inl(dev->registers), 0xffffffff);
		pci_write(dev, REG_COMMAND, 2, COMMAND_PORTS | COMMAND_MEMORY | COMMAND_MASTER);
		expect(blk_request(dev, BLK_READ, 0, data, SECTOR), BLK_OK);
	}
}

static void memory_off(struct device *dev)
{
	pci_write(dev, REG_COMMAND, 2, COMMAND_PORTS | COMMAND_MASTER);
	expect(*(volatile u32 *)at(dev->table), 0xffffffff);
}

static void master_off(struct device *dev)
{
	u64 data = BUFFER(dev, 1);

	pci_write(dev, REG_COMMAND, 2, COMMAND_PORTS | COMMAND_MEMORY);
	blk_request(dev, BLK_READ, 0, data, SECTOR);
}

static void all_commands(struct device *dev)
{
	u32 i;

	for (i = 0; i < 500; i++) {
		pci_write(dev, REG_COMMAND, 2, i * 0x9e37);
		pci_write(dev, REG_COMMAND + 2, 2, 0xffff);
	}
}

/* What a guest may write there is little, and identity is none of it. */
static void all_of_configuration_space(struct device *dev)
{
	u32 id = pci_read(dev, 0, 4), class = pci_read(dev, 8, 4), i;

	for (i = 0; i < 256; i++) {
		pci_write(dev, i & ~3U, 4, 0xffffffff);
		pci_write(dev, i, 1, 0);
		pci_write(dev, i & ~1U, 2, 0x5a5a);
	}
	expect(pci_read(dev, 0, 4), id);
	expect(pci_read(dev, 8, 4), class);
}

static void functions_that_are_not_there(struct device *dev)
{
	struct device other = *dev;
	u32 i;

	for (i = 0; i < 8; i++) {
		other.devfn = (dev->devfn & ~7U) + i;
		if (i)
			pci_write(&other, REG_COMMAND, 4, 0xffffffff);
		if (i)
			expect(pci_read(&other, 0, 4), 0xffffffff);
	}
	/* Another bus. */
	outl(0xcf8, 0x80000000 | 1 << 16 | dev->devfn << 8 | REG_COMMAND);
	outl(0xcfc, 0);
}

/* -------------------------------------------------------------- the window */

#define WINDOW_BAR	4
#define WINDOW_OFFSET	8
#define WINDOW_LENGTH	12
#define WINDOW_DATA	16

static u32 by_window(struct device *dev, u32 bar, u32 offset, u32 length)
{
	pci_write(dev, dev->window + WINDOW_BAR, 1, bar);
	pci_write(dev, dev->window + WINDOW_OFFSET, 4, offset);
	pci_write(dev, dev->window + WINDOW_LENGTH, 4, length);
	return pci_read(dev, dev->window + WINDOW_DATA, 4);
}

static void window_anywhere(struct device *dev)
{
	static const u32 lengths[] = { 0, 1, 2, 3, 4, 5, 8, 16, 0x7fffffff, 0xffffffff };
	static const u32 offsets[] = { 0, 1, 3, 0xfc, 0xfd, 0xff, 0x100, 0xfffffffc, 0xffffffff };
	u32 bar, i, k;

	for (bar = 0; bar < 10; bar++)
		for (i = 0; i < ARRAY_SIZE(lengths); i++)
			for (k = 0; k < ARRAY_SIZE(offsets); k++) {
				by_window(dev, bar == 9 ? 0xff : bar, offsets[k], lengths[i]);
				if (bar || offsets[k] >= 0xfc)
					pci_write(dev, dev->window + WINDOW_DATA, 4, ~0U);
			}
}

/* The device, driven through the window alone. */
static void window_works(struct device *dev)
{
	u32 data = dev->window + WINDOW_DATA;

	expect(by_window(dev, BAR_REGISTERS, NUM_QUEUES, 2) & 0xffff, dev->queues);
	expect(by_window(dev, BAR_REGISTERS, STATUS, 1) & 0xff, status_of(dev));
	by_window(dev, BAR_REGISTERS, QUEUE_SELECT, 2);
	pci_write(dev, data, 2, 0xffff);
	expect(inw(dev->registers + QUEUE_SELECT), 0xffff);
	/* What is not mapped is reached all the same. */
	pci_write(dev, REG_COMMAND, 2, 0);
	expect(by_window(dev, BAR_REGISTERS, NUM_QUEUES, 2) & 0xffff, dev->queues);
	by_window(dev, BAR_REGISTERS, STATUS, 1);
	pci_write(dev, data, 1, 0);
	expect(settles(!(pci_read(dev, data, 1))), true);
}

const struct attack attacks_bars[] = {
	{ "a BAR over RAM", BLK, SPLIT, GOOD, over_ram },
	{ "a BAR over the local APIC", BLK, SPLIT, GOOD, over_apic },
	{ "a BAR over the I/O APIC", BLK, SPLIT, GOOD, over_ioapic },
	{ "a BAR over another disk's", BLK, SPLIT, GOOD, over_the_witness },
	{ "a BAR at all ends of memory", BLK, SPLIT, GOOD, at_all_ends },
	{ "a BAR over COM1", BLK, SPLIT, ANY, over_com1 },
	{ "a BAR over configuration space", BLK, SPLIT, ANY, over_pci },
	{ "a BAR over another disk's registers", BLK, SPLIT, ANY, over_ports_of_the_witness },
	{ "BARs of a device changed over", BLK, SPLIT, ANY, over_its_own },
	{ "a BAR that moves during I/O", BLK, BOTH, GOOD, moves_in_io },
	{ "a BAR that moves 500 times", NET, SPLIT, GOOD, moves_all_the_time },
	{ "ports off and on during I/O", BLK, BOTH, GOOD, ports_off_in_io },
	{ "memory off", BLK, SPLIT, GOOD, memory_off },
	{ "bus mastering off", BLK, SPLIT, ANY, master_off },
	{ "all commands", NET, SPLIT, ANY, all_commands },
	{ "all of configuration space", BLK, SPLIT, ANY, all_of_configuration_space },
	{ "all of configuration space", NET, SPLIT, ANY, all_of_configuration_space },
	{ "functions that are not there", BLK, SPLIT, GOOD, functions_that_are_not_there },
	{ "the window, anywhere", BLK, SPLIT, ANY, window_anywhere },
	{ "the window, anywhere", RNG, SPLIT, ANY, window_anywhere },
	{ "the window, as it should be", BLK, SPLIT, ANY, window_works },
	{ }
};
