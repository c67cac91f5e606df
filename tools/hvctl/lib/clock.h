/* SPDX-License-Identifier: GPL-2.0-only */
/* Clocks and timers: of the guest's time for chips, of the host's for who serves them. */
#ifndef HV_LIB_CLOCK_H
#define HV_LIB_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Time, in nanoseconds of the machine's monotonic clock. A chip owns its timers
 * (embedded in its struct); the machine's event loop, or a unit test that turns
 * the clock by hand, calls fn when the deadline has passed.
 */
struct hv_timer {
	void (*fn)(void *dev);
	void *dev;
	uint64_t deadline_ns;
	bool armed;
	struct hv_timer *next;	/* of the clock's list */
};

struct hv_clock {
	uint64_t (*now_ns)(struct hv_clock *clock);
	/* Tell the event loop that the earliest deadline has changed; may be NULL. */
	void (*rearm)(struct hv_clock *clock);
	struct hv_timer *timers;	/* armed ones, earliest first */
};

static inline uint64_t hv_now_ns(struct hv_clock *clock)
{
	return clock->now_ns(clock);
}

/* Arming an armed timer moves it. A deadline in the past fires at the next run. */
void hv_timer_arm(struct hv_clock *clock, struct hv_timer *timer, uint64_t deadline_ns);
void hv_timer_cancel(struct hv_clock *clock, struct hv_timer *timer);

/* Fire all timers whose deadline has passed, in order of their deadlines. */
void hv_clock_run(struct hv_clock *clock);

/* The earliest deadline, or UINT64_MAX. */
uint64_t hv_clock_next(const struct hv_clock *clock);

#endif
