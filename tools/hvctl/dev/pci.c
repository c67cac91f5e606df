// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI bus 0: configuration mechanism #1, and the part of every device that is alike.
 *
 *  CF8  CONFIG_ADDRESS, only as four bytes: 31 enable, 23:16 bus, 15:11 device,
 *       10:8 function, 7:2 register
 *  CF9  as one byte: reset control (cf9.c)
 *  CFC  CONFIG_DATA, any width: the bytes of that register
 *
 *  configuration space, type 0
 *  00 vendor   02 device   04 command: 10 INTx off, 2 master, 1 memory, 0 ports
 *  06 status: 4 capabilities, 3 INTx asserted   08 revision   09 class
 *  10..27 BARs   2C subsystem   34 first capability   3C interrupt line   3D pin
 */
#include <errno.h>
#include <string.h>

#include "pci.h"

#define CONFIG_ENABLE 0x80000000u
#define CONFIG_WRITABLE 0x80fffffcu

#define REG_VENDOR 0x00
#define REG_DEVICE 0x02
#define REG_COMMAND 0x04
#define REG_STATUS 0x06
#define REG_REVISION 0x08
#define REG_CLASS 0x09
#define REG_CACHE_LINE 0x0c
#define REG_BARS 0x10
#define REG_SUBSYSTEM_VENDOR 0x2c
#define REG_SUBSYSTEM 0x2e
#define REG_CAPABILITIES 0x34
#define REG_LINE 0x3c
#define REG_PIN 0x3d
#define REG_FREE 0x40
#define REG_LAST 0xfc

#define COMMAND_PORTS 0x0001
#define COMMAND_MMIO 0x0002
#define COMMAND_MASTER 0x0004
#define COMMAND_INTX_OFF 0x0400
#define COMMAND_WRITABLE 0x0407
#define STATUS_INTX 0x0008
#define STATUS_CAPABILITIES 0x0010

#define BAR_PORTS 0x1
#define BAR_PORTS_FLAGS 0x3ull
#define BAR_MMIO_FLAGS 0xfull

uint32_t hv_pci_config_read(const struct hv_pci_device *device, unsigned int offset,
			    unsigned int width)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < width; i++)
		value |= (uint32_t)device->config[offset + i] << i * 8;
	return value;
}

void hv_pci_config_set(struct hv_pci_device *device, unsigned int offset, unsigned int width,
		       uint32_t value)
{
	for (unsigned int i = 0; i < width; i++)
		device->config[offset + i] = (uint8_t)(value >> i * 8);
}

void hv_pci_config_allow(struct hv_pci_device *device, unsigned int offset, unsigned int width,
			 uint32_t bits)
{
	for (unsigned int i = 0; i < width; i++)
		device->writable[offset + i] |= (uint8_t)(bits >> i * 8);
}

/* -------------------------------------------------------------------- BARs */

static uint64_t bar_flags(const struct hv_pci_bar *bar)
{
	return bar->region.space == HV_PORT ? BAR_PORTS_FLAGS : BAR_MMIO_FLAGS;
}

/* Does the device decode this BAR, and at an address where it can be? */
static bool bar_decodes(const struct hv_pci_bar *bar, uint64_t base)
{
	uint32_t command = hv_pci_config_read(bar->device, REG_COMMAND, 2);
	bool ports = bar->region.space == HV_PORT;
	bool on = bar->enable ? bar->device->config[bar->enable] & 1 :
				command & (ports ? COMMAND_PORTS : COMMAND_MMIO);
	uint64_t limit = ports ? 0x10000 : 1ull << 32;

	/* Zero is an address, but what it means is "not assigned". */
	return bar->device->pci && on && base && base + bar->region.len <= limit;
}

static void bar_unmap(struct hv_pci_bar *bar)
{
	if (bar->mapped)
		hv_bus_unregister(bar->device->pci->config.bus, &bar->region);
	bar->mapped = false;
}

/* Follow what the guest wrote; true if that makes a difference. */
static bool bar_follow(struct hv_pci_bar *bar)
{
	uint64_t base;
	bool decodes;

	if (!bar->region.len)
		return false;
	base = hv_pci_config_read(bar->device, bar->reg, 4) & ~bar_flags(bar);
	decodes = bar_decodes(bar, base);
	if (bar->decodes == decodes && bar->region.base == base)
		return false;
	bar_unmap(bar);
	bar->region.base = base;
	bar->decodes = decodes;
	return true;
}

typedef void (*bar_fn)(struct hv_pci_bar *bar);

static void all_bars(struct hv_pci *pci, bar_fn fn)
{
	for (unsigned int i = 0; i < HV_PCI_FUNCTIONS; i++)
		for (unsigned int n = 0; pci->function[i] && n < HV_PCI_BARS; n++)
			fn(&pci->function[i]->bar[n]);
}

