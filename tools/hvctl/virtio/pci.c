// SPDX-License-Identifier: GPL-2.0-only
/* Virtio over PCI: registers, notification, interrupts. */
#include <errno.h>
#include <linux/virtio_pci.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/event.h"
#include "lib/lock.h"
#include "lib/util.h"
#include "pci.h"
#include "pci_common.h"

#define VENDOR	      0x1af4
#define DEVICE_FIRST  0x1040	/* of a modern device: this and its kind's number */
#define SUBSYSTEM     0x1100
#define REVISION      1

#define BAR_REGISTERS 0
#define BAR_CONFIG    1
#define BAR_MSIX      4

#define COMMON	      0x00
#define COMMON_LEN    0x3c	/* up to queue_reset */
#define ISR	      0x40
#define NOTIFY	      0x80
#define NOTIFY_STEP   4
#define REGISTERS_LEN 0x100
_Static_assert(NOTIFY + NOTIFY_STEP * HV_VIRTIO_QUEUES <= REGISTERS_LEN, "a port for each queue");

/* -------------------------------------------------------------- interrupts */

static int fd_of_vector(const struct hv_virtio_pci *t, uint16_t vector)
{
	return vector == VIRTIO_MSI_NO_VECTOR ? -1 : t->vector_fd[vector];
}

void hv_virtio_pci_wire(struct hv_virtio_pci *t)
{
	bool msix = hv_msix_is_enabled(&t->msix);

	for (unsigned int n = 0; n < t->dev->nr_queues; n++)
		atomic_store(&t->dev->queue[n].ring.call_fd,
			     msix ? fd_of_vector(t, t->queue_vector[n]) : t->intx[0].watch.fd);
	atomic_store(&t->dev->config_fd,
		     msix ? fd_of_vector(t, t->config_vector) : t->intx[1].watch.fd);
	hv_virtio_rewire(t->dev);
}

static void set_isr(struct hv_virtio_pci *t, uint8_t isr)
{
	t->isr = isr;
	hv_pci_set_intx(&t->device, isr);
}

/* What was signalled before a reset is nobody's behind it. */
static bool may_interrupt(struct hv_virtio *dev)
{
	return !hv_virtio_is_resetting(dev) && hv_virtio_status(dev) & HV_VIRTIO_DRIVER_OK;
}

/* By the machine's loop: who holds the machine's lock may wait for a worker, which takes it not. */
static void on_intx(void *ctx, short revents)
{
	struct hv_virtio_intx *intx = ctx;
	struct hv_virtio_pci *t = intx->transport;

	(void)revents;
	pthread_mutex_lock(t->config.lock);
	if (hv_take_event(intx->watch.fd) && !hv_msix_is_enabled(&t->msix) && may_interrupt(t->dev))
		set_isr(t, t->isr | intx->isr);
	pthread_mutex_unlock(t->config.lock);
}

static int route(void *ctx, unsigned int vector, bool on, uint64_t address, uint32_t data)
{
	struct hv_virtio_pci *t = ctx;

	return t->config.irqfd(t->config.ctx, on, t->vector_fd[vector], address, data);
}

