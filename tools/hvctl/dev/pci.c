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
 *  10..27 BARs: pci_bar.c   2C subsystem   34 first capability   3C interrupt line   3D pin
 */
#include <errno.h>
#include <string.h>

#include "pci_regs.h"

#define CONFIG_ENABLE 0x80000000u
#define CONFIG_WRITABLE 0x80fffffcu

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
	hv_pci_follow_bars(device);
	device_update_intx(device);
	return 0;
}

void hv_pci_remove(struct hv_pci_device *device)
{
	struct hv_pci *pci = device->pci;

	if (!pci)
		return;
	hv_pci_set_intx(device, false);
	hv_pci_drop_bars(device);
	pci->function[device->devfn] = NULL;
	device->pci = NULL;
}

void hv_pci_config_follow(struct hv_pci_device *device)
{
	hv_pci_follow_bars(device);
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

static uint32_t device_read(struct hv_pci_device *device, unsigned int offset, unsigned int width)
{
	if (device->reading)
		device->reading(device->dev, offset, width);
	return hv_pci_config_read(device, offset, width);
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
		*value = device ? device_read(device, reg, width) : UINT64_MAX;
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

/*
 * BARs keep their addresses and answer there, as the firmware that would set them again is not
 * there. The rest of the command register is clear.
 */
static void device_reset(struct hv_pci_device *device)
{
	uint32_t command = hv_pci_config_read(device, REG_COMMAND, 2);

	hv_pci_config_set(device, REG_COMMAND, 2, command & (COMMAND_PORTS | COMMAND_MMIO));
	device_update_intx(device);
}

void hv_pci_reset(struct hv_pci *pci)
{
	pci->address = 0;
	for (unsigned int i = 0; i < HV_PCI_FUNCTIONS; i++)
		if (pci->function[i])
			device_reset(pci->function[i]);
}

unsigned int hv_pci_slots(const struct hv_pci *pci)
{
	unsigned int functions = HV_PCI_FUNCTIONS;

	while (functions && !pci->function[functions - 1])
		functions--;
	return (functions + 7) / 8;
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
