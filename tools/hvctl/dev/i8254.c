// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8254 timer: three 16-bit down counters at 1.193182 MHz, and port 61h.
 *
 *  port    write                                    read
 *  40..42  count of channel 0..2                    status or count, latched or live
 *  43      7:6 channel, 5:4 access (0 latch,        -
 *          1 LSB, 2 MSB, 3 both), 3:1 mode, 0 BCD
 *          7:6 = 3, read-back: 5 no count,
 *          4 no status, 3:1 channels
 *  61      3:2 parity checks, 1 speaker,            3:0 as written, 4 refresh toggle,
 *          0 gate of channel 2                      5 OUT of channel 2
 *
 *  status  7 OUT, 6 null count, 5:4 access, 3:1 mode, 0 BCD
 *
 *  mode                        OUT, N the count       gate low    gate rises
 *  0 interrupt on end          low, from N on high    pauses      continues
 *  1 one-shot                  low for N              -           starts, again
 *  2 rate generator            low at N - 1 of N      high        starts over
 *  3 square wave               high for half of N     high        starts over
 *  4 software strobe           low for one tick at N  pauses      continues
 *  5 hardware strobe           low for one tick at N  -           starts, again
 *
 * Nothing is counted here: a channel knows the tick at which its count was
 * loaded, and ticks are computed from the clock, so they never drift.
 */
#include <errno.h>
#include <string.h>

#include "i8254.h"

#define CONTROL 3
#define SELECT_READ_BACK 3
#define READ_BACK_NO_COUNT 0x20
#define READ_BACK_NO_STATUS 0x10

#define ACCESS_LATCH 0
#define ACCESS_LSB 1
#define ACCESS_MSB 2
#define ACCESS_BOTH 3

#define STATUS_OUT 0x80
#define STATUS_NULL 0x40

#define PORT61_GATE2 0x01
#define PORT61_WRITABLE 0x0f
#define PORT61_REFRESH 0x10
#define PORT61_OUT2 0x20

/* DRAM refresh, once channel 1's job: a toggle each 15 microseconds. */
#define REFRESH_TICKS 18

/* Faster interrupts than one in 10 us are left out: no CPU could serve them. */
#define MIN_RISE_TICKS 12

static int64_t pit_now(const struct hv_i8254 *pit)
{
	return (int64_t)hv_muldiv(hv_now_ns(pit->config.clock), HV_I8254_HZ, HV_NSEC_PER_SEC);
}

static int64_t channel_elapsed(const struct hv_i8254_channel *ch, int64_t now)
{
	if (!ch->s.running)
		return ch->s.elapsed;
	return now > ch->start ? now - ch->start : 0;
}

static bool mode_is_periodic(uint8_t mode)
{
	return mode == 2 || mode == 3;
}

/* Only a rise of the gate starts these. */
static bool mode_is_triggered(uint8_t mode)
{
	return mode == 1 || mode == 5;
}

static int64_t square_high(int64_t count)
{
	return (count + 1) / 2;
}

static bool channel_out(const struct hv_i8254_channel *ch, int64_t now)
{
	const struct hv_i8254_channel_state *s = &ch->s;
	int64_t elapsed = channel_elapsed(ch, now);
	int64_t count = s->count;

	if (!s->loaded)
		return s->mode != 0;
	if (mode_is_periodic(s->mode) && !s->gate)
		return true;
	switch (s->mode) {
	case 0:
	case 1:
		return elapsed >= count;
	case 2:
		return elapsed % count != count - 1 || count == 1;
	case 3:
		return elapsed % count < square_high(count);
	default:
		return elapsed != count;
	}
}

/* The tick of the next rise of OUT after @now, or HV_I8254_NEVER. */
static int64_t channel_next_rise(const struct hv_i8254_channel *ch, int64_t now)
{
	int64_t elapsed = channel_elapsed(ch, now);
	int64_t count = ch->s.count;

	if (!ch->s.loaded || !ch->s.running)
		return HV_I8254_NEVER;
	if (mode_is_periodic(ch->s.mode))
		return ch->start + (elapsed / count + 1) * count;
	if (ch->s.mode >= 4)
		count++;
	return elapsed < count ? ch->start + count : HV_I8254_NEVER;
}

