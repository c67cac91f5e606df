// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPUs of a PC: ACPI's "Multiple APIC Description Table", and the table of the
 * MultiProcessor Specification 1.4, which is older and ends with id 254.
 */
#include "acpi.h"
#include "cpus.h"
#include "print.h"

/* MADT: entries of a type, a length and more. */
#define MADT_ENTRIES	(ACPI_HEADER + 8)
#define MADT_LAPIC	0
#define MADT_X2APIC	9

/* MP: a pointer, and the table that it points to; entries of a type and more. */
#define MP_POINTER_TABLE	4
#define MP_COUNT		34
#define MP_ENTRIES		44
#define MP_PROCESSOR		0
#define MP_PROCESSOR_BYTES	20
#define MP_OTHER_BYTES		8

#define ENABLED		1

static void add(u32 ids[], u32 *count, u32 id, u32 flags)
{
	if (flags & ENABLED && *count < CPUS_MAX)
		ids[(*count)++] = id;
}

u32 cpus_by_madt(u32 ids[])
{
	u64 madt = acpi_find_table("APIC"), at;
	u32 count = 0;

	if (!madt)
		return 0;
	for (at = madt + MADT_ENTRIES; at < madt + acpi_field(madt + ACPI_LENGTH, 4);
	     at += acpi_field(at + 1, 1)) {
		switch (acpi_field(at, 1)) {
		case MADT_LAPIC:
			add(ids, &count, acpi_field(at + 3, 1), acpi_field(at + 4, 4));
			break;
		case MADT_X2APIC:
			add(ids, &count, acpi_field(at + 4, 4), acpi_field(at + 8, 4));
			break;
		}
	}
	return count;
}

static u64 find_mp_table(void)
{
	u64 at;

	for (at = BIOS_AREA; at < BIOS_END; at += 16)
		if (!memcmp((const void *)at, "_MP_", 4) && !acpi_sum(at, 16))
			return acpi_field(at + MP_POINTER_TABLE, 4);
	return 0;
}

u32 cpus_by_mp_table(u32 ids[])
{
	u64 table = find_mp_table(), at = table + MP_ENTRIES;
	u32 left = table ? acpi_field(table + MP_COUNT, 2) : 0, count = 0;

	for (; left; left--) {
		bool processor = acpi_field(at, 1) == MP_PROCESSOR;

		if (processor)
			add(ids, &count, acpi_field(at + 1, 1), acpi_field(at + 3, 1));
		at += processor ? MP_PROCESSOR_BYTES : MP_OTHER_BYTES;
	}
	return count;
}
