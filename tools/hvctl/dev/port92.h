/* SPDX-License-Identifier: GPL-2.0-only */
/* Port 92h, system control port A: fast A20 and fast CPU reset. */
#ifndef HV_DEV_PORT92_H
#define HV_DEV_PORT92_H

#include "dev.h"

struct hv_port92_config {
	struct hv_bus *bus;
	void (*reset)(void *ctx);
	void *ctx;
};

struct hv_port92_state {
	uint32_t value;
	uint32_t pad;
};

struct hv_port92 {
	struct hv_port92_config config;
	struct hv_region region;
	struct hv_port92_state s;
};

int hv_port92_init(struct hv_port92 *port, const struct hv_port92_config *config);
void hv_port92_exit(struct hv_port92 *port);
void hv_port92_reset(struct hv_port92 *port);

void hv_port92_save(const struct hv_port92 *port, struct hv_port92_state *state);
int hv_port92_check(const struct hv_port92 *port, const struct hv_port92_state *state);
int hv_port92_load(struct hv_port92 *port, const struct hv_port92_state *state);
extern const struct hv_state_kind hv_port92_kind;

#endif