/* Load the waiting count if its time has come. */
static void channel_sync(struct hv_i8254_channel *ch, int64_t now)
{
	int64_t count = ch->s.count;
	bool middle;

	if (!ch->s.next_count || !ch->s.running || !mode_is_periodic(ch->s.mode) ||
	    now < ch->switch_at)
		return;
	/* A square wave takes it in the middle too: then its low half is the next. */
	middle = ch->s.mode == 3 && (ch->switch_at - ch->start) % count;
	ch->s.count = ch->s.next_count;
	ch->s.next_count = 0;
	ch->start = ch->switch_at - (middle ? square_high(ch->s.count) : 0);
}

static void channel_start(struct hv_i8254_channel *ch, int64_t now)
{
	if (ch->s.next_count)
		ch->s.count = ch->s.next_count;
	ch->s.next_count = 0;
	ch->s.elapsed = 0;
	ch->s.loaded = ch->s.count != 0;
	ch->s.running = ch->s.loaded && (ch->s.gate || mode_is_triggered(ch->s.mode));
	/* The count goes into the counter with the next tick. */
	ch->start = now + 1;
}

static void channel_write_count(struct hv_i8254_channel *ch, int64_t now, uint32_t count)
{
	int64_t elapsed = channel_elapsed(ch, now);
	int64_t cycle = ch->s.count, high = square_high(cycle);

	ch->s.next_count = count;
	if (mode_is_triggered(ch->s.mode))
		return;
	if (!mode_is_periodic(ch->s.mode) || !ch->s.loaded) {
		channel_start(ch, now);
		return;
	}
	if (ch->s.mode == 3 && elapsed % cycle < high)
		ch->switch_at = ch->start + elapsed / cycle * cycle + high;
	else
		ch->switch_at = ch->start + (elapsed / cycle + 1) * cycle;
}

static void channel_set_gate(struct hv_i8254_channel *ch, int64_t now, bool gate)
{
	bool rises = gate && !ch->s.gate;
	bool falls = !gate && ch->s.gate;

	ch->s.gate = gate;
	if (falls && !mode_is_triggered(ch->s.mode)) {
		ch->s.elapsed = channel_elapsed(ch, now);
		ch->s.running = false;
	} else if (rises && (mode_is_triggered(ch->s.mode) || mode_is_periodic(ch->s.mode))) {
		channel_start(ch, now);
	} else if (rises && ch->s.loaded) {
		ch->start = now - ch->s.elapsed;
		ch->s.running = true;
	}
}

static uint32_t channel_modulus(const struct hv_i8254_channel *ch)
{
	return ch->s.bcd ? 10000 : 65536;
}

static uint32_t bcd_to_binary(uint32_t bcd)
{
	return (bcd & 15) + (bcd >> 4 & 15) * 10 + (bcd >> 8 & 15) * 100 + (bcd >> 12 & 15) * 1000;
}

static uint32_t binary_to_bcd(uint32_t value)
{
	return value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 | value / 1000 % 10 << 12;
}

/* What the counting element shows, as the guest would read it. */
static uint16_t channel_value(const struct hv_i8254_channel *ch, int64_t now)
{
	int64_t modulus = channel_modulus(ch), count = ch->s.count;
	int64_t elapsed = channel_elapsed(ch, now);
	int64_t value = count;

	if (!ch->s.loaded)
		value = 0;
	else if (ch->s.mode == 2)
		value = count - elapsed % count;
	else if (ch->s.mode == 3) /* by twos, twice a cycle, from the even number */
		value = (count & ~1ll) - 2 * (elapsed % count % square_high(count));
	else
		value = count - elapsed % modulus + modulus;
	value %= modulus;
	return (uint16_t)(ch->s.bcd ? binary_to_bcd((uint32_t)value) : value);
}

/* Drive IRQ 0; @pulse makes an edge where OUT was high before and is high again. */
static void pit_drive_irq(struct hv_i8254 *pit, bool level, bool pulse)
{
	if (!pit->connected)
		return;
	if (pit->irq_level && (pulse || !level))
		hv_irq_set(&pit->config.irq, false);
	if (level && (pulse || !pit->irq_level))
		hv_irq_set(&pit->config.irq, true);
	pit->irq_level = level;
}

