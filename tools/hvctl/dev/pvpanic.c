// SPDX-License-Identifier: GPL-2.0-only
/*
 * pvpanic:
 *
 *  505  read: the events that there are   write: those that have come
 *       0 the kernel has panicked, 1 it has, and a crash kernel takes over
 */
#include "pvpanic.h"

#define EVENTS (HV_PVPANIC_PANICKED | HV_PVPANIC_CRASH_LOADED)

static void access_port(void *ctx, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct hv_pvpanic *dev = ctx;

	(void)offset;
	(void)width;
	if (!write)
		*value = EVENTS;
	else if (*value & EVENTS)
		dev->config.panicked(dev->config.ctx, *value & EVENTS);
}

int hv_pvpanic_init(struct hv_pvpanic *dev, const struct hv_pvpanic_config *config)
{
	*dev = (struct hv_pvpanic){
		.config = *config,
		.region = { "pvpanic", HV_PORT, HV_PVPANIC_PORT, 1, access_port, dev },
	};
	return hv_bus_register(config->bus, &dev->region);
}

void hv_pvpanic_exit(struct hv_pvpanic *dev)
{
	hv_bus_unregister(dev->config.bus, &dev->region);
}
