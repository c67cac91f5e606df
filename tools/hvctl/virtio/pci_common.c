// SPDX-License-Identifier: GPL-2.0-only
/* Virtio over PCI: the registers of "Common configuration structure layout", a row each. */
#include <linux/virtio_pci.h>
#include <string.h>

#include "lib/util.h"
#include "pci_common.h"

/* The queue that is selected; NULL: there is none of that number. */
static struct hv_virtio_queue *selected(struct hv_virtio_pci *t)
{
	return t->queue_select < t->dev->nr_queues ? &t->dev->queue[t->queue_select] : NULL;
}

static uint32_t half(uint64_t bits, uint32_t select)
{
	return select > 1 ? 0 : (uint32_t)(bits >> 32 * select);
}

static uint32_t read_locked(struct hv_virtio *dev, const void *at, size_t size)
{
	uint32_t value = 0;

	pthread_mutex_lock(&dev->lock);
	memcpy(&value, at, size);
	pthread_mutex_unlock(&dev->lock);
	return value;
}

static uint32_t read_device(struct hv_virtio_pci *t, unsigned int reg)
{
	struct hv_virtio *dev = t->dev;

	switch (reg) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		return t->device_feature_select;
	case VIRTIO_PCI_COMMON_DF:
		return half(dev->offered, t->device_feature_select);
	case VIRTIO_PCI_COMMON_GFSELECT:
		return t->driver_feature_select;
	case VIRTIO_PCI_COMMON_GF:
		return half(dev->chosen, t->driver_feature_select);
	case VIRTIO_PCI_COMMON_MSIX:
		return t->config_vector;
	case VIRTIO_PCI_COMMON_NUMQ:
		return dev->nr_queues;
	case VIRTIO_PCI_COMMON_STATUS:
		return hv_virtio_status(dev);
	case VIRTIO_PCI_COMMON_CFGGENERATION:
		return read_locked(dev, &dev->generation, sizeof(dev->generation));
	case VIRTIO_PCI_COMMON_Q_SELECT:
		return t->queue_select;
	}
	return 0;
}

static void write_device(struct hv_virtio_pci *t, unsigned int reg, uint32_t value)
{
	struct hv_virtio *dev = t->dev;

	switch (reg) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		t->device_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		t->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		if (t->driver_feature_select <= 1)
			hv_virtio_choose(dev, 32 * t->driver_feature_select, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		t->config_vector = value <= dev->nr_queues ? value : VIRTIO_MSI_NO_VECTOR;
		hv_virtio_pci_wire(t);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		hv_virtio_set_status(dev, (uint8_t)value);
		if (!value)
			hv_virtio_pci_forget(t);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		t->queue_select = (uint16_t)value;
		break;
	}
}

/* One of the three areas' addresses, a half at a time. */
static uint64_t *area(struct hv_vqueue_setup *setup, unsigned int reg)
{
	switch (reg & ~4u) {
	case VIRTIO_PCI_COMMON_Q_DESCLO:
		return &setup->desc;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
		return &setup->driver;
	default:
		return &setup->device;
	}
}

static uint32_t read_area(struct hv_virtio_pci *t, unsigned int reg)
{
	struct hv_virtio_queue *queue = selected(t);

	return queue ? half(*area(&queue->setup, reg), reg & 4 ? 1 : 0) : 0;
}

static void write_area(struct hv_virtio_pci *t, unsigned int reg, uint32_t value)
{
	struct hv_virtio_queue *queue = selected(t);
	unsigned int shift = reg & 4 ? 32 : 0;
	uint64_t *address;

	if (!queue)
		return;
	address = area(&queue->setup, reg);
	*address = (*address & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
}

static uint32_t read_queue(struct hv_virtio_pci *t, unsigned int reg)
{
	struct hv_virtio_queue *queue = selected(t);

	switch (reg) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		return queue ? queue->setup.size : 0;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		return queue ? t->queue_vector[queue->index] : VIRTIO_MSI_NO_VECTOR;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return queue && queue->enabled;
	case VIRTIO_PCI_COMMON_Q_NOFF:
	case VIRTIO_PCI_COMMON_Q_NDATA:
		return t->queue_select;
	case VIRTIO_PCI_COMMON_Q_RESET:
		return queue ? read_locked(t->dev, &queue->resetting, sizeof(queue->resetting)) : 0;
	}
	return 0;
}