/* Wait for the next rise of OUT 0, or until a new count makes another one of it. */
static void pit_wait(struct hv_i8254 *pit)
{
	const struct hv_i8254_channel *ch = &pit->channel[0];
	struct hv_clock *clock = pit->config.clock;
	int64_t tick = pit->rise_at;

	if (ch->s.next_count && mode_is_periodic(ch->s.mode) && ch->switch_at < tick)
		tick = ch->switch_at;
	if (!pit->connected || pit->rise_at == HV_I8254_NEVER)
		hv_timer_cancel(clock, &pit->timer);
	else /* one that was loaded may be due since before the clock began */
		hv_timer_arm(clock, &pit->timer,
			     tick < 0 ? 0 :
					hv_muldiv_up((uint64_t)tick, HV_NSEC_PER_SEC, HV_I8254_HZ));
}

static void pit_arm(struct hv_i8254 *pit)
{
	struct hv_i8254_channel *ch = &pit->channel[0];
	int64_t now = pit_now(pit);

	channel_sync(ch, now);
	pit->rise_at = channel_next_rise(ch, now);
	if (mode_is_periodic(ch->s.mode) && ch->s.loaded && ch->s.count < MIN_RISE_TICKS)
		pit->rise_at = channel_next_rise(ch, now + MIN_RISE_TICKS);
	pit_wait(pit);
}

static void pit_timer(void *dev)
{
	struct hv_i8254 *pit = dev;

	if (pit_now(pit) >= pit->rise_at)
		pit_drive_irq(pit, true, true);
	pit_arm(pit);
}

/* After the guest has changed channel 0: OUT may have moved, the next rise too. */
static void pit_update(struct hv_i8254 *pit)
{
	pit_drive_irq(pit, channel_out(&pit->channel[0], pit_now(pit)), false);
	pit_arm(pit);
}

static void channel_latch(struct hv_i8254_channel *ch, int64_t now)
{
	if (ch->s.latched)
		return;
	ch->s.latch = channel_value(ch, now);
	ch->s.latched = 1;
}

static void channel_latch_status(struct hv_i8254_channel *ch, int64_t now)
{
	const struct hv_i8254_channel_state *s = &ch->s;
	bool null = !s->loaded || s->next_count || (s->running && now < ch->start);

	if (s->status_latched)
		return;
	ch->s.status =
		(uint8_t)(s->access << 4 | s->mode << 1 | s->bcd |
			  (channel_out(ch, now) ? STATUS_OUT : 0) | (null ? STATUS_NULL : 0));
	ch->s.status_latched = 1;
}

static void pit_read_back(struct hv_i8254 *pit, int64_t now, uint8_t value)
{
	for (unsigned int i = 0; i < 3; i++) {
		if (!(value & 2 << i))
			continue;
		channel_sync(&pit->channel[i], now);
		if (!(value & READ_BACK_NO_COUNT))
			channel_latch(&pit->channel[i], now);
		if (!(value & READ_BACK_NO_STATUS))
			channel_latch_status(&pit->channel[i], now);
	}
}

/* A control word stops the channel until a count follows. */
static void channel_control(struct hv_i8254_channel *ch, uint8_t value)
{
	uint8_t mode = value >> 1 & 7;

	ch->s = (struct hv_i8254_channel_state){
		.mode = mode > 5 ? mode - 4 : mode,
		.access = value >> 4 & 3,
		.bcd = value & 1,
		.gate = ch->s.gate,
	};
}

static void pit_write_control(struct hv_i8254 *pit, uint8_t value)
{
	unsigned int select = value >> 6;
	int64_t now = pit_now(pit);

	if (select == SELECT_READ_BACK) {
		pit_read_back(pit, now, value);
		return;
	}
	channel_sync(&pit->channel[select], now);
	if ((value >> 4 & 3) == ACCESS_LATCH) {
		channel_latch(&pit->channel[select], now);
		return;
	}
	channel_control(&pit->channel[select], value);
	if (!select)
		pit_update(pit);
}

