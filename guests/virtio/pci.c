// SPDX-License-Identifier: GPL-2.0-only
/* Finding virtio devices on bus 0: configuration space by ports, BARs, capabilities. */
#include "virtio.h"

#define CONFIG_ADDRESS	0xcf8
#define CONFIG_DATA	0xcfc
#define CONFIG_ENABLE	0x80000000U

#define VIRTIO_VENDOR	0x1af4
#define VIRTIO_MODERN	0x1040

#define REG_ID		0x00
#define REG_BARS	0x10
#define REG_CAPABILITY	0x34
#define BARS		6

#define CAP_VENDOR	0x09
#define CAP_MSIX	0x11
#define CAP_TYPE	3	/* of a capability of virtio's; and what it has */
#define CAP_BAR		4
#define CAP_OFFSET	8
#define CAP_STEP	16
#define TYPE_COMMON	1
#define TYPE_NOTIFY	2
#define TYPE_ISR	3
#define TYPE_CONFIG	4
#define TYPE_WINDOW	5

#define ARENA		(16 * MIB)

static void point(const struct device *dev, u32 reg)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | dev->devfn << 8 | (reg & 0xfc));
}

u32 pci_read(const struct device *dev, u32 reg, u32 width)
{
	u16 port = CONFIG_DATA + (reg & 3);

	point(dev, reg);
	return width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
}

void port_write(u16 port, u32 width, u32 value)
{
	if (width == 1)
		outb(port, value);
	else if (width == 2)
		outw(port, value);
	else
		outl(port, value);
}

void pci_write(const struct device *dev, u32 reg, u32 width, u32 value)
{
	point(dev, reg);
	port_write(CONFIG_DATA + (reg & 3), width, value);
}

/* BARs that have ports have all of them below 64 KiB. */
static u16 port_of(const struct device *dev, u32 bar, u32 offset)
{
	require(dev->bar[bar] & 1);
	return (dev->bar[bar] & ~3U) + offset;
}

static void take_virtio(struct device *dev, u32 cap)
{
	u32 bar = pci_read(dev, cap + CAP_BAR, 1), offset = pci_read(dev, cap + CAP_OFFSET, 4);

	switch (pci_read(dev, cap + CAP_TYPE, 1)) {
	case TYPE_COMMON:
		dev->registers = port_of(dev, bar, offset);
		break;
	case TYPE_NOTIFY:
		dev->notify = port_of(dev, bar, offset);
		dev->notify_step = pci_read(dev, cap + CAP_STEP, 4);
		break;
	case TYPE_ISR:
		dev->isr = port_of(dev, bar, offset);
		break;
	case TYPE_CONFIG:
		dev->config = port_of(dev, bar, offset);
		break;
	case TYPE_WINDOW:
		dev->window = cap;
		break;
	}
}

static void take_capabilities(struct device *dev)
{
	u32 cap = pci_read(dev, REG_CAPABILITY, 1);

	for (; cap; cap = pci_read(dev, cap + 1, 1)) {
		u32 id = pci_read(dev, cap, 1);

		if (id == CAP_VENDOR)
			take_virtio(dev, cap);
		else if (id == CAP_MSIX)
			dev->msix = cap;
	}
	dev->table = dev->bar[BAR_MSIX] & ~15U;
}

void device_restore(struct device *dev)
{
	u32 i;

	pci_write(dev, REG_COMMAND, 2, 0);
	for (i = 0; i < BARS; i++)
		pci_write(dev, REG_BARS + 4 * i, 4, dev->bar[i]);
	pci_write(dev, dev->msix + 2, 2, 0);
	pci_write(dev, REG_COMMAND, 2,
		  COMMAND_PORTS | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
	take_capabilities(dev);
}

void move_bar(struct device *dev, u32 n, u64 address)
{
	u16 distance = address - (dev->bar[n] & ~3U);

	pci_write(dev, REG_BARS + 4 * n, 4, address);
	if (n == BAR_MSIX) {
		pci_write(dev, REG_BARS + 4 * n + 4, 4, address >> 32);
		dev->table = address;
		return;
	}
	take_capabilities(dev);
	if (n == BAR_REGISTERS) {
		dev->registers += distance;
		dev->notify += distance;
		dev->isr += distance;
	}
}

bool device_find(struct device *dev, const char *name, enum kind kind, int nth)
{
	static u32 found;
	u32 devfn, i;

	dev->name = name;
	dev->kind = kind;
	for (devfn = 8; devfn < 256; devfn += 8) {
		dev->devfn = devfn;
		if (pci_read(dev, REG_ID, 4) != (VIRTIO_VENDOR | (VIRTIO_MODERN + kind) << 16) ||
		    nth--)
			continue;
		for (i = 0; i < BARS; i++)
			dev->bar[i] = pci_read(dev, REG_BARS + 4 * i, 4);
		dev->arena = ARENA + found++ * ARENA_BYTES;
		device_restore(dev);
		return true;
	}
	dev->devfn = 0;
	return false;
}
