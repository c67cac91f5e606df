/* SPDX-License-Identifier: GPL-2.0-only */
/* ACPI's tables, where firmware has left them below 1 MiB. */
#ifndef GUEST_ACPI_H
#define GUEST_ACPI_H

#include "types.h"

/* Where a BIOS puts what a kernel looks for: RSDP, MP pointer. */
#define BIOS_AREA	0xe0000UL
#define BIOS_END	0x100000UL

/* What precedes the content of each table; the length stands at its byte 4. */
#define ACPI_HEADER	36
#define ACPI_LENGTH	4

/* @bytes at @address, which tables do not align. */
u64 acpi_field(u64 address, unsigned int bytes);
/* Their sum, modulo 256: that of a whole table is 0. */
u8 acpi_sum(u64 address, unsigned int bytes);
/* The table of that signature, four letters; 0 if there is none. */
u64 acpi_find_table(const char *signature);

#endif