static void bar_map(struct hv_pci_bar *bar)
{
	if (bar->decodes)
		bar->mapped = !hv_bus_register(bar->device->pci->config.bus, &bar->region);
}

/*
 * While a guest sizes and moves BARs, they may lie on top of each other: then the first
 * function's answers, and the others' nowhere until it has gone. So what is mapped
 * follows from what is in the registers, and not from how it came there.
 */
static void device_update_bars(struct hv_pci_device *device)
{
	bool changed = false;

	for (unsigned int n = 0; n < HV_PCI_BARS; n++)
		changed |= bar_follow(&device->bar[n]);
	if (!changed || !device->pci)
		return;
	all_bars(device->pci, bar_unmap);
	all_bars(device->pci, bar_map);
}

int hv_pci_device_set_bar(struct hv_pci_device *device, unsigned int n, enum hv_space space,
			  uint64_t size, hv_access_fn access, void *dev)
{
	uint64_t least = space == HV_PORT ? 4 : 16, most = space == HV_PORT ? 256 : 1u << 31;
	unsigned int reg = REG_BARS + 4 * n;

	if (n >= HV_PCI_BARS || device->bar[n].region.len || size < least || size > most ||
	    (size & (size - 1)))
		return -EINVAL;
	device->bar[n] = (struct hv_pci_bar){
		.device = device,
		.reg = (uint8_t)reg,
		.region = {
			.name = "pci", .space = space, .len = size, .access = access, .dev = dev,
		},
	};
	hv_pci_config_set(device, reg, 4, space == HV_PORT ? BAR_PORTS : 0);
	hv_pci_config_allow(device, reg, 4, -(uint32_t)size);
	return 0;
}

int hv_pci_device_set_window(struct hv_pci_device *device, unsigned int n, uint8_t reg,
			     uint8_t enable, uint16_t size, hv_access_fn access, void *dev)
{
	if (n >= HV_PCI_BARS || device->bar[n].region.len || reg < REG_FREE || reg > REG_LAST ||
	    enable < REG_FREE || size < 4 || (size & (size - 1)))
		return -EINVAL;
	device->bar[n] = (struct hv_pci_bar){
		.device = device,
		.reg = reg,
		.enable = enable,
		.region = {
			.name = "chipset",
			.space = HV_PORT,
			.len = size,
			.access = access,
			.dev = dev,
		},
	};
	hv_pci_config_set(device, reg, 4, BAR_PORTS);
	hv_pci_config_allow(device, reg, 2, -(uint32_t)size);
	hv_pci_config_allow(device, enable, 1, 1);
	return 0;
}

/* -------------------------------------------------------------------- INTx */

unsigned int hv_pci_intx_line(unsigned int devfn, unsigned int intx)
{
	return (devfn / 8 - 1 + intx - 1) % HV_PCI_INTX;
}

/* Lines are shared: one is high as long as any device asserts it. */
static void pci_count_intx(struct hv_pci *pci, unsigned int line, bool level)
{
	struct hv_irq irq = pci->config.intx;

	irq.line += line;
	if (level && !pci->intx_count[line]++)
		hv_irq_set(&irq, true);
	else if (!level && !--pci->intx_count[line])
		hv_irq_set(&irq, false);
}

/* The status bit shows what the device wants; the command register decides what is seen. */
static void device_update_intx(struct hv_pci_device *device)
{
	uint8_t pin = device->config[REG_PIN];
	bool wanted = device->config[REG_STATUS] & STATUS_INTX;
	bool level = wanted && !(hv_pci_config_read(device, REG_COMMAND, 2) & COMMAND_INTX_OFF);

	if (!device->pci || !pin || level == device->intx_level)
		return;
	device->intx_level = level;
	pci_count_intx(device->pci, hv_pci_intx_line(device->devfn, pin), level);
}

void hv_pci_set_intx(struct hv_pci_device *device, bool level)
{
	if (level)
		device->config[REG_STATUS] |= STATUS_INTX;
	else
		device->config[REG_STATUS] &= ~STATUS_INTX;
	device_update_intx(device);
}

/* ----------------------------------------------------------------- devices */

void hv_pci_device_init(struct hv_pci_device *device, const struct hv_pci_ids *ids)
{
	memset(device, 0, sizeof(*device));
	hv_pci_config_set(device, REG_VENDOR, 2, ids->vendor);
	hv_pci_config_set(device, REG_DEVICE, 2, ids->device);
	hv_pci_config_set(device, REG_SUBSYSTEM_VENDOR, 2, ids->subsystem_vendor);
	hv_pci_config_set(device, REG_SUBSYSTEM, 2, ids->subsystem);
	hv_pci_config_set(device, REG_REVISION, 1, ids->revision);
	hv_pci_config_set(device, REG_CLASS, 3, ids->class_code);
	hv_pci_config_set(device, REG_PIN, 1, ids->intx);
	hv_pci_config_allow(device, REG_COMMAND, 2, COMMAND_WRITABLE);
	hv_pci_config_allow(device, REG_CACHE_LINE, 2, 0xffff);
	hv_pci_config_allow(device, REG_LINE, 1, 0xff);
	device->next_capability = REG_FREE;
}

