/* SPDX-License-Identifier: GPL-2.0-only */
/* Two cascaded 8259A interrupt controllers with the ELCR: the PC's IRQ 0-15. */
#ifndef HV_DEV_I8259_H
#define HV_DEV_I8259_H

#include "dev.h"

struct hv_i8259_config {
	struct hv_bus *bus;
	struct hv_irq intr;		/* INTR of the master: to LINT0 as ExtINT */
};

struct hv_i8259_chip_state {
	uint8_t lines;			/* inputs as they are now */
	uint8_t edges;			/* rises seen and not yet acknowledged */
	uint8_t elcr;
	uint8_t imr, isr;
	uint8_t lowest;			/* the input that has the lowest priority */
	uint8_t base;			/* vector of input 0 */
	uint8_t icw_step;		/* the ICW expected next (2, 3, 4), or 0 */
	uint8_t icw1, icw3, icw4;
	uint8_t rotate_on_aeoi, special_mask, poll, read_isr;
	uint8_t pad;
};

struct hv_i8259_state {
	struct hv_i8259_chip_state chip[2];
};

struct hv_i8259_chip {
	struct hv_i8259 *pair;
	struct hv_region region;
	bool is_slave;
	struct hv_i8259_chip_state s;
};

struct hv_i8259 {
	struct hv_i8259_config config;
	struct hv_i8259_chip chip[2];	/* master, slave */
	struct hv_region elcr_region;
	bool intr_level;
};

int hv_i8259_init(struct hv_i8259 *pic, const struct hv_i8259_config *config);
void hv_i8259_exit(struct hv_i8259 *pic);
void hv_i8259_reset(struct hv_i8259 *pic);

/* The end of an hv_irq: @pic is a struct hv_i8259, @line 0-15 (2 is the cascade's). */
void hv_i8259_set_irq(void *pic, unsigned int line, bool level);

/* Is INTR raised? */
bool hv_i8259_pending(const struct hv_i8259 *pic);

/* No line that ELCR is about is up, nor its edge latched: no value of ELCR matters now. */
bool hv_i8259_idle(const struct hv_i8259 *pic);

/*
 * The CPU acknowledges INTR: returns the vector. When the request has gone in
 * the meantime it is that of input 7, the spurious interrupt.
 */
int hv_i8259_ack(struct hv_i8259 *pic);

void hv_i8259_save(const struct hv_i8259 *pic, struct hv_i8259_state *state);
int hv_i8259_check(const struct hv_i8259 *pic, const struct hv_i8259_state *state);
int hv_i8259_load(struct hv_i8259 *pic, const struct hv_i8259_state *state);
extern const struct hv_state_kind hv_i8259_kind;

#endif
