// SPDX-License-Identifier: GPL-2.0-only
/*
 * HPET: the main counter is computed from the clock, a comparator is a timer.
 *
 *  000  capabilities  63:32 period in fs, 31:16 vendor, 15 LEG_RT_CAP,
 *                     13 COUNT_SIZE_CAP, 12:8 NUM_TIM_CAP, 7:0 revision
 *  010  configuration 1 LEG_RT_CNF, 0 ENABLE_CNF
 *  020  status        n: timer n's level interrupt is active; write 1 to clear
 *  0F0  main counter
 *  100 + 20n  timer n 63:32 INT_ROUTE_CAP, 13:9 INT_ROUTE, 8 32MODE, 6 VAL_SET,
 *                     5 SIZE_CAP, 4 PER_INT_CAP, 3 TYPE (periodic), 2 INT_ENB,
 *                     1 INT_TYPE (level)
 *  108 + 20n  comparator; of a periodic timer, writing sets the period, and the
 *             comparator itself only right after VAL_SET
 *  110 + 20n  FSB route: there is none
 *
 * The counter does one step in 10 ns, so a read costs a subtraction and a
 * division by a constant: guests read it tens of thousands of times.
 */
#include <errno.h>
#include <string.h>

#include "hpet.h"

#define TICK_NS 10
#define PERIOD_FS 10000000ull

#define REG_CAPABILITIES 0x000
#define REG_CONFIG 0x010
#define REG_STATUS 0x020
#define REG_COUNTER 0x0f0
#define REG_TIMERS 0x100
#define TIMER_LEN 0x20
#define TIMER_CONFIG 0x00
#define TIMER_COMPARATOR 0x08

#define CAPABILITIES (PERIOD_FS << 32 | HV_HPET_ID)

#define CONFIG_ENABLE 0x1
#define CONFIG_LEGACY 0x2
#define CONFIG_MASK 0x3

#define TN_LEVEL 0x002
#define TN_ENABLE 0x004
#define TN_PERIODIC 0x008
#define TN_VAL_SET 0x040
#define TN_32BIT 0x100
#define TN_ROUTE_SHIFT 9
#define TN_ROUTE 0x3e00
#define TN_WRITABLE (TN_LEVEL | TN_ENABLE | TN_PERIODIC | TN_VAL_SET | TN_32BIT | TN_ROUTE)
#define TN_PERIODIC_CAP 0x010
#define TN_SIZE_CAP 0x020

/* The I/O APIC's last four pins, where no ISA interrupt is. */
#define ROUTES 0x00f00000u

/* A period below this gives interrupts that no CPU can serve: 10 us. */
#define MIN_PERIOD 1000

/* Farther away than anyone waits, near enough for arithmetic: nine years. */
#define MAX_DELTA (1ull << 55)

static uint64_t hpet_counter(const struct hv_hpet *hpet)
{
	if (!(hpet->s.config & CONFIG_ENABLE))
		return hpet->s.counter;
	return hpet->s.counter + (hv_now_ns(hpet->config.clock) - hpet->start_ns) / TICK_NS;
}

static void hpet_set_counter(struct hv_hpet *hpet, uint64_t value)
{
	hpet->s.counter = value;
	hpet->start_ns = hv_now_ns(hpet->config.clock);
}

static unsigned int timer_index(const struct hv_hpet_timer *t)
{
	return (unsigned int)(t - t->hpet->timer);
}

static struct hv_hpet_timer_state *timer_state(struct hv_hpet_timer *t)
{
	return &t->hpet->s.timer[timer_index(t)];
}

static uint64_t timer_mask(const struct hv_hpet_timer_state *s)
{
	return s->config & TN_32BIT ? UINT32_MAX : UINT64_MAX;
}

/* Where the timer's interrupt goes now; a line without set function if nowhere. */
static struct hv_irq timer_irq(struct hv_hpet_timer *t)
{
	struct hv_hpet *hpet = t->hpet;
	unsigned int route = (timer_state(t)->config & TN_ROUTE) >> TN_ROUTE_SHIFT;
	struct hv_irq irq = { .set = NULL };

