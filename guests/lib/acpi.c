// SPDX-License-Identifier: GPL-2.0-only
/* Finding ACPI's tables: RSDP, XSDT, and there the one with the signature. */
#include "acpi.h"
#include "print.h"

#define RSDP_XSDT	24

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
	u64 rsdp = find_rsdp(), xsdt = rsdp ? acpi_field(rsdp + RSDP_XSDT, 8) : 0, at;

	for (at = ACPI_HEADER; xsdt && at < acpi_field(xsdt + ACPI_LENGTH, 4); at += 8)
		if (!memcmp((const void *)acpi_field(xsdt + at, 8), signature, 4))
			return acpi_field(xsdt + at, 8);
	return 0;
}
