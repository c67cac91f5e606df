// SPDX-License-Identifier: GPL-2.0-only
/*
 * The coprocessor error latch: FERR# of the CPU raises IRQ 13, a write to port F0h takes it back
 * and asserts IGNNE#, with which the interrupt's handler can use the FPU.
 *
 *  F0  write  any value: clear the latch
 *      read   nothing
 *
 * The latch is the level of the line, which the interrupt controllers remember.
 */
#include <string.h>

#include "ferr.h"

static uint8_t ferr_read8(void *dev, uint64_t offset)
{
	(void)dev;
	(void)offset;
	return 0xff;
}

static void ferr_write8(void *dev, uint64_t offset, uint8_t value)
{
	struct hv_ferr *ferr = dev;

	(void)offset;
	(void)value;
	hv_irq_set(&ferr->config.irq, false);
	if (ferr->config.ignore)
		ferr->config.ignore(ferr->config.ctx);
}

static void ferr_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, ferr_read8, ferr_write8);
}

void hv_ferr_assert(struct hv_ferr *ferr)
{
	hv_irq_set(&ferr->config.irq, true);
}

void hv_ferr_reset(struct hv_ferr *ferr)
{
	hv_irq_set(&ferr->config.irq, false);
}

int hv_ferr_init(struct hv_ferr *ferr, const struct hv_ferr_config *config)
{
	memset(ferr, 0, sizeof(*ferr));
	ferr->config = *config;
	ferr->region = (struct hv_region){
		.name = "ferr",
		.space = HV_PORT,
		.base = 0xf0,
		.len = 1,
		.access = ferr_access,
		.dev = ferr,
	};
	return hv_bus_register(config->bus, &ferr->region);
}

void hv_ferr_exit(struct hv_ferr *ferr)
{
	hv_bus_unregister(ferr->config.bus, &ferr->region);
}