	if (hpet->legacy && timer_index(t) < 2)
		return timer_index(t) ? hpet->config.irq8 : hpet->config.irq0;
	if (!(ROUTES & 1u << route))
		return irq;
	irq = hpet->config.pins;
	irq.line = route;
	return irq;
}

static bool same_line(const struct hv_irq *a, const struct hv_irq *b)
{
	return a->controller == b->controller && a->line == b->line;
}

/* Timers may have one line together: it is high as long as any of them wants it. */
static void timer_lower(struct hv_hpet_timer *t)
{
	bool wanted = !t->line_level;

	t->line_level = false;
	for (unsigned int n = 0; n < HV_HPET_TIMERS; n++) {
		const struct hv_hpet_timer *other = &t->hpet->timer[n];

		wanted |= other->line_level && same_line(&other->line, &t->line);
	}
	if (!wanted)
		hv_irq_set(&t->line, false);
}

static void timer_raise(struct hv_hpet_timer *t)
{
	t->line = timer_irq(t);
	t->line_level = true;
	hv_irq_set(&t->line, true);
}

/* A level interrupt is on the line as long as its status bit is set. */
static bool timer_is_asserting(struct hv_hpet_timer *t)
{
	const uint64_t wanted = TN_LEVEL | TN_ENABLE;

	return (t->hpet->s.config & CONFIG_ENABLE) && (t->hpet->s.status & 1u << timer_index(t)) &&
	       (timer_state(t)->config & wanted) == wanted;
}

static void timer_update_line(struct hv_hpet_timer *t)
{
	struct hv_irq irq = timer_irq(t);

	if (t->line_level && timer_is_asserting(t) && same_line(&irq, &t->line))
		return;
	timer_lower(t);
	if (timer_is_asserting(t))
		timer_raise(t);
}

static void timer_interrupt(struct hv_hpet_timer *t)
{
	uint64_t config = timer_state(t)->config;

	if (config & TN_LEVEL) {
		t->hpet->s.status |= 1u << timer_index(t);
		if (!t->line_level && timer_is_asserting(t))
			timer_raise(t);
	} else if (config & TN_ENABLE) {
		timer_raise(t);
		timer_lower(t);
	}
}

/* Move a periodic comparator past the counter, over periods that nobody had time for. */
static bool timer_advance(struct hv_hpet_timer *t, uint64_t counter)
{
	struct hv_hpet_timer_state *s = timer_state(t);
	uint64_t mask = timer_mask(s), behind;

	if (!(s->config & TN_PERIODIC) || !s->period)
		return false;
	behind = (counter - s->comparator) & mask;
	if (behind > mask / 2)
		return false;
	s->comparator = (s->comparator + (behind / s->period + 1) * s->period) & mask;
	return true;
}

/* Does anybody see it when the comparator of timer @n matches? */
static bool timer_is_awaited(const struct hv_hpet_state *s, unsigned int n)
{
	uint64_t config = s->timer[n].config;

	if (!(s->config & CONFIG_ENABLE))
		return false;
	if (config & TN_LEVEL)
		return !(s->status & 1u << n);
	return config & TN_ENABLE;
}

/* Wait for the next match; @matched: the present one has been dealt with. */
static void timer_arm(struct hv_hpet_timer *t, bool matched)
{
	struct hv_hpet *hpet = t->hpet;
	const struct hv_hpet_timer_state *s = timer_state(t);
	uint64_t now = hv_now_ns(hpet->config.clock);
	uint64_t mask = timer_mask(s);
	uint64_t delta = (s->comparator - hpet_counter(hpet)) & mask;

	if (matched && !delta)
		delta = s->config & TN_32BIT ? mask + 1 : mask;
	if (timer_is_awaited(&hpet->s, timer_index(t)) && delta < MAX_DELTA)
		hv_timer_arm(hpet->config.clock, &t->timer,
			     now + delta * TICK_NS - (now - hpet->start_ns) % TICK_NS);
	else
		hv_timer_cancel(hpet->config.clock, &t->timer);
}

