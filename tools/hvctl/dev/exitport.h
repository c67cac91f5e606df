/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two ways for a guest to end the VM: QEMU's isa-debug-exit at port 0xf4 (any write
 * of up to 32 bits), and, where there is no PM block, the power-off that QEMU's PCs have in
 * theirs: 0x2000 to port 0x604.
 */
#ifndef HV_DEV_EXITPORT_H
#define HV_DEV_EXITPORT_H

#include "bus.h"

#define HV_EXITPORT 0xf4
#define HV_POWERPORT 0x604
#define HV_POWERPORT_OFF 0x2000		/* SLP_EN, sleeping type 0 */

struct hv_exitport_config {
	struct hv_bus *bus;
	void (*exited)(void *ctx, uint32_t value);
	void (*powered_off)(void *ctx);	/* NULL: port 0x604 is somebody else's */
	void *ctx;
};

/* It has no registers, so nothing to reset and no state. */
struct hv_exitport {
	struct hv_exitport_config config;
	struct hv_region exit;
	struct hv_region power;
};

/* Returns 0 or the error of hv_bus_register(); then nothing is registered. */
int hv_exitport_init(struct hv_exitport *port, const struct hv_exitport_config *config);
void hv_exitport_exit(struct hv_exitport *port);

#endif
