/* SPDX-License-Identifier: GPL-2.0-only */
/* What a PC does about x87 errors while CR0.NE is 0: IRQ 13, and port F0h. */
#ifndef HV_DEV_FERR_H
#define HV_DEV_FERR_H

#include "dev.h"

struct hv_ferr_config {
	struct hv_bus *bus;
	struct hv_irq irq;
	/* Assert IGNNE# until the CPU takes FERR# back. */
	void (*ignore)(void *ctx);
	void *ctx;
};

struct hv_ferr {
	struct hv_ferr_config config;
	struct hv_region region;
};

int hv_ferr_init(struct hv_ferr *ferr, const struct hv_ferr_config *config);
void hv_ferr_exit(struct hv_ferr *ferr);
void hv_ferr_reset(struct hv_ferr *ferr);

/* The CPU has asserted FERR#. */
void hv_ferr_assert(struct hv_ferr *ferr);

#endif