static void timer_match(void *dev)
{
	struct hv_hpet_timer *t = dev;

	uint64_t counter = hpet_counter(t->hpet);

	timer_interrupt(t);
	if (timer_state(t)->period < MIN_PERIOD)
		counter += MIN_PERIOD;
	timer_advance(t, counter);
	timer_arm(t, true);
}

/* It has matched, and the event loop has not come to it. */
static bool timer_is_due(const struct hv_hpet_timer *t)
{
	return t->timer.armed && t->timer.deadline_ns <= hv_now_ns(t->hpet->config.clock);
}

/* Before the guest looks or changes something: what is due has happened already. */
static void timer_sync(struct hv_hpet_timer *t)
{
	if (timer_is_due(t)) {
		hv_timer_cancel(t->hpet->config.clock, &t->timer);
		timer_match(t);
	}
	if ((t->hpet->s.config & CONFIG_ENABLE) && timer_advance(t, hpet_counter(t->hpet)))
		timer_arm(t, true);
}

static uint64_t timer_read(struct hv_hpet_timer *t, uint64_t offset)
{
	const struct hv_hpet_timer_state *s = timer_state(t);

	switch (offset) {
	case TIMER_CONFIG:
		return (uint64_t)ROUTES << 32 | TN_SIZE_CAP | TN_PERIODIC_CAP |
		       (s->config & ~(uint64_t)TN_VAL_SET);
	case TIMER_COMPARATOR:
		timer_sync(t);
		return s->comparator;
	default:
		return 0;
	}
}

static uint64_t hpet_read(struct hv_hpet *hpet, uint64_t reg)
{
	unsigned int n = (unsigned int)(reg - REG_TIMERS) / TIMER_LEN;

	switch (reg) {
	case REG_COUNTER:
		return hpet_counter(hpet);
	case REG_CAPABILITIES:
		return CAPABILITIES;
	case REG_CONFIG:
		return hpet->s.config;
	case REG_STATUS:
		return hpet->s.status;
	default:
		break;
	}
	if (reg < REG_TIMERS || n >= HV_HPET_TIMERS)
		return 0;
	return timer_read(&hpet->timer[n], reg % TIMER_LEN);
}

static void timer_write_config(struct hv_hpet_timer *t, uint64_t value)
{
	struct hv_hpet_timer_state *s = timer_state(t);
	unsigned int route = (value & TN_ROUTE) >> TN_ROUTE_SHIFT;

	timer_sync(t);
	/* A route that is not there does not stick: so software finds out. */
	if (!(ROUTES & 1u << route))
		value = (value & ~(uint64_t)TN_ROUTE) | (s->config & TN_ROUTE);
	s->config = value & TN_WRITABLE;
	s->comparator &= timer_mask(s);
	s->period &= timer_mask(s);
	if (!(s->config & TN_LEVEL))
		t->hpet->s.status &= ~(1u << timer_index(t));
	timer_update_line(t);
	timer_arm(t, false);
}

static void timer_write_comparator(struct hv_hpet_timer *t, uint64_t value, uint64_t mask)
{
	struct hv_hpet_timer_state *s = timer_state(t);

	timer_sync(t);
	mask &= timer_mask(s);
	if (!(s->config & TN_PERIODIC) || (s->config & TN_VAL_SET))
		s->comparator = (s->comparator & ~mask) | (value & mask);
	if (s->config & TN_PERIODIC)
		s->period = (s->period & ~mask) | (value & mask);
	s->config &= ~(uint64_t)TN_VAL_SET;
	timer_arm(t, false);
}

