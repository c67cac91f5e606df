// SPDX-License-Identifier: GPL-2.0-only
/* The timers of the chips: a sorted list, for there are never more than a few. */
#include "clock.h"

static void unlink_timer(struct hv_clock *clock, struct hv_timer *timer)
{
	struct hv_timer **link = &clock->timers;

	while (*link && *link != timer)
		link = &(*link)->next;
	if (*link)
		*link = timer->next;
	timer->armed = false;
}

static void insert_timer(struct hv_clock *clock, struct hv_timer *timer)
{
	struct hv_timer **link = &clock->timers;

	/* Equal deadlines fire in the order in which they were armed. */
	while (*link && (*link)->deadline_ns <= timer->deadline_ns)
		link = &(*link)->next;
	timer->next = *link;
	*link = timer;
	timer->armed = true;
}

static void tell_if_moved(struct hv_clock *clock, uint64_t old_next)
{
	if (clock->rearm && hv_clock_next(clock) != old_next)
		clock->rearm(clock);
}

void hv_timer_arm(struct hv_clock *clock, struct hv_timer *timer, uint64_t deadline_ns)
{
	uint64_t old_next = hv_clock_next(clock);

	if (timer->armed)
		unlink_timer(clock, timer);
	timer->deadline_ns = deadline_ns;
	insert_timer(clock, timer);
	tell_if_moved(clock, old_next);
}

void hv_timer_cancel(struct hv_clock *clock, struct hv_timer *timer)
{
	uint64_t old_next = hv_clock_next(clock);

	if (!timer->armed)
		return;
	unlink_timer(clock, timer);
	tell_if_moved(clock, old_next);
}

/*
 * A timer that falls behind may re-arm itself into the past to catch up. The
 * limit gives the lock back now and then: whatever is left over is due at once,
 * so that the event loop comes straight back.
 */
#define MAX_FIRED_PER_RUN 1024

void hv_clock_run(struct hv_clock *clock)
{
	uint64_t now = hv_now_ns(clock);

	for (unsigned int i = 0; i < MAX_FIRED_PER_RUN; i++) {
		struct hv_timer *timer = clock->timers;

		if (!timer || timer->deadline_ns > now)
			return;
		unlink_timer(clock, timer);
		timer->fn(timer->dev);
	}
}

uint64_t hv_clock_next(const struct hv_clock *clock)
{
	return clock->timers ? clock->timers->deadline_ns : UINT64_MAX;
}