int hv_pci_device_add_capability(struct hv_pci_device *device, uint8_t id, unsigned int len)
{
	unsigned int offset = device->next_capability;

	if (!offset || len < 2 || offset + len > HV_PCI_CONFIG)
		return -ENOSPC;
	device->config[offset] = id;
	device->config[offset + 1] = device->config[REG_CAPABILITIES];
	device->config[REG_CAPABILITIES] = (uint8_t)offset;
	device->config[REG_STATUS] |= STATUS_CAPABILITIES;
	/* Wraps to 0 when the space is full. */
	device->next_capability = (uint8_t)((offset + len + 3) & ~3u);
	return (int)offset;
}

int hv_pci_add(struct hv_pci *pci, struct hv_pci_device *device, unsigned int devfn)
{
	uint8_t pin = device->config[REG_PIN];

	if (devfn >= HV_PCI_FUNCTIONS || pin > HV_PCI_INTX)
		return -EINVAL;
	if (pci->function[devfn])
		return -EEXIST;
	pci->function[devfn] = device;
	device->pci = pci;
	device->devfn = (uint8_t)devfn;
	if (pin)
		device->config[REG_LINE] = pci->config.legacy_irq[hv_pci_intx_line(devfn, pin)];
	device_update_bars(device);
	device_update_intx(device);
	return 0;
}

void hv_pci_remove(struct hv_pci_device *device)
{
	struct hv_pci *pci = device->pci;

	if (!pci)
		return;
	hv_pci_set_intx(device, false);
	for (unsigned int n = 0; n < HV_PCI_BARS; n++) {
		bar_unmap(&device->bar[n]);
		device->bar[n].decodes = false;
	}
	pci->function[device->devfn] = NULL;
	device->pci = NULL;
	all_bars(pci, bar_unmap);
	all_bars(pci, bar_map);
}

void hv_pci_config_follow(struct hv_pci_device *device)
{
	device_update_bars(device);
	device_update_intx(device);
}

static void device_write(struct hv_pci_device *device, unsigned int offset, unsigned int width,
			 uint32_t value)
{
	for (unsigned int i = offset; i < offset + width; i++, value >>= 8) {
		uint8_t writable = device->writable[i];

		device->config[i] = (device->config[i] & ~writable) | (value & writable);
		device->config[i] &= ~(value & device->clearable[i]);
	}
	hv_pci_config_follow(device);
	if (device->written)
		device->written(device->dev, offset, width);
}

/* Give one BAR the next address that is a multiple of its size. */
static int bar_assign(struct hv_pci_bar *bar, uint64_t *next, uint64_t end)
{
	uint64_t base = (*next + bar->region.len - 1) & ~(bar->region.len - 1);
	uint32_t flags = (uint32_t)(bar->region.space == HV_PORT ? BAR_PORTS : 0);

	if (base < *next || base > end || bar->region.len > end - base)
		return -ENOSPC;
	*next = base + bar->region.len;
	hv_pci_config_set(bar->device, bar->reg, 4, (uint32_t)base | flags);
	return 0;
}

static int device_assign(struct hv_pci_device *device, uint64_t next[HV_NR_SPACES],
			 const uint64_t end[HV_NR_SPACES])
{
	uint32_t command = hv_pci_config_read(device, REG_COMMAND, 2);
	int err;

	for (unsigned int n = 0; n < HV_PCI_BARS; n++) {
		struct hv_pci_bar *bar = &device->bar[n];
		enum hv_space space = bar->region.space;

		if (!bar->region.len || bar->enable)
			continue;
		err = bar_assign(bar, &next[space], end[space]);
		if (err)
			return err;
		command |= space == HV_PORT ? COMMAND_PORTS : COMMAND_MMIO;
	}
	hv_pci_config_set(device, REG_COMMAND, 2, command);
	device_update_bars(device);
	return 0;
}

int hv_pci_assign(struct hv_pci *pci, uint64_t port_base, uint64_t port_end, uint64_t mmio_base,
		  uint64_t mmio_end)
{
	uint64_t next[HV_NR_SPACES] = { [HV_PORT] = port_base, [HV_MMIO] = mmio_base };
	const uint64_t end[HV_NR_SPACES] = { [HV_PORT] = port_end, [HV_MMIO] = mmio_end };
	int err;

	for (unsigned int i = 0; i < HV_PCI_FUNCTIONS; i++) {
		if (!pci->function[i])
			continue;
		err = device_assign(pci->function[i], next, end);
		if (err)
			return err;
	}
	return 0;
}

