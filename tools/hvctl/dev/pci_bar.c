// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs: the registers by which a guest says where on the bus a device answers.
 *
 *  ports    31:2 address   1:0 01
 *  memory   31:4 address   3 prefetchable, never   2:1 of 32 bits: 00; of 64: 10, and the next
 *           BAR has 63:32
 */
#include <errno.h>

#include "pci_regs.h"

/* No CPU has a wider address. */
#define ADDRESS_END (1ull << 52)

static uint32_t bar_flags(const struct hv_pci_bar *bar)
{
	return bar->region.space == HV_PORT ? BAR_PORTS_FLAGS : BAR_MMIO_FLAGS;
}

static uint64_t bar_address(const struct hv_pci_bar *bar)
{
	uint64_t address = hv_pci_config_read(bar->device, bar->reg, 4) & ~bar_flags(bar);

	if (bar->wide)
		address |= (uint64_t)hv_pci_config_read(bar->device, bar->reg + 4u, 4) << 32;
	return address;
}

static void bar_set_address(struct hv_pci_bar *bar, uint64_t address)
{
	uint32_t flags = hv_pci_config_read(bar->device, bar->reg, 4) & bar_flags(bar);

	hv_pci_config_set(bar->device, bar->reg, 4, (uint32_t)address | flags);
	if (bar->wide)
		hv_pci_config_set(bar->device, bar->reg + 4u, 4, (uint32_t)(address >> 32));
}

static uint64_t bar_end_of_space(const struct hv_pci_bar *bar)
{
	if (bar->region.space == HV_PORT)
		return 1 << 16;
	return bar->wide ? ADDRESS_END : 1ull << 32;
}

/* Does the device decode this BAR, and at an address where it can be? */
static bool bar_decodes(const struct hv_pci_bar *bar, uint64_t base)
{
	uint32_t command = hv_pci_config_read(bar->device, REG_COMMAND, 2);
	bool ports = bar->region.space == HV_PORT;
	bool on = bar->enable ? bar->device->config[bar->enable] & 1 :
				command & (ports ? COMMAND_PORTS : COMMAND_MMIO);

	/* Zero is an address, but what it means is "not assigned". */
	return bar->device->pci && on && base && base <= bar_end_of_space(bar) - bar->region.len;
}

static void bar_unmap(struct hv_pci_bar *bar)
{
	if (bar->mapped)
		hv_bus_unregister(bar->device->pci->config.bus, &bar->region);
	bar->mapped = false;
}

static void bar_map(struct hv_pci_bar *bar)
{
	if (bar->decodes)
		bar->mapped = !hv_bus_register(bar->device->pci->config.bus, &bar->region);
}

/* Follow what the guest wrote; true if that makes a difference. */
static bool bar_follow(struct hv_pci_bar *bar)
{
	uint64_t base;
	bool decodes;

	if (!bar->region.len)
		return false;
	base = bar_address(bar);
	decodes = bar_decodes(bar, base);
	if (bar->decodes == decodes && bar->region.base == base)
		return false;
	bar_unmap(bar);
	bar->region.base = base;
	bar->decodes = decodes;
	return true;
}

/* No BAR is mapped at 0, so that says nowhere. */
static uint64_t bar_where(const struct hv_pci_bar *bar)
{
	return bar->mapped ? bar->region.base : 0;
}

static void bar_tell(struct hv_pci_bar *bar, uint64_t where)
{
	if (where == bar->told)
		return;
	bar->told = where;
	if (bar->device->moved)
		bar->device->moved(bar->device->dev, (unsigned int)(bar - bar->device->bar), where);
}

static void bar_tell_gone(struct hv_pci_bar *bar)
{
	if (bar->told != bar_where(bar))
		bar_tell(bar, 0);
}

static void bar_tell_come(struct hv_pci_bar *bar)
{
	bar_tell(bar, bar_where(bar));
}

typedef void (*bar_fn)(struct hv_pci_bar *bar);

static void device_bars(struct hv_pci_device *device, bar_fn fn)
{
	for (unsigned int n = 0; n < HV_PCI_BARS; n++)
		fn(&device->bar[n]);
}

static void all_bars(struct hv_pci *pci, bar_fn fn)
{
	for (unsigned int i = 0; i < HV_PCI_FUNCTIONS; i++)
		if (pci->function[i])
			device_bars(pci->function[i], fn);
}

