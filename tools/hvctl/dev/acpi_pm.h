/* SPDX-License-Identifier: GPL-2.0-only */
/* ACPI fixed hardware, as the PIIX4 has it: PM1a registers, the PM timer, power-off. */
#ifndef HV_DEV_ACPI_PM_H
#define HV_DEV_ACPI_PM_H

#include "dev.h"

#define HV_ACPI_PM_HZ 3579545ull

/* Offsets into its ports, for the FADT. */
#define HV_ACPI_PM_EVENT 0x0		/* PM1a_EVT, 4 bytes */
#define HV_ACPI_PM_CONTROL 0x4		/* PM1a_CNT, 2 bytes */
#define HV_ACPI_PM_TIMER 0x8		/* PM_TMR, 4 bytes, all 32 bits count */
#define HV_ACPI_PM_GPE 0xc		/* GPE0, 4 bytes */
#define HV_ACPI_PM_LEN 0x40

#define HV_ACPI_PM_S5 0			/* SLP_TYP for \_S5 */

/* General purpose events: the machine is another than before. */
#define HV_ACPI_PM_GPE_GENERATION 5

struct hv_acpi_pm_config {
	struct hv_clock *clock;
	struct hv_irq sci;		/* level-triggered */
	void (*power_off)(void *ctx);
	void *ctx;
};

struct hv_acpi_pm_state {
	uint16_t status, enable, control;
	uint16_t unseen;		/* bit 31 has changed, nobody looked; only if saved */
	uint16_t gpe_status, gpe_enable;
	uint32_t pad;			/* 0 */
	uint64_t ticks;			/* of the PM timer, since it was made; only if saved */
};

struct hv_acpi_pm {
	struct hv_acpi_pm_config config;
	struct hv_timer overflow;
	struct hv_acpi_pm_state s;
	uint64_t tick_offset;
	uint64_t seen_half;		/* changes of bit 31 up to here are in PM1_STS */
	bool sci_level;
};

void hv_acpi_pm_init(struct hv_acpi_pm *pm, const struct hv_acpi_pm_config *config);
void hv_acpi_pm_exit(struct hv_acpi_pm *pm);
void hv_acpi_pm_reset(struct hv_acpi_pm *pm);

/* An access to its HV_ACPI_PM_LEN ports. Who puts them somewhere calls it: i440fx.c. */
void hv_acpi_pm_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value);

/* Somebody presses the power button: the guest is to shut down. */
void hv_acpi_pm_power_button(struct hv_acpi_pm *pm);

/* General purpose event @gpe, one of HV_ACPI_PM_GPE_*, has come. */
void hv_acpi_pm_event(struct hv_acpi_pm *pm, unsigned int gpe);

void hv_acpi_pm_save(const struct hv_acpi_pm *pm, struct hv_acpi_pm_state *state);
int hv_acpi_pm_check(const struct hv_acpi_pm *pm, const struct hv_acpi_pm_state *state);
int hv_acpi_pm_load(struct hv_acpi_pm *pm, const struct hv_acpi_pm_state *state);
extern const struct hv_state_kind hv_acpi_pm_kind;

#endif
