/* SPDX-License-Identifier: GPL-2.0-only */
/* 8042 keyboard controller with nothing plugged in: self-test, probing, and CPU reset. */
#ifndef HV_DEV_I8042_H
#define HV_DEV_I8042_H

#include "dev.h"

struct hv_i8042_config {
	struct hv_bus *bus;
	struct hv_irq irq, aux_irq;		/* IRQ 1 and 12 */
	void (*reset)(void *ctx);		/* the guest has pulsed the CPU's reset line */
	void *ctx;
};

struct hv_i8042_state {
	uint8_t status;
	uint8_t command_byte;
	uint8_t output_port;
	uint8_t data;			/* the output buffer, valid with OBF */
	uint8_t command;		/* waits for its data byte; 0: none */
	uint8_t pad[3];
};

struct hv_i8042 {
	struct hv_i8042_config config;
	struct hv_region data_region, command_region;
	struct hv_i8042_state s;
	bool irq_level, aux_irq_level;
};

int hv_i8042_init(struct hv_i8042 *kbc, const struct hv_i8042_config *config);
void hv_i8042_exit(struct hv_i8042 *kbc);
void hv_i8042_reset(struct hv_i8042 *kbc);

void hv_i8042_save(const struct hv_i8042 *kbc, struct hv_i8042_state *state);
int hv_i8042_check(const struct hv_i8042 *kbc, const struct hv_i8042_state *state);
int hv_i8042_load(struct hv_i8042 *kbc, const struct hv_i8042_state *state);
extern const struct hv_state_kind hv_i8042_kind;

#endif