static bool is_pending(void *ctx, unsigned int vector)
{
	const struct hv_virtio_pci *t = ctx;
	struct pollfd fd = { .fd = t->vector_fd[vector], .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static void set_pending(void *ctx, unsigned int vector, bool pending)
{
	const struct hv_virtio_pci *t = ctx;

	if (pending)
		hv_signal_shared_event(t->vector_fd[vector]);
	else
		(void)hv_take_event(t->vector_fd[vector]);
}

static void msix_enabled(void *ctx, bool on)
{
	struct hv_virtio_pci *t = ctx;

	if (on)
		set_isr(t, 0);
	hv_virtio_pci_wire(t);
}

/* ----------------------------------------------------------------- a reset */

void hv_virtio_pci_forget(struct hv_virtio_pci *t)
{
	t->device_feature_select = t->driver_feature_select = 0;
	t->queue_select = 0;
	t->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (unsigned int n = 0; n < HV_VIRTIO_QUEUES; n++)
		t->queue_vector[n] = VIRTIO_MSI_NO_VECTOR;
	set_isr(t, 0);
	hv_virtio_pci_wire(t);
}

void hv_virtio_pci_reset(struct hv_virtio_pci *t)
{
	hv_msix_reset(&t->msix);
	hv_virtio_pci_forget(t);
}

/* -------------------------------------------------------------------- BARs */

/*
 * A kick that the kernel has not taken: of another width, or another device had the port when ours
 * came there. That one may have gone by now, and so the next one does not come here. Or by the
 * window, while the ports are nowhere.
 */
static void notify(struct hv_virtio_pci *t, unsigned int offset, unsigned int width)
{
	unsigned int n = offset / NOTIFY_STEP;
	const struct hv_vqueue *queue;

	if (offset % NOTIFY_STEP || n >= t->dev->nr_queues)
		return;
	queue = hv_virtio_ring(t->dev, n);
	if (width == 2 && t->notify_port)
		(void)t->config.ioeventfd(t->config.ctx, true, queue->kick_fd,
					  (uint16_t)(t->notify_port + offset));
	hv_signal_shared_event(queue->kick_fd);
}

static uint8_t take_isr(struct hv_virtio_pci *t)
{
	uint8_t isr = t->isr;

	set_isr(t, 0);
	return isr;
}

static void access_registers(void *dev, uint64_t offset, unsigned int width, bool write,
			     uint64_t *value)
{
	struct hv_virtio_pci *t = dev;

	if (write && offset < COMMON + COMMON_LEN)
		hv_virtio_pci_write_common(t, (unsigned int)offset, width, (uint32_t)*value);
	else if (write && offset >= NOTIFY)
		notify(t, (unsigned int)offset - NOTIFY, width);
	else if (!write && offset < COMMON + COMMON_LEN)
		*value = hv_virtio_pci_read_common(t, (unsigned int)offset, width);
	else if (!write)
		*value = offset == ISR ? take_isr(t) : 0;
}

static void access_config(void *dev, uint64_t offset, unsigned int width, bool write,
			  uint64_t *value)
{
	struct hv_virtio *device = ((struct hv_virtio_pci *)dev)->dev;

	pthread_mutex_lock(&device->lock);
	if (!write)
		*value = 0;
	if (offset + width <= device->config_len) {
		if (!write)
			memcpy(value, device->config + offset, width);
		else if (device->kind->write_config)
			device->kind->write_config(device, (unsigned int)offset, width,
						   (uint32_t)*value);
	}
	pthread_mutex_unlock(&device->lock);
}

/* Have the kernel take kicks where the ports are now. Who does not get it exits to notify(). */
static void move_kicks(void *dev, unsigned int bar, uint64_t where)
{
	struct hv_virtio_pci *t = dev;
	uint16_t before = t->notify_port;

	if (bar != BAR_REGISTERS)
		return;
	t->notify_port = where ? (uint16_t)(where + NOTIFY) : 0;
	for (unsigned int n = 0; n < t->dev->nr_queues; n++) {
		int fd = t->dev->queue[n].ring.kick_fd;
		uint16_t step = (uint16_t)(n * NOTIFY_STEP);

		if (before)
			(void)t->config.ioeventfd(t->config.ctx, false, fd, before + step);
		if (t->notify_port)
			(void)t->config.ioeventfd(t->config.ctx, true, fd, t->notify_port + step);
	}
}

/* ----------------------------------------------------- configuration space */

/*
 * The capability of type PCI_CFG: four bytes of configuration space through which one reaches what
 * a BAR has, for who cannot (a firmware, early).
 */
static void access_window(struct hv_virtio_pci *t, bool write)
{
	unsigned int at = t->window;
	uint32_t bar = hv_pci_config_read(&t->device, at + offsetof(struct virtio_pci_cap, bar), 1);
	uint32_t offset =
		hv_pci_config_read(&t->device, at + offsetof(struct virtio_pci_cap, offset), 4);
	uint32_t width =
		hv_pci_config_read(&t->device, at + offsetof(struct virtio_pci_cap, length), 4);
	unsigned int data = at + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);
	uint64_t value,
		len = bar == BAR_REGISTERS ? REGISTERS_LEN : t->device.bar[BAR_CONFIG].region.len;

	if ((bar != BAR_REGISTERS && bar != BAR_CONFIG) ||
	    (width != 1 && width != 2 && width != 4) || offset % width || offset >= len)
		return;
	value = hv_pci_config_read(&t->device, data, width);
	if (bar == BAR_REGISTERS)
		access_registers(t, offset, width, write, &value);
	else
		access_config(t, offset, width, write, &value);
	if (!write)
		hv_pci_config_set(&t->device, data, width, (uint32_t)value);
}

static bool is_window(const struct hv_virtio_pci *t, unsigned int offset, unsigned int width)
{
	unsigned int data = t->window + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);

	return t->window && offset < data + 4 && data < offset + width;
}

