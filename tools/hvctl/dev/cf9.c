// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset control: bit 1 SYS_RST chooses a reset of the system rather than of the
 * CPU, bit 3 FULL_RST a power cycle; the reset comes when bit 2, RST_CPU, goes
 * from 0 to 1. Here all of them reset the machine.
 */
#include <errno.h>
#include <string.h>

#include "cf9.h"

#define RST_CPU 0x04
#define WRITABLE 0x0e

uint8_t hv_cf9_read(const struct hv_cf9 *cf9)
{
	return (uint8_t)cf9->s.value;
}

void hv_cf9_write(struct hv_cf9 *cf9, uint8_t value)
{
	bool reset = value & ~cf9->s.value & RST_CPU;

	cf9->s.value = value & WRITABLE;
	if (reset && cf9->config.reset)
		cf9->config.reset(cf9->config.ctx);
}

void hv_cf9_reset(struct hv_cf9 *cf9)
{
	cf9->s = (struct hv_cf9_state){ 0 };
}

void hv_cf9_init(struct hv_cf9 *cf9, const struct hv_cf9_config *config)
{
	cf9->config = *config;
	hv_cf9_reset(cf9);
}

void hv_cf9_save(const struct hv_cf9 *cf9, struct hv_cf9_state *state)
{
	*state = cf9->s;
}

int hv_cf9_check(const struct hv_cf9 *cf9, const struct hv_cf9_state *state)
{
	(void)cf9;
	return (state->value & ~(uint32_t)WRITABLE) || state->pad ? -EINVAL : 0;
}

int hv_cf9_load(struct hv_cf9 *cf9, const struct hv_cf9_state *state)
{
	int err = hv_cf9_check(cf9, state);

	if (err)
		return err;
	cf9->s = *state;
	return 0;
}

HV_STATE_KIND(cf9, HV_STATE_CF9, 1);
