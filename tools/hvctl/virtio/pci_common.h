/* SPDX-License-Identifier: GPL-2.0-only */
/* Between pci.c and its common configuration registers. Private to them. */
#ifndef HV_VIRTIO_PCI_COMMON_H
#define HV_VIRTIO_PCI_COMMON_H

#include "pci.h"

/* Of any width; each register is looked at once for all its bytes. */
uint32_t hv_virtio_pci_read_common(struct hv_virtio_pci *t, unsigned int offset,
				   unsigned int width);

/* "The driver MUST access each field using the natural width": what it does else is lost. */
void hv_virtio_pci_write_common(struct hv_virtio_pci *t, unsigned int offset, unsigned int width,
				uint32_t value);

/* What devices signal: the vector that the driver has chosen, or what becomes a level. */
void hv_virtio_pci_wire(struct hv_virtio_pci *t);

/* The driver has reset the device: registers are as at first. */
void hv_virtio_pci_forget(struct hv_virtio_pci *t);

#endif
