/* SPDX-License-Identifier: GPL-2.0-only */
/* 8042 keyboard controller, a keyboard plugged in and no mouse; and CPU reset. */
#ifndef HV_DEV_I8042_H
#define HV_DEV_I8042_H

#include "dev.h"
#include "ps2kbd.h"

struct hv_i8042_config {
	struct hv_bus *bus;
	struct hv_clock *clock;
	struct hv_ps2kbd *keyboard;
	struct hv_irq irq, aux_irq;		/* IRQ 1 and 12 */
	void (*reset)(void *ctx);		/* the guest has pulsed the CPU's reset line */
	void (*room)(void *ctx);		/* the keyboard could take a key; may be NULL */
	void *ctx;
};

struct hv_i8042_state {
	uint8_t status;
	uint8_t command_byte;
	uint8_t output_port;
	uint8_t data;			/* the output buffer, valid with OBF */
	uint8_t command;		/* waits for its data byte; 0: none */
	uint8_t released;		/* F0 has come, translated: 80H for the next byte */
	uint8_t ram[31];		/* behind the command byte, which is its first */
	uint8_t pad[3];
	int64_t byte_left_ns;		/* until the keyboard's next one is here */
};

struct hv_i8042 {
	struct hv_i8042_config config;
	struct hv_region data_region, command_region;
	struct hv_i8042_state s;
	struct hv_timer byte_timer;
	bool irq_level, aux_irq_level;
};

int hv_i8042_init(struct hv_i8042 *kbc, const struct hv_i8042_config *config);
void hv_i8042_exit(struct hv_i8042 *kbc);
void hv_i8042_reset(struct hv_i8042 *kbc);

/**
 * hv_i8042_key() - press or release a key
 * @kbc: the controller
 * @key: its code in set 1, with HV_KEY_E0
 * @down: press it
 *
 * Returns false when there is no such key, or no room for more than those that the guest has
 * not read: hv_i8042_wants_key() tells in time, and room() when that changes.
 */
bool hv_i8042_key(struct hv_i8042 *kbc, uint8_t key, bool down);

/* All keys were read: there is room for one with all its shifts, down and up. */
static inline bool hv_i8042_wants_key(const struct hv_i8042 *kbc)
{
	return !kbc->config.keyboard->s.codes;
}

void hv_i8042_save(const struct hv_i8042 *kbc, struct hv_i8042_state *state);
int hv_i8042_check(const struct hv_i8042 *kbc, const struct hv_i8042_state *state);
int hv_i8042_load(struct hv_i8042 *kbc, const struct hv_i8042_state *state);
extern const struct hv_state_kind hv_i8042_kind;

#endif
