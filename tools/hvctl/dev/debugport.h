/* SPDX-License-Identifier: GPL-2.0-only */
/* The debug ports of Bochs and QEMU, 0xe9, and of SeaBIOS, 0x402: what is written there is seen. */
#ifndef HV_DEBUGPORT_H
#define HV_DEBUGPORT_H

#include "bus.h"

#define HV_DEBUGPORT 0xe9
#define HV_DEBUGPORT_FIRMWARE 0x402

struct hv_debugport {
	struct hv_region region[2];
	void (*output)(void *ctx, const uint8_t *data, size_t len);
	void *ctx;
};

int hv_debugport_init(struct hv_debugport *port, struct hv_bus *bus,
		      void (*output)(void *ctx, const uint8_t *data, size_t len), void *ctx);

#endif
