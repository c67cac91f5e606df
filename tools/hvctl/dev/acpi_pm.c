// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI power management block.
 *
 *  00  PM1_STS  15 WAK, 10 RTC, 9 SLPBTN, 8 PWRBTN, 5 GBL, 4 BM, 0 TMR; write 1 to clear
 *  02  PM1_EN   10 RTC, 9 SLPBTN, 8 PWRBTN, 5 GBL, 0 TMR
 *  04  PM1_CNT  13 SLP_EN, 12:10 SLP_TYP, 2 GBL_RLS, 1 BM_RLD, 0 SCI_EN
 *  08  PM_TMR   3.579545 MHz, 32 bits (the PIIX4's has 24)
 *  0C  GPSTS    general purpose events, of which 5 is here; write 1 to clear
 *  0E  GPEN     5
 *  10  up to 3F: traps, pins of the PIIX4, none of which is here
 *
 * There is no SMI command port, so the machine is in ACPI mode from the start and
 * SCI_EN always reads 1. The timer's status bit is worked out when it is looked
 * at; a timer of the clock exists only while its interrupt is enabled.
 */
#include <errno.h>
#include <string.h>

#include "acpi_pm.h"

#define STS_TMR 0x0001
#define STS_PWRBTN 0x0100
#define STS_BITS 0x8731
#define EN_BITS 0x0721

#define GPE_BITS (1u << HV_ACPI_PM_GPE_GENERATION)

#define CNT_SCI_EN 0x0001
#define CNT_BM_RLD 0x0002
#define CNT_SLP_TYP_SHIFT 10
#define CNT_SLP_TYP 0x1c00
#define CNT_SLP_EN 0x2000

/* TMR_STS is set whenever the timer's highest bit changes. */
#define HALF_SHIFT 31

static uint64_t pm_ticks(const struct hv_acpi_pm *pm)
{
	return hv_muldiv(hv_now_ns(pm->config.clock), HV_ACPI_PM_HZ, HV_NSEC_PER_SEC) +
	       pm->tick_offset;
}

static void pm_catch_up(struct hv_acpi_pm *pm)
{
	uint64_t half = pm_ticks(pm) >> HALF_SHIFT;

	if (half != pm->seen_half)
		pm->s.status |= STS_TMR;
	pm->seen_half = half;
}

static void pm_arm(struct hv_acpi_pm *pm)
{
	struct hv_clock *clock = pm->config.clock;
	uint64_t change = (pm->seen_half + 1) << HALF_SHIFT;

	if (!(pm->s.enable & ~pm->s.status & STS_TMR))
		hv_timer_cancel(clock, &pm->overflow);
	else if (change <= pm_ticks(pm)) /* before the clock began, perhaps */
		hv_timer_arm(clock, &pm->overflow, hv_now_ns(clock));
	else
		hv_timer_arm(
			clock, &pm->overflow,
			hv_muldiv_up(change - pm->tick_offset, HV_NSEC_PER_SEC, HV_ACPI_PM_HZ));
}

static void pm_update(struct hv_acpi_pm *pm)
{
	bool level = (pm->s.status & pm->s.enable) || (pm->s.gpe_status & pm->s.gpe_enable);

	pm_arm(pm);
	if (level == pm->sci_level)
		return;
	pm->sci_level = level;
	hv_irq_set(&pm->config.sci, level);
}

static void pm_overflow(void *dev)
{
	pm_catch_up(dev);
	pm_update(dev);
}

void hv_acpi_pm_power_button(struct hv_acpi_pm *pm)
{
	pm->s.status |= STS_PWRBTN;
	pm_update(pm);
}

void hv_acpi_pm_event(struct hv_acpi_pm *pm, unsigned int gpe)
{
	pm->s.gpe_status |= 1u << gpe;
	pm_update(pm);
}

static void pm_write_control(struct hv_acpi_pm *pm, uint16_t value)
{
	pm->s.control = value & (CNT_SLP_TYP | CNT_BM_RLD);
	if ((value & CNT_SLP_EN) && (value & CNT_SLP_TYP) >> CNT_SLP_TYP_SHIFT == HV_ACPI_PM_S5 &&
	    pm->config.power_off)
		pm->config.power_off(pm->config.ctx);
}

static uint16_t pm_read16(struct hv_acpi_pm *pm, uint64_t offset)
{
	switch (offset) {
	case HV_ACPI_PM_EVENT:
		pm_catch_up(pm);
		return pm->s.status;
	case HV_ACPI_PM_EVENT + 2:
		return pm->s.enable;
	case HV_ACPI_PM_CONTROL:
		return pm->s.control | CNT_SCI_EN;
	case HV_ACPI_PM_GPE:
		return pm->s.gpe_status;
	case HV_ACPI_PM_GPE + 2:
		return pm->s.gpe_enable;
	default:
		return 0;
	}
}

static uint16_t merge(uint16_t old, uint16_t value, uint16_t mask)
{
	return (old & ~mask) | (value & mask);
}

/* Write the bits of @mask: one byte of the register, or both. */
static void pm_write16(struct hv_acpi_pm *pm, uint64_t offset, uint16_t value, uint16_t mask)
{
	pm_catch_up(pm);
	switch (offset) {
	case HV_ACPI_PM_EVENT:
		pm->s.status &= ~(value & mask);
		break;
	case HV_ACPI_PM_EVENT + 2:
		pm->s.enable = merge(pm->s.enable, value, mask) & EN_BITS;
		break;
	case HV_ACPI_PM_CONTROL:
		pm_write_control(pm, merge(pm->s.control, value, mask));
		break;
	case HV_ACPI_PM_GPE:
		pm->s.gpe_status &= ~(value & mask);
		break;
	case HV_ACPI_PM_GPE + 2:
		pm->s.gpe_enable = merge(pm->s.gpe_enable, value, mask) & GPE_BITS;
		break;
	default:
		break;
	}
	pm_update(pm);
}

/* The timer is no register of those, but all of it at once. */
static bool is_timer(uint64_t offset)
{
	return offset >= HV_ACPI_PM_TIMER && offset < HV_ACPI_PM_TIMER + 4;
}

static uint64_t pm_read(struct hv_acpi_pm *pm, uint64_t offset, unsigned int width)
{
	uint64_t value = 0, first = offset & ~1ull, reg;

	/* In one go, for a counter must not move between its bytes. */
	if (is_timer(offset))
		return (pm_ticks(pm) & UINT32_MAX) >> (offset - HV_ACPI_PM_TIMER) * 8;
	for (reg = first; reg < offset + width && !is_timer(reg); reg += 2)
		value |= (uint64_t)pm_read16(pm, reg) << (reg - first) * 8;
	return value >> (offset - first) * 8;
}

static void pm_write(struct hv_acpi_pm *pm, uint64_t offset, unsigned int width, uint64_t value)
{
	uint64_t mask = hv_width_mask(width), first = offset & ~1ull, reg;

	value = (value & mask) << (offset - first) * 8;
	mask <<= (offset - first) * 8;
	for (reg = first; reg < offset + width; reg += 2)
		pm_write16(pm, reg, (uint16_t)(value >> (reg - first) * 8),
			   (uint16_t)(mask >> (reg - first) * 8));
}

void hv_acpi_pm_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	if (write)
		pm_write(dev, offset, width, *value);
	else
		*value = pm_read(dev, offset, width);
}

