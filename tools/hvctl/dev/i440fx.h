/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The board's own PCI functions, by which firmware knows it: 82441FX host bridge, PIIX3 ISA
 * bridge, PIIX4 power management.
 */
#ifndef HV_DEV_I440FX_H
#define HV_DEV_I440FX_H

#include "acpi_pm.h"
#include "pci.h"

#define HV_I440FX_HOST 0x00		/* device 0, function 0 */
#define HV_I440FX_ISA 0x08		/* device 1, function 0 */
#define HV_I440FX_PM 0x0b		/* device 1, function 3 */
#define HV_I440FX_SLOTS 2		/* device numbers that it has; none of them uses INTx */

struct hv_i440fx_config {
	struct hv_pci *pci;
	struct hv_acpi_pm *pm;			/* decoded where the PM function says */
	uint16_t pm_base;			/* where that is at first */
	uint8_t legacy_irq[HV_PCI_INTX];	/* the 8259 inputs of the PCI lines at first */
	void (*rerouted)(void *ctx);		/* the guest has put them to others */
	void *ctx;
};

struct hv_i440fx {
	struct hv_i440fx_config config;
	struct hv_pci_device host, isa, pm;
};

/* Returns 0, or -EEXIST if something is in its place. hv_pci_exit() takes the functions off. */
int hv_i440fx_init(struct hv_i440fx *chipset, const struct hv_i440fx_config *config);

/* Registers as a BIOS would leave them, for those guests that start without one. */
void hv_i440fx_reset(struct hv_i440fx *chipset);

/* The 8259 input that PCI line @line (0-3) is wired to now; 0: none. */
unsigned int hv_i440fx_route(const struct hv_i440fx *chipset, unsigned int line);

/* The first of the PM block's ports now; 0: it is turned off. */
uint16_t hv_i440fx_pm_base(const struct hv_i440fx *chipset);

#endif