static void hpet_rearm(struct hv_hpet *hpet)
{
	for (unsigned int i = 0; i < HV_HPET_TIMERS; i++) {
		timer_update_line(&hpet->timer[i]);
		timer_arm(&hpet->timer[i], false);
	}
}

static void hpet_sync(struct hv_hpet *hpet)
{
	for (unsigned int i = 0; i < HV_HPET_TIMERS; i++)
		timer_sync(&hpet->timer[i]);
}

bool hv_hpet_state_is_legacy(const struct hv_hpet_state *state)
{
	return (state->config & CONFIG_MASK) == CONFIG_MASK;
}

/* Tell the others whose interrupts we take; before ours are raised on the same lines. */
static void hpet_update_legacy(struct hv_hpet *hpet)
{
	bool legacy = hv_hpet_state_is_legacy(&hpet->s);

	if (legacy == hpet->legacy)
		return;
	for (unsigned int i = 0; i < HV_HPET_TIMERS; i++)
		timer_lower(&hpet->timer[i]);
	hpet->legacy = legacy;
	if (hpet->config.legacy)
		hpet->config.legacy(hpet->config.ctx, legacy);
}

static void hpet_write_config(struct hv_hpet *hpet, uint64_t value)
{
	hpet_sync(hpet);
	hpet_set_counter(hpet, hpet_counter(hpet));
	hpet->s.config = value & CONFIG_MASK;
	hpet_update_legacy(hpet);
	hpet_rearm(hpet);
}

static void hpet_write_status(struct hv_hpet *hpet, uint64_t value)
{
	hpet_sync(hpet);
	hpet->s.status &= ~(uint32_t)value;
	hpet_rearm(hpet);
}

static void hpet_write_counter(struct hv_hpet *hpet, uint64_t value, uint64_t mask)
{
	hpet_sync(hpet);
	hpet_set_counter(hpet, (hpet_counter(hpet) & ~mask) | (value & mask));
	hpet_rearm(hpet);
}

static void timer_write(struct hv_hpet_timer *t, uint64_t offset, uint64_t value, uint64_t mask)
{
	if (offset == TIMER_CONFIG)
		timer_write_config(t, (timer_state(t)->config & ~mask) | (value & mask));
	else if (offset == TIMER_COMPARATOR)
		timer_write_comparator(t, value, mask);
}

/* Write the bits of @mask, the part of the register that the access covers. */
static void hpet_write(struct hv_hpet *hpet, uint64_t reg, uint64_t value, uint64_t mask)
{
	unsigned int n = (unsigned int)(reg - REG_TIMERS) / TIMER_LEN;

	if (reg == REG_CONFIG)
		hpet_write_config(hpet, (hpet->s.config & ~mask) | (value & mask));
	else if (reg == REG_STATUS)
		hpet_write_status(hpet, value & mask);
	else if (reg == REG_COUNTER)
		hpet_write_counter(hpet, value, mask);
	else if (reg >= REG_TIMERS && n < HV_HPET_TIMERS)
		timer_write(&hpet->timer[n], reg % TIMER_LEN, value, mask);
}

static void hpet_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	unsigned int shift = (offset & 7) * 8;
	uint64_t reg = offset & ~7ull;

	if ((offset & 7) + width > 8) { /* across registers: undefined, so nothing */
		if (!write)
			*value = UINT64_MAX;
		return;
	}
	if (write)
		hpet_write(dev, reg, *value << shift, hv_width_mask(width) << shift);
	else
		*value = hpet_read(dev, reg) >> shift;
}

void hv_hpet_reset(struct hv_hpet *hpet)
{
	hpet->s = (struct hv_hpet_state){ 0 };
	for (unsigned int i = 0; i < HV_HPET_TIMERS; i++)
		hpet->s.timer[i].comparator = UINT64_MAX;
	hpet_update_legacy(hpet);
	hpet_rearm(hpet);
}

