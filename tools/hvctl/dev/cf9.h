/* SPDX-License-Identifier: GPL-2.0-only */
/* Port CF9h, the chipset's reset control register. */
#ifndef HV_DEV_CF9_H
#define HV_DEV_CF9_H

#include "dev.h"

#define HV_CF9_PORT 0xcf9
#define HV_CF9_FULL_RESET 0x06	/* the value for the FADT's reset register */

struct hv_cf9_config {
	void (*reset)(void *ctx);
	void *ctx;
};

struct hv_cf9_state {
	uint32_t value;
	uint32_t pad;
};

/* It lies within PCI's CONFIG_ADDRESS, so that chip (pci.h) passes byte accesses on. */
struct hv_cf9 {
	struct hv_cf9_config config;
	struct hv_cf9_state s;
};

void hv_cf9_init(struct hv_cf9 *cf9, const struct hv_cf9_config *config);
void hv_cf9_reset(struct hv_cf9 *cf9);

uint8_t hv_cf9_read(const struct hv_cf9 *cf9);
void hv_cf9_write(struct hv_cf9 *cf9, uint8_t value);

void hv_cf9_save(const struct hv_cf9 *cf9, struct hv_cf9_state *state);
int hv_cf9_check(const struct hv_cf9 *cf9, const struct hv_cf9_state *state);
int hv_cf9_load(struct hv_cf9 *cf9, const struct hv_cf9_state *state);
extern const struct hv_state_kind hv_cf9_kind;

#endif
