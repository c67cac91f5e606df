// SPDX-License-Identifier: GPL-2.0-only
/* Finding ACPI's tables: RSDP; XSDT, or RSDT of ACPI 1.0; there the one with the signature. */
#include "acpi.h"
#include "print.h"

#define RSDP_REVISION	15	/* 0: of ACPI 1.0 */
#define RSDP_RSDT	16	/* 4 bytes, and so are its entries */
#define RSDP_XSDT	24	/* 8 bytes */

u64 acpi_field(u64 address, unsigned int bytes)
{
	u64 value = 0;

	memcpy(&value, (const void *)address, bytes);
	return value;
}

u8 acpi_sum(u64 address, unsigned int bytes)
{
	u8 sum = 0;

	while (bytes--)
		sum += acpi_field(address++, 1);
	return sum;
}

static u64 find_rsdp(void)
{
	u64 at;

	for (at = BIOS_AREA; at < BIOS_END; at += 16)
		if (!memcmp((const void *)at, "RSD PTR ", 8))
			return at;
	return 0;
}

u64 acpi_find_table(const char *signature)
{
	u64 rsdp = find_rsdp(), table, at;
	u32 width;

	if (!rsdp)
		return 0;
	width = acpi_field(rsdp + RSDP_REVISION, 1) ? 8 : 4;
	table = acpi_field(rsdp + (width == 8 ? RSDP_XSDT : RSDP_RSDT), width);
	for (at = ACPI_HEADER; at < acpi_field(table + ACPI_LENGTH, 4); at += width)
		if (!memcmp((const void *)acpi_field(table + at, width), signature, 4))
			return acpi_field(table + at, width);
	return 0;
}
