/* SPDX-License-Identifier: GPL-2.0-only */
/* The ACPI tables as files of fw_cfg, for firmware that puts them where it likes. */
#ifndef HV_FIRMWARE_ACPI_LINKER_H
#define HV_FIRMWARE_ACPI_LINKER_H

#include "acpi.h"

#define HV_ACPI_RSDP_FILE "etc/acpi/rsdp"
#define HV_ACPI_TABLES_FILE "etc/acpi/tables"
#define HV_ACPI_LINKER_FILE "etc/table-loader"

#define HV_ACPI_RSDP_SIZE 36
#define HV_ACPI_LINKER_COMMAND 128	/* bytes each */
#define HV_ACPI_LINKER_COMMANDS 32

struct hv_acpi_files {
	uint8_t rsdp[HV_ACPI_RSDP_SIZE];
	uint8_t tables[HV_ACPI_SIZE];
	size_t tables_size;
	uint8_t linker[HV_ACPI_LINKER_COMMANDS * HV_ACPI_LINKER_COMMAND];
	size_t linker_size;
};

/*
 * Write the three files. With the same @config but for its pm_base they have the same sizes.
 * Returns 0, or -EINVAL for what hv_acpi_write() does not take.
 */
int hv_acpi_files_write(const struct hv_acpi_config *config, struct hv_acpi_files *files);

#endif