static void write_queue(struct hv_virtio_pci *t, unsigned int reg, uint32_t value)
{
	struct hv_virtio_queue *queue = selected(t);

	if (!queue)
		return;
	switch (reg) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		queue->setup.size = (uint16_t)value;
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		t->queue_vector[queue->index] = value <= t->dev->nr_queues ? value :
									     VIRTIO_MSI_NO_VECTOR;
		hv_virtio_pci_wire(t);
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		/* "The driver MUST NOT write a 0". */
		if (value == 1)
			hv_virtio_enable_queue(t->dev, queue->index);
		break;
	case VIRTIO_PCI_COMMON_Q_RESET:
		if (value == 1)
			hv_virtio_reset_queue(t->dev, queue->index);
		break;
	}
}

struct reg {
	uint8_t offset, width;
	bool setup;	/* of a queue: fixed while the queue is enabled */
	uint32_t (*read)(struct hv_virtio_pci *t, unsigned int reg);
	void (*write)(struct hv_virtio_pci *t, unsigned int reg, uint32_t value);
};

static const struct reg regs[] = {
	{ VIRTIO_PCI_COMMON_DFSELECT, 4, false, read_device, write_device },
	{ VIRTIO_PCI_COMMON_DF, 4, false, read_device, NULL },
	{ VIRTIO_PCI_COMMON_GFSELECT, 4, false, read_device, write_device },
	{ VIRTIO_PCI_COMMON_GF, 4, false, read_device, write_device },
	{ VIRTIO_PCI_COMMON_MSIX, 2, false, read_device, write_device },
	{ VIRTIO_PCI_COMMON_NUMQ, 2, false, read_device, NULL },
	{ VIRTIO_PCI_COMMON_STATUS, 1, false, read_device, write_device },
	{ VIRTIO_PCI_COMMON_CFGGENERATION, 1, false, read_device, NULL },
	{ VIRTIO_PCI_COMMON_Q_SELECT, 2, false, read_device, write_device },
	{ VIRTIO_PCI_COMMON_Q_SIZE, 2, true, read_queue, write_queue },
	{ VIRTIO_PCI_COMMON_Q_MSIX, 2, false, read_queue, write_queue },
	{ VIRTIO_PCI_COMMON_Q_ENABLE, 2, false, read_queue, write_queue },
	{ VIRTIO_PCI_COMMON_Q_NOFF, 2, false, read_queue, NULL },
	{ VIRTIO_PCI_COMMON_Q_DESCLO, 4, true, read_area, write_area },
	{ VIRTIO_PCI_COMMON_Q_DESCHI, 4, true, read_area, write_area },
	{ VIRTIO_PCI_COMMON_Q_AVAILLO, 4, true, read_area, write_area },
	{ VIRTIO_PCI_COMMON_Q_AVAILHI, 4, true, read_area, write_area },
	{ VIRTIO_PCI_COMMON_Q_USEDLO, 4, true, read_area, write_area },
	{ VIRTIO_PCI_COMMON_Q_USEDHI, 4, true, read_area, write_area },
	{ VIRTIO_PCI_COMMON_Q_NDATA, 2, false, read_queue, NULL },
	{ VIRTIO_PCI_COMMON_Q_RESET, 2, false, read_queue, write_queue },
};

static const struct reg *find_reg(unsigned int offset)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
		if (offset - regs[i].offset < regs[i].width)
			return &regs[i];
	return NULL;
}

uint32_t hv_virtio_pci_read_common(struct hv_virtio_pci *t, unsigned int offset, unsigned int width)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < width;) {
		const struct reg *reg = find_reg(offset + i);
		unsigned int skip;

		if (!reg)
			break;
		skip = offset + i - reg->offset;
		value |= reg->read(t, reg->offset) >> 8 * skip << 8 * i;
		i += reg->width - skip;
	}
	return value;
}

void hv_virtio_pci_write_common(struct hv_virtio_pci *t, unsigned int offset, unsigned int width,
				uint32_t value)
{
	const struct reg *reg = find_reg(offset);
	const struct hv_virtio_queue *queue = selected(t);

	if (!reg || !reg->write || reg->offset != offset || reg->width != width)
		return;
	if (!reg->setup) {
		reg->write(t, offset, value);
		return;
	}
	pthread_mutex_lock(&t->dev->lock);
	if (queue && !queue->enabled && !queue->resetting && !t->dev->resetting)
		reg->write(t, offset, value);
	pthread_mutex_unlock(&t->dev->lock);
}