static void channel_write(struct hv_i8254_channel *ch, int64_t now, uint8_t value)
{
	uint32_t count = value;

	channel_sync(ch, now);
	if (ch->s.access == ACCESS_MSB)
		count = (uint32_t)value << 8;
	if (ch->s.access == ACCESS_BOTH && !ch->s.write_high_next) {
		ch->s.write_low = value;
		ch->s.write_high_next = 1;
		/* In mode 0 the first byte already stops the count. */
		if (ch->s.mode == 0) {
			ch->s.loaded = 0;
			ch->s.running = 0;
		}
		return;
	}
	if (ch->s.access == ACCESS_BOTH)
		count = (uint32_t)value << 8 | ch->s.write_low;
	ch->s.write_high_next = 0;
	if (ch->s.bcd)
		count = bcd_to_binary(count);
	channel_write_count(ch, now, count ? count : channel_modulus(ch));
}

static uint8_t channel_read(struct hv_i8254_channel *ch, int64_t now)
{
	struct hv_i8254_channel_state *s = &ch->s;
	uint16_t value;

	if (s->status_latched) {
		s->status_latched = 0;
		return s->status;
	}
	channel_sync(ch, now);
	value = s->latched ? s->latch : channel_value(ch, now);
	if (s->access == ACCESS_BOTH && !s->read_high_next) {
		s->read_high_next = 1;
		return (uint8_t)value;
	}
	s->read_high_next = 0;
	s->latched = 0;
	return (uint8_t)(s->access == ACCESS_LSB ? value : value >> 8);
}

static uint8_t pit_read8(void *dev, uint64_t offset)
{
	struct hv_i8254 *pit = dev;

	if (offset == CONTROL)
		return 0xff;
	return channel_read(&pit->channel[offset], pit_now(pit));
}

static void pit_write8(void *dev, uint64_t offset, uint8_t value)
{
	struct hv_i8254 *pit = dev;

	if (offset == CONTROL) {
		pit_write_control(pit, value);
		return;
	}
	channel_write(&pit->channel[offset], pit_now(pit), value);
	if (!offset)
		pit_update(pit);
}

static void pit_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, pit_read8, pit_write8);
}

static uint8_t port61_read8(void *dev, uint64_t offset)
{
	struct hv_i8254 *pit = dev;
	int64_t now = pit_now(pit);
	uint8_t value = pit->port61;

	(void)offset;
	channel_sync(&pit->channel[2], now);
	if (now / REFRESH_TICKS % 2)
		value |= PORT61_REFRESH;
	if (channel_out(&pit->channel[2], now))
		value |= PORT61_OUT2;
	return value;
}

static void port61_write8(void *dev, uint64_t offset, uint8_t value)
{
	struct hv_i8254 *pit = dev;
	int64_t now = pit_now(pit);

	(void)offset;
	pit->port61 = value & PORT61_WRITABLE;
	channel_sync(&pit->channel[2], now);
	channel_set_gate(&pit->channel[2], now, value & PORT61_GATE2);
}

static void port61_access(void *dev, uint64_t offset, unsigned int width, bool write,
			  uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, port61_read8, port61_write8);
}

void hv_i8254_connect_irq(struct hv_i8254 *pit, bool connected)
{
	if (connected == pit->connected)
		return;
	if (!connected)
		pit_drive_irq(pit, false, false);
	pit->connected = connected;
	if (connected)
		pit_update(pit);
	else
		pit_arm(pit);
}

/* No channel counts before the guest has programmed it. */
void hv_i8254_reset(struct hv_i8254 *pit)
{
	for (unsigned int i = 0; i < 3; i++)
		pit->channel[i] = (struct hv_i8254_channel){
			.s = { .access = ACCESS_BOTH, .gate = i != 2 },
		};
	pit->port61 = 0;
	pit_update(pit);
}

int hv_i8254_init(struct hv_i8254 *pit, const struct hv_i8254_config *config)
{
	int err;

	memset(pit, 0, sizeof(*pit));
	pit->config = *config;
	pit->connected = true;
	pit->timer = (struct hv_timer){ .fn = pit_timer, .dev = pit };
	hv_i8254_reset(pit);
	pit->region = (struct hv_region){ "i8254", HV_PORT, 0x40, 4, pit_access, pit };
	pit->port61_region = (struct hv_region){ "port61", HV_PORT, 0x61, 1, port61_access, pit };
	err = hv_bus_register(config->bus, &pit->region);
	if (err)
		return err;
	err = hv_bus_register(config->bus, &pit->port61_region);
	if (err)
		hv_bus_unregister(config->bus, &pit->region);
	return err;
}