static void reading(void *dev, unsigned int offset, unsigned int width)
{
	if (is_window(dev, offset, width))
		access_window(dev, false);
}

static void written(void *dev, unsigned int offset, unsigned int width)
{
	struct hv_virtio_pci *t = dev;

	hv_msix_written(&t->msix, offset, width);
	if (is_window(t, offset, width) && width <= 4)
		access_window(t, true);
}

/* A capability that says where something is. Returns its place or -ENOSPC. */
static int add_capability(struct hv_virtio_pci *t, uint8_t type, uint8_t bar, uint32_t offset,
			  uint32_t length, unsigned int size)
{
	int at = hv_pci_device_add_capability(&t->device, 0x09, size);

	if (at < 0)
		return at;
	hv_pci_config_set(&t->device, at + offsetof(struct virtio_pci_cap, cap_len), 1, size);
	hv_pci_config_set(&t->device, at + offsetof(struct virtio_pci_cap, cfg_type), 1, type);
	hv_pci_config_set(&t->device, at + offsetof(struct virtio_pci_cap, bar), 1, bar);
	hv_pci_config_set(&t->device, at + offsetof(struct virtio_pci_cap, offset), 4, offset);
	hv_pci_config_set(&t->device, at + offsetof(struct virtio_pci_cap, length), 4, length);
	return at;
}

static int add_window(struct hv_virtio_pci *t)
{
	int at = add_capability(t, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 0,
				sizeof(struct virtio_pci_cfg_cap));

	if (at < 0)
		return at;
	t->window = (unsigned int)at;
	hv_pci_config_allow(&t->device, at + offsetof(struct virtio_pci_cap, bar), 1, 0xff);
	hv_pci_config_allow(&t->device, at + offsetof(struct virtio_pci_cap, offset), 4, ~0u);
	hv_pci_config_allow(&t->device, at + offsetof(struct virtio_pci_cap, length), 4, ~0u);
	hv_pci_config_allow(&t->device, at + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data), 4,
			    ~0u);
	return 0;
}

static int add_capabilities(struct hv_virtio_pci *t)
{
	unsigned int notify_len = NOTIFY_STEP * t->dev->nr_queues;
	int at;

	if (add_capability(t, VIRTIO_PCI_CAP_COMMON_CFG, BAR_REGISTERS, COMMON, COMMON_LEN,
			   sizeof(struct virtio_pci_cap)) < 0 ||
	    add_capability(t, VIRTIO_PCI_CAP_ISR_CFG, BAR_REGISTERS, ISR, 1,
			   sizeof(struct virtio_pci_cap)) < 0)
		return -ENOSPC;
	at = add_capability(t, VIRTIO_PCI_CAP_NOTIFY_CFG, BAR_REGISTERS, NOTIFY, notify_len,
			    sizeof(struct virtio_pci_notify_cap));
	if (at < 0)
		return at;
	hv_pci_config_set(&t->device,
			  at + offsetof(struct virtio_pci_notify_cap, notify_off_multiplier), 4,
			  NOTIFY_STEP);
	if (t->dev->config_len &&
	    add_capability(t, VIRTIO_PCI_CAP_DEVICE_CFG, BAR_CONFIG, 0, t->dev->config_len,
			   sizeof(struct virtio_pci_cap)) < 0)
		return -ENOSPC;
	return add_window(t);
}

/* ------------------------------------------------------------------ create */

