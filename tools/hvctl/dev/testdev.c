// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PC test device.
 *
 *  E0-E3         four bytes, read back in any width
 *  E4            4 bytes, write: the page of guest RAM at this address is unmapped and mapped
 *                again by the host, so that the guest's next access finds it gone
 *  E8-EB         the same four bytes as at E0, one at a time
 *  2000 + n      write: interrupt line n, 0 to 23, falls for 0 and rises for all else
 *  FF000000      64 KiB that are read back, and are no RAM
 *
 * The lines' levels are the controllers' state.
 */
#include <errno.h>
#include <string.h>

#include "testdev.h"

#define OFFSET_FLUSH 4
#define OFFSET_BYTES 8
#define PORTS_LEN 12
#define PAGE_MASK 0xfffull

static bool has_value(uint64_t offset)
{
	return offset < OFFSET_FLUSH || offset >= OFFSET_BYTES;
}

static uint8_t read8(void *dev, uint64_t offset)
{
	return has_value(offset) ? ((struct hv_testdev *)dev)->s.value[offset % 4] : 0;
}

static void write8(void *dev, uint64_t offset, uint8_t value)
{
	if (has_value(offset))
		((struct hv_testdev *)dev)->s.value[offset % 4] = value;
}

static void access_ports(void *dev, uint64_t offset, unsigned int width, bool write,
			 uint64_t *value)
{
	const struct hv_testdev_config *config = &((struct hv_testdev *)dev)->config;

	if (write && offset == OFFSET_FLUSH && width == 4 && config->flush)
		config->flush(config->ctx, (uint32_t)*value & ~PAGE_MASK);
	else
		hv_access_bytes(dev, offset, width, write, value, read8, write8);
}

static void access_irqs(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct hv_irq irq = ((struct hv_testdev *)dev)->config.irq;

	if (!write) {
		*value = 0;
		return;
	}
	irq.line += (unsigned int)offset;
	hv_irq_set(&irq, *value & hv_width_mask(width));
}

static void access_mmio(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	uint8_t *at = ((struct hv_testdev *)dev)->s.memory + offset;

	if (write) {
		memcpy(at, value, width);
		return;
	}
	*value = 0;
	memcpy(value, at, width);
}

void hv_testdev_reset(struct hv_testdev *dev)
{
	memset(&dev->s, 0, sizeof(dev->s));
}

int hv_testdev_init(struct hv_testdev *dev, const struct hv_testdev_config *config)
{
	int err;

	memset(dev, 0, sizeof(*dev));
	dev->config = *config;
	dev->ports = (struct hv_region){
		"testdev", HV_PORT, HV_TESTDEV_PORT, PORTS_LEN, access_ports, dev,
	};
	dev->irqs = (struct hv_region){
		"testdev", HV_PORT, HV_TESTDEV_IRQ_PORT, HV_TESTDEV_LINES, access_irqs, dev,
	};
	dev->mmio = (struct hv_region){
		"testdev", HV_MMIO, HV_TESTDEV_MMIO, HV_TESTDEV_MMIO_LEN, access_mmio, dev,
	};
	err = hv_bus_register(config->bus, &dev->ports);
	if (!err)
		err = hv_bus_register(config->bus, &dev->irqs);
	if (!err)
		err = hv_bus_register(config->bus, &dev->mmio);
	if (err)
		hv_testdev_exit(dev);
	return err;
}

/* What is not on the bus is not missed there. */
void hv_testdev_exit(struct hv_testdev *dev)
{
	hv_bus_unregister(dev->config.bus, &dev->mmio);
	hv_bus_unregister(dev->config.bus, &dev->irqs);
	hv_bus_unregister(dev->config.bus, &dev->ports);
}

void hv_testdev_save(const struct hv_testdev *dev, struct hv_testdev_state *state)
{
	*state = dev->s;
}

int hv_testdev_check(const struct hv_testdev *dev, const struct hv_testdev_state *state)
{
	(void)dev;
	return state->pad ? -EINVAL : 0;
}

int hv_testdev_load(struct hv_testdev *dev, const struct hv_testdev_state *state)
{
	int err = hv_testdev_check(dev, state);

	if (err)
		return err;
	dev->s = *state;
	return 0;
}

HV_STATE_KIND(testdev, HV_STATE_TESTDEV, 1);