int hv_hpet_init(struct hv_hpet *hpet, const struct hv_hpet_config *config)
{
	memset(hpet, 0, sizeof(*hpet));
	hpet->config = *config;
	for (unsigned int i = 0; i < HV_HPET_TIMERS; i++) {
		hpet->timer[i].hpet = hpet;
		hpet->timer[i].timer =
			(struct hv_timer){ .fn = timer_match, .dev = &hpet->timer[i] };
	}
	hv_hpet_reset(hpet);
	hpet->region = (struct hv_region){
		.name = "hpet",
		.space = HV_MMIO,
		.base = config->base,
		.len = HV_HPET_LEN,
		.access = hpet_access,
		.dev = hpet,
	};
	return hv_bus_register(config->bus, &hpet->region);
}

void hv_hpet_exit(struct hv_hpet *hpet)
{
	for (unsigned int i = 0; i < HV_HPET_TIMERS; i++)
		hv_timer_cancel(hpet->config.clock, &hpet->timer[i].timer);
	hv_bus_unregister(hpet->config.bus, &hpet->region);
}

void hv_hpet_save(const struct hv_hpet *hpet, struct hv_hpet_state *state)
{
	struct hv_clock *clock = hpet->config.clock;

	*state = hpet->s;
	state->counter = hpet_counter(hpet);
	if (hpet->s.config & CONFIG_ENABLE)
		state->phase_ns = (hv_now_ns(clock) - hpet->start_ns) % TICK_NS;
	for (unsigned int n = 0; n < HV_HPET_TIMERS; n++) {
		if (!timer_is_due(&hpet->timer[n]))
			continue;
		state->due |= 1u << n;
		state->timer[n].late_ns = hv_timer_save(clock, &hpet->timer[n].timer);
	}
}

static bool timer_state_valid(const struct hv_hpet_state *state, unsigned int n)
{
	const struct hv_hpet_timer_state *s = &state->timer[n];
	unsigned int route = (s->config & TN_ROUTE) >> TN_ROUTE_SHIFT;

	if ((s->config & ~(uint64_t)TN_WRITABLE) || (route && !(ROUTES & 1u << route)) ||
	    s->comparator > timer_mask(s) || s->period > timer_mask(s))
		return false;
	if (s->late_ns > 0 || (s->late_ns && !(state->due & 1u << n)))
		return false;
	return (!(state->status & 1u << n) || (s->config & TN_LEVEL)) &&
	       (!(state->due & 1u << n) || timer_is_awaited(state, n));
}

int hv_hpet_check(const struct hv_hpet *hpet, const struct hv_hpet_state *state)
{
	(void)hpet;
	for (unsigned int n = 0; n < HV_HPET_TIMERS; n++)
		if (!timer_state_valid(state, n))
			return -EINVAL;
	if ((state->config & ~CONFIG_MASK) || (state->status | state->due) >> HV_HPET_TIMERS ||
	    state->phase_ns >= TICK_NS)
		return -EINVAL;
	return 0;
}

/* A comparator that equals the counter has matched already, unless the timer is due. */
static void timer_load(struct hv_hpet_timer *t, bool due)
{
	struct hv_hpet_timer_state *s = timer_state(t);

	timer_update_line(t);
	if (due)
		hv_timer_load(t->hpet->config.clock, &t->timer, s->late_ns);
	else
		timer_arm(t, true);
	s->late_ns = 0;
}

int hv_hpet_load(struct hv_hpet *hpet, const struct hv_hpet_state *state)
{
	int err = hv_hpet_check(hpet, state);

	if (err)
		return err;
	hpet->s = *state;
	hpet->s.due = 0;
	hpet->s.phase_ns = 0;
	hpet_set_counter(hpet, state->counter);
	hpet->start_ns -= state->phase_ns;
	hpet_update_legacy(hpet);
	for (unsigned int n = 0; n < HV_HPET_TIMERS; n++)
		timer_load(&hpet->timer[n], state->due & 1u << n);
	return 0;
}

HV_STATE_KIND(hpet, HV_STATE_HPET, 1);
