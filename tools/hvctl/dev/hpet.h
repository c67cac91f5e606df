/* SPDX-License-Identifier: GPL-2.0-only */
/* High precision event timer: a 100 MHz, 64-bit counter and three comparators. */
#ifndef HV_DEV_HPET_H
#define HV_DEV_HPET_H

#include "dev.h"

#define HV_HPET_BASE 0xfed00000ull
#define HV_HPET_LEN 0x400
#define HV_HPET_TIMERS 3
#define HV_HPET_ID 0x8086a201u	/* the low half of the capabilities, for the ACPI table */

struct hv_hpet_config {
	struct hv_bus *bus;
	struct hv_clock *clock;
	uint64_t base;
	struct hv_irq irq0, irq8;	/* legacy replacement: instead of the 8254 and the RTC */
	struct hv_irq pins;		/* the I/O APIC; .line is filled in from the route */
	/* Legacy replacement goes on or off: disconnect or connect the 8254 and the RTC. */
	void (*legacy)(void *ctx, bool on);
	void *ctx;
};

/* Only in a saved state: due, phase_ns, late_ns. */
struct hv_hpet_timer_state {
	uint64_t config;
	uint64_t comparator;
	uint64_t period;
	int64_t late_ns;		/* of one that is due, less than none; else 0 */
};

struct hv_hpet_state {
	uint32_t config;		/* bits 1 LEG_RT_CNF, 0 ENABLE_CNF */
	uint32_t status;
	uint32_t due;			/* bit n: timer n has matched, and the event loop is late */
	uint32_t phase_ns;		/* since the counter's last step */
	uint64_t counter;		/* at @start_ns; when saved: now */
	struct hv_hpet_timer_state timer[HV_HPET_TIMERS];
};

struct hv_hpet_timer {
	struct hv_hpet *hpet;
	struct hv_timer timer;
	struct hv_irq line;		/* the one that is high, if any is */
	bool line_level;
};

struct hv_hpet {
	struct hv_hpet_config config;
	struct hv_region region;
	struct hv_hpet_state s;
	uint64_t start_ns;
	struct hv_hpet_timer timer[HV_HPET_TIMERS];
	bool legacy;
};

int hv_hpet_init(struct hv_hpet *hpet, const struct hv_hpet_config *config);
void hv_hpet_exit(struct hv_hpet *hpet);
void hv_hpet_reset(struct hv_hpet *hpet);

/* Does the HPET of this state stand in for the 8254 and the RTC? */
bool hv_hpet_state_is_legacy(const struct hv_hpet_state *state);

void hv_hpet_save(const struct hv_hpet *hpet, struct hv_hpet_state *state);
int hv_hpet_check(const struct hv_hpet *hpet, const struct hv_hpet_state *state);
int hv_hpet_load(struct hv_hpet *hpet, const struct hv_hpet_state *state);
extern const struct hv_state_kind hv_hpet_kind;

#endif