/*
 * While a guest sizes and moves BARs, they may lie on top of each other: then the first
 * function's answers, and the others' nowhere until it has gone. So what is mapped
 * follows from what is in the registers, and not from how it came there. Those that are
 * in the end where they were hear nothing of it.
 */
static void map_all(struct hv_pci *pci)
{
	all_bars(pci, bar_unmap);
	all_bars(pci, bar_map);
	all_bars(pci, bar_tell_gone);
	all_bars(pci, bar_tell_come);
}

void hv_pci_follow_bars(struct hv_pci_device *device)
{
	bool changed = false;

	for (unsigned int n = 0; n < HV_PCI_BARS; n++)
		changed |= bar_follow(&device->bar[n]);
	if (changed && device->pci)
		map_all(device->pci);
}

static void bar_drop(struct hv_pci_bar *bar)
{
	bar_unmap(bar);
	bar->decodes = false;
}

void hv_pci_drop_bars(struct hv_pci_device *device)
{
	device_bars(device, bar_drop);
	map_all(device->pci);
}

bool hv_pci_bar_where(const struct hv_pci_device *device, unsigned int n, uint64_t *base)
{
	*base = device->bar[n].region.base;
	return device->bar[n].mapped;
}

/* -------------------------------------------------------- what there can be */

/* Nothing has the place, nor has a BAR of 64 bits that begins before it. */
static bool is_free(const struct hv_pci_device *device, unsigned int n)
{
	return n < HV_PCI_BARS && !device->bar[n].region.len && !(n && device->bar[n - 1].wide);
}

static bool is_size(uint64_t size, uint64_t least, uint64_t most)
{
	return size >= least && size <= most && !(size & (size - 1));
}

static struct hv_pci_bar *add_bar(struct hv_pci_device *device, unsigned int n, enum hv_space space,
				  uint64_t size, hv_access_fn access, void *dev)
{
	struct hv_pci_bar *bar = &device->bar[n];

	*bar = (struct hv_pci_bar){
		.device = device,
		.reg = (uint8_t)(REG_BARS + 4 * n),
		.region = {
			.name = "pci", .space = space, .len = size, .access = access, .dev = dev,
		},
	};
	hv_pci_config_allow(device, bar->reg, 4, -(uint32_t)size);
	return bar;
}

int hv_pci_device_set_bar(struct hv_pci_device *device, unsigned int n, enum hv_space space,
			  uint64_t size, hv_access_fn access, void *dev)
{
	bool ports = space == HV_PORT;

	if (!is_free(device, n) || !is_size(size, ports ? BAR_PORTS_MIN : BAR_MMIO_MIN,
					    ports ? BAR_PORTS_MAX : BAR_MMIO_MAX))
		return -EINVAL;
	add_bar(device, n, space, size, access, dev);
	hv_pci_config_set(device, REG_BARS + 4 * n, 4, ports ? BAR_PORTS : 0);
	return 0;
}

int hv_pci_device_set_bar64(struct hv_pci_device *device, unsigned int n, uint64_t size,
			    hv_access_fn access, void *dev)
{
	if (!is_free(device, n) || !is_free(device, n + 1) ||
	    !is_size(size, BAR_MMIO_MIN, BAR_MMIO_MAX))
		return -EINVAL;
	add_bar(device, n, HV_MMIO, size, access, dev)->wide = true;
	hv_pci_config_set(device, REG_BARS + 4 * n, 4, BAR_WIDE);
	hv_pci_config_allow(device, REG_BARS + 4 * (n + 1), 4, UINT32_MAX);
	return 0;
}

int hv_pci_device_set_window(struct hv_pci_device *device, unsigned int n, uint8_t reg,
			     uint8_t enable, uint16_t size, hv_access_fn access, void *dev)
{
	if (!is_free(device, n) || reg < REG_FREE || reg > REG_LAST || enable < REG_FREE ||
	    !is_size(size, BAR_PORTS_MIN, 1 << 15))
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

/* --------------------------------------------------------- what a BIOS does */

/* Give one BAR the next address that is a multiple of its size. */
static int bar_assign(struct hv_pci_bar *bar, uint64_t *next, uint64_t end)
{
	uint64_t base = (*next + bar->region.len - 1) & ~(bar->region.len - 1);

	if (base < *next || base > end || bar->region.len > end - base)
		return -ENOSPC;
	*next = base + bar->region.len;
	bar_set_address(bar, base);
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
	hv_pci_follow_bars(device);
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
