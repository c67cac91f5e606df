/* SPDX-License-Identifier: GPL-2.0-only */
/* MC146818 real-time clock with its CMOS RAM. */
#ifndef HV_DEV_CMOS_H
#define HV_DEV_CMOS_H

#include "dev.h"

#define HV_CMOS_SIZE 128
#define HV_CMOS_CENTURY 0x32	/* for the FADT */

struct hv_cmos_config {
	struct hv_bus *bus;
	struct hv_clock *clock;
	struct hv_irq irq;		/* IRQ 8 */
	/* What the time is: nanoseconds since 1970, UTC or local as the guest expects it. */
	uint64_t (*wall_ns)(void *ctx);
	void *ctx;
	uint64_t ram_below_4g, ram_above_4g;	/* bytes, told to the guest in CMOS */
	unsigned int cpus;
};

struct hv_cmos_state {
	uint8_t index;			/* as written to port 70h, bit 7 masks NMI */
	uint8_t connected;		/* to IRQ 8 */
	uint8_t period_unseen;		/* one that is not in register C; only if saved */
	uint8_t pad;
	/* The guest's time minus wall_ns(). */
	uint32_t offset_ns;		/* 0 to 999999999 */
	int64_t offset_s;
	int64_t seen_s;			/* updates up to this time are in register C */
	uint8_t ram[HV_CMOS_SIZE];	/* the time is here only while the clock is stopped */
};

struct hv_cmos {
	struct hv_cmos_config config;
	struct hv_region region;
	struct hv_timer update_timer, period_timer;
	struct hv_cmos_state s;
	uint64_t seen_period;		/* periods up to here are in register C */
	bool irq_level;
};

int hv_cmos_init(struct hv_cmos *cmos, const struct hv_cmos_config *config);
void hv_cmos_exit(struct hv_cmos *cmos);

/* A machine reset disables the interrupts; the time and the RAM survive it. */
void hv_cmos_reset(struct hv_cmos *cmos);

/* Legacy replacement routing of the HPET takes IRQ 8 away, and gives it back. */
void hv_cmos_connect_irq(struct hv_cmos *cmos, bool connected);

void hv_cmos_save(const struct hv_cmos *cmos, struct hv_cmos_state *state);
int hv_cmos_check(const struct hv_cmos *cmos, const struct hv_cmos_state *state);
int hv_cmos_load(struct hv_cmos *cmos, const struct hv_cmos_state *state);
extern const struct hv_state_kind hv_cmos_kind;

#endif
