/* SPDX-License-Identifier: GPL-2.0-only */
/* The AML of the DSDT, without its header. */
#ifndef HV_FIRMWARE_ACPI_DSDT_H
#define HV_FIRMWARE_ACPI_DSDT_H

#include "acpi.h"
#include "aml.h"

void hv_acpi_dsdt(struct hv_aml *aml, const struct hv_acpi_config *config);

#endif
