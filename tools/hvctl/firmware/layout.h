/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lies where in the guest-physical memory of a PC, and the map that tells it.
 *
 *   0x400 - 0x4ff		BIOS data area: COM ports, memory size
 *   0x9fc00 - 0x9ffff		extended BIOS data area (empty)
 *   0xe0000 - 0xeffff		ACPI tables, the RSDP first	(acpi.h)
 *   0xf0000 - 0xfffff		MP table			(acpi.h)
 *   0xfe000 - 0xfffff		a BIOS, for guests that call one	(bios/rom.h)
 *   0xc0000000 - 0xfebfffff	PCI devices; RAM from here on is seen at 4 GiB
 *   0xfec00000 - 0xffffffff	I/O APIC, HPET, local APIC, firmware
 *   0xfef00000 - 0xfef00fff	the generation ID, where there is one: a page of its own
 */
#ifndef HV_FIRMWARE_LAYOUT_H
#define HV_FIRMWARE_LAYOUT_H

#include "lib/memory.h"

#define HV_LAYOUT_EBDA 0x9fc00ULL
#define HV_LAYOUT_LOW_END 0xa0000ULL	/* of the RAM below the BIOS area */
#define HV_LAYOUT_HIGH 0x100000ULL
#define HV_LAYOUT_CHIPS 0xfec00000ULL
#define HV_LAYOUT_GENERATION 0xfef00000ULL
#define HV_LAYOUT_GENERATION_LEN 0x1000ULL

/* The numbers are those of e820, multiboot and PVH alike. */
enum hv_range_kind {
	HV_RANGE_RAM = 1,
	HV_RANGE_RESERVED = 2,
	HV_RANGE_ACPI = 3,		/* tables: RAM once they have been read */
};

struct hv_range {
	uint64_t gpa;
	uint64_t len;
	enum hv_range_kind kind;
};

#define HV_LAYOUT_MAX_RANGES 8

/*
 * Write the map, ascending and without overlaps, to @out; what it does not name is
 * free for devices. Returns how many ranges there are: with @max of
 * HV_LAYOUT_MAX_RANGES all of them fit, with less only the first @max are written.
 */
size_t hv_layout_map(const struct hv_memory *memory, struct hv_range *out, size_t max);

#endif
