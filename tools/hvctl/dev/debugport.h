/* SPDX-License-Identifier: GPL-2.0-only */
/* The debug ports of Bochs and QEMU, 0xe9, and of SeaBIOS, 0x402: what is written there is seen. */
#ifndef HV_DEV_DEBUGPORT_H
#define HV_DEV_DEBUGPORT_H

#include "bus.h"

#define HV_DEBUGPORT 0xe9
#define HV_DEBUGPORT_FIRMWARE 0x402

#define HV_DEBUGPORTS 2

struct hv_debugport_config {
	struct hv_bus *bus;
	void (*output)(void *ctx, const uint8_t *data, size_t len);
	void *ctx;
	bool firmware_only;		/* port 0xe9 is somebody else's */
	bool firmware_quiet;		/* nobody is to see what comes to port 0x402 */
};

/* It has no registers, so nothing to reset and no state. */
struct hv_debugport {
	struct hv_debugport_config config;
	struct hv_region region[HV_DEBUGPORTS];
};

/* Returns 0 or the error of hv_bus_register(). */
int hv_debugport_init(struct hv_debugport *port, const struct hv_debugport_config *config);
void hv_debugport_exit(struct hv_debugport *port);

#endif
