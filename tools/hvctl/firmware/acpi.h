/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables that tell a guest what machine it is on: ACPI, and the older MP table. */
#ifndef HV_FIRMWARE_ACPI_H
#define HV_FIRMWARE_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/pci.h"

/* Where they go: in the BIOS area, where guests look for them. RSDP and MP pointer come first. */
#define HV_ACPI_GPA 0xe0000ull
#define HV_ACPI_SIZE 0x10000u
#define HV_MPTABLE_GPA 0xf0000ull
#define HV_MPTABLE_SIZE 0x8000u

struct hv_acpi_config {
	unsigned int cpus;		/* local APIC ids 0 ... cpus - 1 */
	uint8_t ioapic_id;
	unsigned int com_ports;		/* bit n: COM(n + 1) is there */
	uint16_t pm_base;		/* the first of the PM block's ports */
	bool pvpanic;
	bool generation;		/* its ID lies at HV_LAYOUT_GENERATION */
	unsigned int pci_slots;		/* INTx is described for devices below this number */
	uint8_t pci_irq[HV_PCI_INTX];	/* the 8259 inputs that it comes to */
	/* What the PCI bus may use: first and last. */
	uint16_t port_first, port_last;
	uint32_t mmio_first, mmio_last;
};

#define HV_ACPI_MAX_CPUS 64
#define HV_ACPI_MAX_PCI_SLOTS 32

/*
 * Write the tables for guest-physical address @gpa (a multiple of 64) to @mem, RSDP
 * first. Returns how many bytes they take, or 0 if @size is too small, there is no
 * CPU, or too many of them or of slots.
 */
size_t hv_acpi_write(const struct hv_acpi_config *config, uint8_t *mem, size_t size, uint64_t gpa);

/* The same for the MP table of the MultiProcessor Specification 1.4 (@gpa: a multiple of 16). */
size_t hv_mptable_write(const struct hv_acpi_config *config, uint8_t *mem, size_t size,
			uint64_t gpa);

#endif