void hv_acpi_pm_reset(struct hv_acpi_pm *pm)
{
	pm->s = (struct hv_acpi_pm_state){ 0 };
	pm->seen_half = pm_ticks(pm) >> HALF_SHIFT;
	pm_update(pm);
}

void hv_acpi_pm_init(struct hv_acpi_pm *pm, const struct hv_acpi_pm_config *config)
{
	memset(pm, 0, sizeof(*pm));
	pm->config = *config;
	pm->overflow = (struct hv_timer){ .fn = pm_overflow, .dev = pm };
	pm->tick_offset = -pm_ticks(pm);
	hv_acpi_pm_reset(pm);
}

void hv_acpi_pm_exit(struct hv_acpi_pm *pm)
{
	hv_timer_cancel(pm->config.clock, &pm->overflow);
}

void hv_acpi_pm_save(const struct hv_acpi_pm *pm, struct hv_acpi_pm_state *state)
{
	*state = pm->s;
	state->ticks = pm_ticks(pm);
	state->unseen = state->ticks >> HALF_SHIFT != pm->seen_half;
}

int hv_acpi_pm_check(const struct hv_acpi_pm *pm, const struct hv_acpi_pm_state *state)
{
	(void)pm;
	if ((state->status & ~STS_BITS) || (state->enable & ~EN_BITS) ||
	    (state->control & ~(CNT_SLP_TYP | CNT_BM_RLD)) || state->unseen > 1 ||
	    (state->gpe_status & ~GPE_BITS) || (state->gpe_enable & ~GPE_BITS) || state->pad ||
	    state->ticks >> 62)
		return -EINVAL;
	return 0;
}

int hv_acpi_pm_load(struct hv_acpi_pm *pm, const struct hv_acpi_pm_state *state)
{
	int err = hv_acpi_pm_check(pm, state);

	if (err)
		return err;
	pm->s = *state;
	pm->s.unseen = 0;
	pm->tick_offset += state->ticks - pm_ticks(pm);
	pm->seen_half = (state->ticks >> HALF_SHIFT) - state->unseen;
	pm_update(pm);
	return 0;
}

HV_STATE_KIND(acpi_pm, HV_STATE_ACPI_PM, 2);