void hv_i8254_exit(struct hv_i8254 *pit)
{
	hv_timer_cancel(pit->config.clock, &pit->timer);
	hv_bus_unregister(pit->config.bus, &pit->port61_region);
	hv_bus_unregister(pit->config.bus, &pit->region);
}

/* Distances in time that arithmetic can do something with; no guest waits for so long. */
#define LONG_AGO (INT64_MAX / 4)
#define LONGEST_WAIT (2 * 65536)

static int64_t ticks_until(int64_t tick, int64_t now)
{
	return tick < now - LONG_AGO ? -LONG_AGO : tick - now;
}

static bool ticks_valid(int64_t ticks, int64_t min, int64_t max)
{
	return ticks >= min && ticks <= max;
}

/* What is overdue stays so. */
void hv_i8254_save(const struct hv_i8254 *pit, struct hv_i8254_state *state)
{
	int64_t now = pit_now(pit);
	bool never = pit->rise_at == HV_I8254_NEVER;

	*state = (struct hv_i8254_state){
		.port61 = pit->port61,
		.connected = pit->connected,
		.irq_level = pit->irq_level,
		.rise_in = never ? HV_I8254_NEVER : ticks_until(pit->rise_at, now),
	};
	for (unsigned int i = 0; i < 3; i++) {
		const struct hv_i8254_channel *ch = &pit->channel[i];

		state->channel[i] = ch->s;
		if (ch->s.running)
			state->channel[i].elapsed = -ticks_until(ch->start, now);
		state->channel[i].switch_in = 0;
		if (ch->s.next_count && mode_is_periodic(ch->s.mode))
			state->channel[i].switch_in = ticks_until(ch->switch_at, now);
	}
}

static bool channel_state_valid(const struct hv_i8254_channel_state *s)
{
	if (s->mode > 5 || s->access < ACCESS_LSB || s->access > ACCESS_BOTH)
		return false;
	if (s->count > 65536 || s->next_count > 65536 || (s->loaded && !s->count))
		return false;
	/* The count is loaded with the tick that follows. */
	if ((s->running && !s->loaded) || !ticks_valid(s->elapsed, s->running ? -1 : 0, LONG_AGO) ||
	    !ticks_valid(s->switch_in, -LONG_AGO, LONGEST_WAIT))
		return false;
	return (s->bcd | s->gate | s->loaded | s->running | s->write_high_next | s->read_high_next |
		s->latched | s->status_latched) <= 1 &&
	       !(s->pad[0] | s->pad[1]);
}

int hv_i8254_check(const struct hv_i8254 *pit, const struct hv_i8254_state *state)
{
	static const uint8_t pad[sizeof(state->pad)];

	(void)pit;
	if ((state->port61 & ~PORT61_WRITABLE) || state->connected > 1 ||
	    state->irq_level > state->connected || memcmp(state->pad, pad, sizeof(pad)))
		return -EINVAL;
	if (state->rise_in != HV_I8254_NEVER &&
	    !ticks_valid(state->rise_in, -LONG_AGO, LONGEST_WAIT))
		return -EINVAL;
	for (unsigned int i = 0; i < 3; i++)
		if (!channel_state_valid(&state->channel[i]))
			return -EINVAL;
	return 0;
}

int hv_i8254_load(struct hv_i8254 *pit, const struct hv_i8254_state *state)
{
	int64_t now = pit_now(pit);
	int err = hv_i8254_check(pit, state);

	if (err)
		return err;
	for (unsigned int i = 0; i < 3; i++) {
		const struct hv_i8254_channel_state *s = &state->channel[i];

		pit->channel[i] = (struct hv_i8254_channel){
			.s = *s,
			.start = now - s->elapsed,
			.switch_at = now + s->switch_in,
		};
		if (s->running)
			pit->channel[i].s.elapsed = 0;
	}
	pit->port61 = state->port61;
	pit->rise_at = state->rise_in == HV_I8254_NEVER ? HV_I8254_NEVER : now + state->rise_in;
	pit->connected = true;
	pit_drive_irq(pit, state->irq_level, false);
	pit->connected = state->connected;
	pit_wait(pit);
	return 0;
}

HV_STATE_KIND(i8254, HV_STATE_I8254, 1);
