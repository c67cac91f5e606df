/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtio over PCI, in its modern form alone. Registers are ports, which exits give to us decoded;
 * a kick is a port of its own for each queue, and signals its eventfd in the kernel; interrupts
 * are eventfds, which the kernel turns into messages (MSI-X), or the machine's loop into a level
 * (INTx).
 *
 *  BAR 0, ports	00 common configuration   40 ISR status   80 + 4n notify queue n
 *  BAR 1, ports	device configuration
 *  BAR 4-5, memory	MSI-X table and pending bits: a vector for each queue behind one for changes
 *
 * Virtio 1.2, "Virtio Over PCI Bus".
 */
#ifndef HV_VIRTIO_PCI_H
#define HV_VIRTIO_PCI_H

#include "dev/msix.h"
#include "dev/pci.h"
#include "virtio.h"

#define HV_VIRTIO_VECTORS (HV_VIRTIO_QUEUES + 1)
#define HV_VIRTIO_INTX	  2	/* what the ISR status tells apart: rings, configuration */

struct hv_virtio_pci_config {
	struct hv_pci *pci;
	unsigned int devfn;
	struct hv_loop *loop;		/* the machine's */
	pthread_mutex_t *lock;		/* ... and its lock: INTx is a chip's business */
	/*
	 * Have the kernel signal @fd for each OUT of two bytes to @port, or send a message for each
	 * signal of @fd; and no longer. 0 or -errno. Machine's lock held.
	 */
	int (*ioeventfd)(void *ctx, bool on, int fd, uint16_t port);
	int (*irqfd)(void *ctx, bool on, int fd, uint64_t address, uint32_t data);
	void *ctx;
};

struct hv_virtio_pci;

/* What an INTx level is made of: an eventfd, and a bit of the ISR status. */
struct hv_virtio_intx {
	struct hv_virtio_pci *transport;
	struct hv_watch watch;
	uint8_t isr;
};

struct hv_virtio_pci {
	struct hv_virtio_pci_config config;
	struct hv_virtio *dev;
	struct hv_pci_device device;
	struct hv_msix msix;
	unsigned int vectors;
	int vector_fd[HV_VIRTIO_VECTORS];
	struct hv_virtio_intx intx[HV_VIRTIO_INTX];
	uint16_t notify_port;		/* of queue 0, as the kernel knows it; 0: it does not */
	unsigned int window;		/* where the capability of that name stands */

	/* registers */
	uint32_t device_feature_select, driver_feature_select;
	uint16_t queue_select;
	uint16_t config_vector, queue_vector[HV_VIRTIO_QUEUES];
	uint8_t isr;
};

/**
 * hv_virtio_pci_create() - put a device on the bus, and start its worker
 * @transport: filled in
 * @config: where
 * @dev: all queues are there; it is the transport's from here on, also on failure
 * @err: filled in on failure
 *
 * Machine's lock held. Returns 0 or -errno.
 */
int hv_virtio_pci_create(struct hv_virtio_pci *transport, const struct hv_virtio_pci_config *config,
			 struct hv_virtio *dev, struct hv_error *err);

/* Take it off, stop it, and destroy the device. Machine's lock held. */
void hv_virtio_pci_destroy(struct hv_virtio_pci *transport);

/* The machine is reset, and the device was: hv_virtio_begin_reset(). Machine's lock held. */
void hv_virtio_pci_reset(struct hv_virtio_pci *transport);

#endif
