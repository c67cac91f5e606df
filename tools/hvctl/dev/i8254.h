/* SPDX-License-Identifier: GPL-2.0-only */
/* 8254 programmable interval timer, and port 61h that gates its channel 2. */
#ifndef HV_DEV_I8254_H
#define HV_DEV_I8254_H

#include "dev.h"

#define HV_I8254_HZ 1193182ull

struct hv_i8254_config {
	struct hv_bus *bus;
	struct hv_clock *clock;
	struct hv_irq irq;		/* OUT of channel 0: IRQ 0 */
};

struct hv_i8254_channel_state {
	int64_t elapsed;		/* ticks since the load; while running, only if saved */
	int64_t switch_in;		/* ticks until next_count is loaded; only if saved */
	uint32_t count;			/* 1 to 65536; 0: none was written yet */
	uint32_t next_count;		/* waits for the end of a cycle or a trigger; 0: none */
	uint16_t latch;
	uint8_t mode;			/* 0 to 5 */
	uint8_t access;			/* 1 LSB, 2 MSB, 3 one after the other */
	uint8_t bcd;
	uint8_t gate;
	uint8_t loaded;			/* there is a count in the counting element */
	uint8_t running;		/* and it is being decremented */
	uint8_t write_low;		/* the LSB of a count that is half written */
	uint8_t write_high_next, read_high_next;
	uint8_t latched, status_latched;
	uint8_t status;
	uint8_t pad[2];
};

#define HV_I8254_NEVER INT64_MAX

struct hv_i8254_state {
	uint8_t port61;			/* the bits that the guest writes */
	uint8_t connected;		/* to IRQ 0 */
	uint8_t irq_level;
	uint8_t pad[5];
	int64_t rise_in;		/* ticks until IRQ 0 rises; HV_I8254_NEVER */
	struct hv_i8254_channel_state channel[3];
};

struct hv_i8254_channel {
	struct hv_i8254_channel_state s;
	int64_t start;			/* tick of the load, while running */
	int64_t switch_at;		/* tick at which next_count is loaded */
};

struct hv_i8254 {
	struct hv_i8254_config config;
	struct hv_region region, port61_region;
	struct hv_timer timer;
	int64_t rise_at;		/* what the timer waits for: a rise of OUT 0 */
	struct hv_i8254_channel channel[3];
	uint8_t port61;
	bool connected;
	bool irq_level;
};

int hv_i8254_init(struct hv_i8254 *pit, const struct hv_i8254_config *config);
void hv_i8254_exit(struct hv_i8254 *pit);
void hv_i8254_reset(struct hv_i8254 *pit);

/* Legacy replacement routing of the HPET takes IRQ 0 away from channel 0, and gives it back. */
void hv_i8254_connect_irq(struct hv_i8254 *pit, bool connected);

void hv_i8254_save(const struct hv_i8254 *pit, struct hv_i8254_state *state);
int hv_i8254_check(const struct hv_i8254 *pit, const struct hv_i8254_state *state);
int hv_i8254_load(struct hv_i8254 *pit, const struct hv_i8254_state *state);
extern const struct hv_state_kind hv_i8254_kind;

#endif
