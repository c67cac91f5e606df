/* SPDX-License-Identifier: GPL-2.0-only */
/* The port by which a guest's kernel says that it has panicked: QEMU's pvpanic, on ISA. */
#ifndef HV_DEV_PVPANIC_H
#define HV_DEV_PVPANIC_H

#include "bus.h"

#define HV_PVPANIC_PORT 0x505
#define HV_PVPANIC_PANICKED 0x01
#define HV_PVPANIC_CRASH_LOADED 0x02	/* ... and a crash kernel is to take over */

struct hv_pvpanic_config {
	struct hv_bus *bus;
	void (*panicked)(void *ctx, uint8_t events);
	void *ctx;
};

/* It has no registers, so nothing to reset and no state. */
struct hv_pvpanic {
	struct hv_pvpanic_config config;
	struct hv_region region;
};

/* Returns 0 or the error of hv_bus_register(); then nothing is registered. */
int hv_pvpanic_init(struct hv_pvpanic *dev, const struct hv_pvpanic_config *config);
void hv_pvpanic_exit(struct hv_pvpanic *dev);

#endif
