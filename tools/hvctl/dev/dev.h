/* SPDX-License-Identifier: GPL-2.0-only */
/* What all chips share: byte-wide registers, field masks, saved timers. */
#ifndef HV_DEV_DEV_H
#define HV_DEV_DEV_H

#include "bus.h"
#include "state.h"

#define HV_NSEC_PER_SEC 1000000000ull

/* The value that an access of @width bytes can carry. */
static inline uint64_t hv_width_mask(unsigned int width)
{
	return width >= 8 ? UINT64_MAX : (1ull << (width * 8)) - 1;
}

typedef uint8_t (*hv_read8_fn)(void *dev, uint64_t offset);
typedef void (*hv_write8_fn)(void *dev, uint64_t offset, uint8_t value);

/* Serve an access to byte-wide registers: an ISA bus does a wide one bytewise, low first. */
static inline void hv_access_bytes(void *dev, uint64_t offset, unsigned int width, bool write,
				   uint64_t *value, hv_read8_fn read8, hv_write8_fn write8)
{
	uint64_t result = 0;

	for (unsigned int i = 0; i < width; i++) {
		if (write)
			write8(dev, offset + i, (uint8_t)(*value >> (i * 8)));
		else
			result |= (uint64_t)read8(dev, offset + i) << (i * 8);
	}
	if (!write)
		*value = result;
}

/*
 * @value * @mul / @div without losing bits in between: how chips turn
 * nanoseconds into ticks and back without drift.
 */
static inline uint64_t hv_muldiv(uint64_t value, uint64_t mul, uint64_t div)
{
	return (uint64_t)((__uint128_t)value * mul / div);
}

static inline uint64_t hv_muldiv_up(uint64_t value, uint64_t mul, uint64_t div)
{
	return (uint64_t)(((__uint128_t)value * mul + div - 1) / div);
}

/*
 * Timers are saved as nanoseconds left, so that a snapshot can be continued at
 * another time; less than none for one that is late. HV_TIMER_UNARMED: not armed.
 */
#define HV_TIMER_UNARMED INT64_MAX

static inline int64_t hv_timer_save(struct hv_clock *clock, const struct hv_timer *timer)
{
	return timer->armed ? (int64_t)(timer->deadline_ns - hv_now_ns(clock)) : HV_TIMER_UNARMED;
}

static inline void hv_timer_load(struct hv_clock *clock, struct hv_timer *timer, int64_t left_ns)
{
	uint64_t now = hv_now_ns(clock), late = -(uint64_t)left_ns;

	if (left_ns == HV_TIMER_UNARMED)
		hv_timer_cancel(clock, timer);
	else if (left_ns >= 0)
		hv_timer_arm(clock, timer, now + (uint64_t)left_ns);
	else /* the clock may be younger than that */
		hv_timer_arm(clock, timer, late < now ? now - late : 0);
}

#endif