static int make_fd(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static int make_fds(struct hv_virtio_pci *t)
{
	int error = 0;

	for (unsigned int i = 0; i < HV_VIRTIO_INTX; i++) {
		t->intx[i] = (struct hv_virtio_intx){
			.transport = t,
			.watch = { .fd = make_fd(), .ready = on_intx, .ctx = &t->intx[i] },
			.isr = (uint8_t)(1u << i),
		};
		error |= t->intx[i].watch.fd < 0;
	}
	for (unsigned int i = 0; i < t->vectors; i++) {
		t->vector_fd[i] = make_fd();
		error |= t->vector_fd[i] < 0;
	}
	return error ? -EMFILE : 0;
}

static void close_fds(struct hv_virtio_pci *t)
{
	for (unsigned int i = 0; i < HV_VIRTIO_INTX; i++)
		hv_close(t->intx[i].watch.fd);
	for (unsigned int i = 0; i < t->vectors; i++)
		hv_close(t->vector_fd[i]);
}

static uint64_t power_of_two(uint64_t least)
{
	uint64_t size = 4;

	while (size < least)
		size *= 2;
	return size;
}

static int add_bars(struct hv_virtio_pci *t)
{
	const struct hv_msix_config msix = {
		.device = &t->device,
		.bar = BAR_MSIX,
		.vectors = t->vectors,
		.route = route,
		.pending = is_pending,
		.set_pending = set_pending,
		.enabled_changed = msix_enabled,
		.ctx = t,
	};
	int error = hv_pci_device_set_bar(&t->device, BAR_REGISTERS, HV_PORT, REGISTERS_LEN,
					  access_registers, t);

	if (!error && t->dev->config_len)
		error = hv_pci_device_set_bar(&t->device, BAR_CONFIG, HV_PORT,
					      power_of_two(t->dev->config_len), access_config, t);
	if (!error)
		error = hv_msix_init(&t->msix, &msix);
	return error ? error : add_capabilities(t);
}

static int add_device(struct hv_virtio_pci *t, struct hv_error *err)
{
	const struct hv_pci_ids ids = {
		.vendor = VENDOR,
		.device = DEVICE_FIRST + t->dev->kind->id,
		.subsystem_vendor = VENDOR,
		.subsystem = SUBSYSTEM,
		.class_code = t->dev->kind->class_code,
		.revision = REVISION,
		.intx = 1,
	};
	int error;

	hv_pci_device_init(&t->device, &ids);
	t->device.dev = t;
	t->device.written = written;
	t->device.reading = reading;
	t->device.moved = move_kicks;
	error = add_bars(t);
	if (!error)
		error = hv_pci_add(t->config.pci, &t->device, t->config.devfn);
	return error ? hv_fail(err, -error, "has no room on the PCI bus; please report it") : 0;
}

int hv_virtio_pci_create(struct hv_virtio_pci *t, const struct hv_virtio_pci_config *config,
			 struct hv_virtio *dev, struct hv_error *err)
{
	int error;

	memset(t, 0, sizeof(*t));
	t->config = *config;
	t->dev = dev;
	t->vectors = dev->nr_queues + 1;
	dev->owner = t;
	error = make_fds(t);
	if (error) {
		hv_fail(err, EMFILE, "no file descriptors; close something, or raise ulimit -n");
		goto close;
	}
	error = add_device(t, err);
	if (error)
		goto close;
	hv_virtio_pci_forget(t);
	for (unsigned int i = 0; i < HV_VIRTIO_INTX; i++)
		hv_loop_add(config->loop, &t->intx[i].watch);
	error = hv_worker_start(&dev->worker, err);
	if (!error)
		return 0;
	hv_virtio_pci_destroy(t);
	return error;
close:
	close_fds(t);
	dev->kind->destroy(dev);
	return error;
}

/* First nobody finds it, then nothing is under way, then it is gone. */
void hv_virtio_pci_destroy(struct hv_virtio_pci *t)
{
	for (unsigned int i = 0; i < HV_VIRTIO_INTX; i++)
		hv_loop_remove(t->config.loop, &t->intx[i].watch);
	hv_pci_remove(&t->device);
	hv_virtio_reset(t->dev);
	hv_msix_exit(&t->msix);
	hv_worker_stop(&t->dev->worker);
	t->dev->kind->destroy(t->dev);
	close_fds(t);
}