/* --------------------------------------------------------------- mechanism */

/* The function that CONFIG_ADDRESS points to, or NULL. */
static struct hv_pci_device *pci_target(const struct hv_pci *pci)
{
	if (!(pci->address & CONFIG_ENABLE) || (pci->address >> 16 & 0xff))
		return NULL;
	return pci->function[pci->address >> 8 & 0xff];
}

static void pci_access_data(void *dev, uint64_t offset, unsigned int width, bool write,
			    uint64_t *value)
{
	struct hv_pci *pci = dev;
	struct hv_pci_device *device = pci_target(pci);
	unsigned int reg = (pci->address & 0xfc) + (unsigned int)offset;

	if (write && device)
		device_write(device, reg, width, (uint32_t)*value);
	else if (!write)
		*value = device ? hv_pci_config_read(device, reg, width) : UINT64_MAX;
}

static void pci_access_address(void *dev, uint64_t offset, unsigned int width, bool write,
			       uint64_t *value)
{
	struct hv_pci *pci = dev;

	if (!write)
		*value = UINT64_MAX;
	if (width == 4 && write) {
		pci->address = *value & CONFIG_WRITABLE;
	} else if (width == 4) {
		*value = pci->address;
	} else if (width == 1 && offset == HV_CF9_PORT - HV_PCI_ADDRESS && pci->config.cf9) {
		if (write)
			hv_cf9_write(pci->config.cf9, (uint8_t)*value);
		else
			*value = hv_cf9_read(pci->config.cf9);
	}
}

/* BARs keep their addresses, as the firmware that would set them again is not there. */
void hv_pci_reset(struct hv_pci *pci)
{
	pci->address = 0;
}

int hv_pci_init(struct hv_pci *pci, const struct hv_pci_config *config)
{
	int err;

	memset(pci, 0, sizeof(*pci));
	pci->config = *config;
	pci->address_region = (struct hv_region){
		.name = "pci",
		.space = HV_PORT,
		.base = HV_PCI_ADDRESS,
		.len = 4,
		.access = pci_access_address,
		.dev = pci,
	};
	pci->data_region = (struct hv_region){
		.name = "pci",
		.space = HV_PORT,
		.base = HV_PCI_DATA,
		.len = 4,
		.access = pci_access_data,
		.dev = pci,
	};
	err = hv_bus_register(config->bus, &pci->address_region);
	if (err)
		return err;
	err = hv_bus_register(config->bus, &pci->data_region);
	if (err)
		hv_bus_unregister(config->bus, &pci->address_region);
	return err;
}

void hv_pci_exit(struct hv_pci *pci)
{
	for (unsigned int i = 0; i < HV_PCI_FUNCTIONS; i++)
		if (pci->function[i])
			hv_pci_remove(pci->function[i]);
	hv_bus_unregister(pci->config.bus, &pci->data_region);
	hv_bus_unregister(pci->config.bus, &pci->address_region);
}

void hv_pci_save(const struct hv_pci *pci, struct hv_pci_state *state)
{
	*state = (struct hv_pci_state){ .address = pci->address };
}

int hv_pci_check(const struct hv_pci *pci, const struct hv_pci_state *state)
{
	(void)pci;
	return (state->address & ~CONFIG_WRITABLE) || state->pad ? -EINVAL : 0;
}

int hv_pci_load(struct hv_pci *pci, const struct hv_pci_state *state)
{
	int err = hv_pci_check(pci, state);

	if (err)
		return err;
	pci->address = state->address;
	return 0;
}

HV_STATE_KIND(pci, HV_STATE_PCI, 1);

void hv_pci_device_save(const struct hv_pci_device *device, struct hv_pci_device_state *state)
{
	memcpy(state->config, device->config, HV_PCI_CONFIG);
}

int hv_pci_device_check(const struct hv_pci_device *device, const struct hv_pci_device_state *state)
{
	for (unsigned int i = 0; i < HV_PCI_CONFIG; i++) {
		uint8_t variable = device->writable[i] | device->clearable[i];

		if (i == REG_STATUS)
			variable |= STATUS_INTX;
		if ((state->config[i] ^ device->config[i]) & ~variable)
			return -EINVAL;
	}
	return 0;
}

int hv_pci_device_load(struct hv_pci_device *device, const struct hv_pci_device_state *state)
{
	int err = hv_pci_device_check(device, state);

	if (err)
		return err;
	memcpy(device->config, state->config, HV_PCI_CONFIG);
	hv_pci_config_follow(device);
	if (device->written)
		device->written(device->dev, 0, HV_PCI_CONFIG);
	return 0;
}

HV_STATE_KIND(pci_device, HV_STATE_PCI_DEVICE, 1);
