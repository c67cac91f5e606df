// SPDX-License-Identifier: GPL-2.0-only
/*
 * MC146818 real-time clock and CMOS RAM at ports 70h (index) and 71h (data).
 *
 *  0 seconds   1 alarm   2 minutes   3 alarm   4 hours (7 PM)   5 alarm
 *  6 day of the week (1 Sunday)   7 day   8 month   9 year   32h century
 *  A  7 UIP, 6:4 divider (2 runs, 6 and 7 reset), 3:0 periodic rate
 *  B  7 SET, 6 PIE, 5 AIE, 4 UIE, 3 SQWE, 2 DM (binary), 1 24 hours, 0 DSE
 *  C  7 IRQF, 6 PF, 5 AF, 4 UF; reading clears all
 *  D  7 VRT
 *  F  shutdown status   14h equipment   15h, 16h base memory in KiB
 *  17h, 18h and 30h, 31h KiB above 1 MiB   34h, 35h 64 KiB above 16 MiB
 *  5Bh..5Dh 64 KiB above 4 GiB   5Fh processors less one
 *
 * The running clock is not kept in registers: it is the wall clock plus an
 * offset, and a timer exists only while an interrupt that is enabled has not
 * been seen yet. So an idle guest costs nothing. The flags of register C are
 * brought up to date when somebody looks.
 *
 * The day of the week follows from the date; writing it has no effect.
 */
#include <errno.h>
#include <string.h>

#include "cmos.h"

enum {
	SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM,
	WEEKDAY, DAY, MONTH, YEAR, REG_A, REG_B, REG_C, REG_D,
};

#define A_UIP 0x80
#define A_DIVIDER_RESET 0x60
#define A_RATE 0x0f

#define B_SET 0x80
#define B_PIE 0x40
#define B_AIE 0x20
#define B_UIE 0x10
#define B_INTERRUPTS 0x70
#define B_SQWE 0x08
#define B_BINARY 0x04
#define B_24H 0x02

#define C_IRQF 0x80
#define C_PF 0x40
#define C_AF 0x20
#define C_UF 0x10

#define D_VRT 0x80

#define HOURS_PM 0x80
#define ALARM_ANY 0xc0

/* UIP rises 244 us before the update, which then takes 1984 us. */
#define UIP_NS 2228000u
/* The first update after the divider's reset. */
#define DIVIDER_RESET_NS 500000000u

#define SECONDS_PER_DAY 86400

struct rtc_time {
	int64_t s;			/* since 1970 */
	uint32_t ns;
};

static struct rtc_time rtc_now(const struct hv_cmos *cmos)
{
	uint64_t wall = cmos->config.wall_ns(cmos->config.ctx);
	struct rtc_time t = {
		.s = (int64_t)(wall / HV_NSEC_PER_SEC) + cmos->s.offset_s,
		.ns = (uint32_t)(wall % HV_NSEC_PER_SEC) + cmos->s.offset_ns,
	};

	if (t.ns >= HV_NSEC_PER_SEC) {
		t.ns -= HV_NSEC_PER_SEC;
		t.s++;
	}
	return t;
}

static void rtc_set(struct hv_cmos *cmos, struct rtc_time t)
{
	uint64_t wall = cmos->config.wall_ns(cmos->config.ctx);
	int64_t ns = (int64_t)t.ns - (int64_t)(wall % HV_NSEC_PER_SEC);

	cmos->s.offset_s = t.s - (int64_t)(wall / HV_NSEC_PER_SEC) - (ns < 0);
	cmos->s.offset_ns = (uint32_t)(ns < 0 ? ns + (int64_t)HV_NSEC_PER_SEC : ns);
	cmos->s.seen_s = t.s;
}

static bool rtc_stopped(const struct hv_cmos *cmos)
{
	return (cmos->s.ram[REG_B] & B_SET) ||
	       (cmos->s.ram[REG_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
}

static bool is_time(uint8_t index)
{
	return index == HV_CMOS_CENTURY || (index <= YEAR && index != SECONDS_ALARM &&
					    index != MINUTES_ALARM && index != HOURS_ALARM);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
	return a - floor_div(a, b) * b;
}

/*
 * Days since 1970 of a Gregorian date. Years begin in March here, so that the
 * leap day is the last one, and months follow the pattern of 153 days in five.
 */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = (month + 9) % 12;

	return 365 * y + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400) +
	       (153 * m + 2) / 5 + day - 1 - 719468;
}

static void date_of_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t since = days + 719468; /* 1 March of year 0 */
	int64_t era = floor_div(since, 146097);
	int64_t d = since - era * 146097;
	int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t m;

	d -= 365 * y + y / 4 - y / 100;
	m = (5 * d + 2) / 153;
	*day = d - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = era * 400 + y + (*month <= 2);
}

static uint8_t encode(const struct hv_cmos *cmos, int64_t value)
{
	if (cmos->s.ram[REG_B] & B_BINARY)
		return (uint8_t)value;
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static int64_t decode(const struct hv_cmos *cmos, uint8_t value)
{
	if (cmos->s.ram[REG_B] & B_BINARY)
		return value;
	return (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hours(const struct hv_cmos *cmos, int64_t hours)
{
	if (cmos->s.ram[REG_B] & B_24H)
		return encode(cmos, hours);
	return encode(cmos, hours % 12 ? hours % 12 : 12) | (hours >= 12 ? HOURS_PM : 0);
}

static int64_t decode_hours(const struct hv_cmos *cmos, uint8_t value)
{
	if (cmos->s.ram[REG_B] & B_24H)
		return decode(cmos, value);
	return decode(cmos, value & ~HOURS_PM) % 12 + (value & HOURS_PM ? 12 : 0);
}

/* One register of the time @s. */
static uint8_t rtc_field(const struct hv_cmos *cmos, int64_t s, uint8_t index)
{
	int64_t days = floor_div(s, SECONDS_PER_DAY), of_day = floor_mod(s, SECONDS_PER_DAY);
	int64_t year, month, day;

	date_of_days(days, &year, &month, &day);
	switch (index) {
	case SECONDS:
		return encode(cmos, of_day % 60);
	case MINUTES:
		return encode(cmos, of_day / 60 % 60);
	case HOURS:
		return encode_hours(cmos, of_day / 3600);
	case WEEKDAY:
		return encode(cmos, floor_mod(days + 4, 7) + 1);
	case DAY:
		return encode(cmos, day);
	case MONTH:
		return encode(cmos, month);
	case YEAR:
		return encode(cmos, floor_mod(year, 100));
	default:
		return encode(cmos, floor_mod(floor_div(year, 100), 100));
	}
}

/* Stop: the registers take over what the clock shows. */
static void rtc_to_registers(struct hv_cmos *cmos)
{
	struct rtc_time now = rtc_now(cmos);

	for (uint8_t i = SECONDS; i <= YEAR; i++)
		if (is_time(i))
			cmos->s.ram[i] = rtc_field(cmos, now.s, i);
	cmos->s.ram[HV_CMOS_CENTURY] = rtc_field(cmos, now.s, HV_CMOS_CENTURY);
}

/* Go on from what is in the registers; nonsense there gives some time, not a failure. */
static void rtc_from_registers(struct hv_cmos *cmos, uint32_t ns)
{
	const uint8_t *ram = cmos->s.ram;
	int64_t year = decode(cmos, ram[HV_CMOS_CENTURY]) * 100 + decode(cmos, ram[YEAR]);
	int64_t month = decode(cmos, ram[MONTH]);
	int64_t days;

	if (month < 1 || month > 12)
		month = 1;
	days = days_of_date(year, month, decode(cmos, ram[DAY]));
	rtc_set(cmos, (struct rtc_time){
			      .s = days * SECONDS_PER_DAY + decode_hours(cmos, ram[HOURS]) * 3600 +
				   decode(cmos, ram[MINUTES]) * 60 + decode(cmos, ram[SECONDS]),
			      .ns = ns,
		      });
}

static bool alarm_field_matches(uint8_t alarm, uint8_t value)
{
	return (alarm & ALARM_ANY) == ALARM_ANY || alarm == value;
}

/* Can the alarm come at all? Else the search below would be long and in vain. */
static bool alarm_is_possible(const struct hv_cmos *cmos)
{
	const uint8_t *ram = cmos->s.ram;
	bool s = false, m = false, h = false;

	for (int i = 0; i < 60; i++) {
		s |= alarm_field_matches(ram[SECONDS_ALARM], encode(cmos, i));
		m |= alarm_field_matches(ram[MINUTES_ALARM], encode(cmos, i));
		h |= i < 24 && alarm_field_matches(ram[HOURS_ALARM], encode_hours(cmos, i));
	}
	return s && m && h;
}

/* Seconds from @s to the next alarm, at least 1; 0: there is none. */
static int64_t alarm_in(const struct hv_cmos *cmos, int64_t s)
{
	const uint8_t *ram = cmos->s.ram;
	int64_t in = 1, t;

	if (!alarm_is_possible(cmos))
		return 0;
	for (;;) {
		t = floor_mod(s + in, SECONDS_PER_DAY);
		if (!alarm_field_matches(ram[HOURS_ALARM], encode_hours(cmos, t / 3600)))
			in += 3600 - t % 3600;
		else if (!alarm_field_matches(ram[MINUTES_ALARM], encode(cmos, t / 60 % 60)))
			in += 60 - t % 60;
		else if (!alarm_field_matches(ram[SECONDS_ALARM], encode(cmos, t % 60)))
			in++;
		else
			return in;
	}
}

/* Periods a second, or 0. */
static uint64_t period_hz(const struct hv_cmos *cmos)
{
	uint8_t a = cmos->s.ram[REG_A], rate = a & A_RATE;

	if (!rate || (a & A_DIVIDER_RESET) == A_DIVIDER_RESET)
		return 0;
	/* At 32768 Hz the two fastest rates are those of 8 and 9. */
	return 32768 >> ((rate <= 2 ? rate + 7 : rate) - 1);
}

static uint64_t period_now(const struct hv_cmos *cmos)
{
	return hv_muldiv(hv_now_ns(cmos->config.clock), period_hz(cmos), HV_NSEC_PER_SEC);
}

/* Put into register C what has happened since somebody last looked. */
static void cmos_catch_up(struct hv_cmos *cmos)
{
	uint8_t *c = &cmos->s.ram[REG_C];
	uint64_t period = period_now(cmos);
	int64_t now, alarm;

	if (period != cmos->seen_period)
		*c |= C_PF;
	cmos->seen_period = period;
	if (rtc_stopped(cmos))
		return;
	now = rtc_now(cmos).s;
	if (now > cmos->s.seen_s) {
		*c |= C_UF;
		alarm = alarm_in(cmos, cmos->s.seen_s);
		if (alarm && alarm <= now - cmos->s.seen_s)
			*c |= C_AF;
	}
	cmos->s.seen_s = now;
}

static void cmos_update_irq(struct hv_cmos *cmos)
{
	uint8_t *ram = cmos->s.ram;
	bool level = ram[REG_B] & ram[REG_C] & B_INTERRUPTS;

	ram[REG_C] = (ram[REG_C] & ~C_IRQF) | (level ? C_IRQF : 0);
	level = level && cmos->s.connected;
	if (level == cmos->irq_level)
		return;
	cmos->irq_level = level;
	hv_irq_set(&cmos->config.irq, level);
}

/* Flags that are enabled and not yet set: the ones worth a timer. */
static uint8_t cmos_awaited(const struct hv_cmos *cmos)
{
	if (!cmos->s.connected)
		return 0;
	return cmos->s.ram[REG_B] & ~cmos->s.ram[REG_C] & B_INTERRUPTS;
}

static void cmos_arm_update(struct hv_cmos *cmos, uint8_t awaited)
{
	struct hv_clock *clock = cmos->config.clock;
	struct rtc_time now;
	int64_t in = 0;

	if (!rtc_stopped(cmos)) {
		now = rtc_now(cmos);
		if (awaited & B_UIE)
			in = 1;
		else if (awaited & B_AIE)
			in = alarm_in(cmos, now.s);
	}
	if (in)
		hv_timer_arm(clock, &cmos->update_timer,
			     hv_now_ns(clock) + (uint64_t)in * HV_NSEC_PER_SEC - now.ns);
	else
		hv_timer_cancel(clock, &cmos->update_timer);
}

static void cmos_arm_period(struct hv_cmos *cmos, uint8_t awaited)
{
	uint64_t hz = period_hz(cmos);

	if ((awaited & B_PIE) && hz)
		hv_timer_arm(cmos->config.clock, &cmos->period_timer,
			     hv_muldiv_up(cmos->seen_period + 1, HV_NSEC_PER_SEC, hz));
	else
		hv_timer_cancel(cmos->config.clock, &cmos->period_timer);
}

static void cmos_update(struct hv_cmos *cmos)
{
	uint8_t awaited;

	cmos_update_irq(cmos);
	awaited = cmos_awaited(cmos);
	cmos_arm_update(cmos, awaited);
	cmos_arm_period(cmos, awaited);
}

static void cmos_timer(void *dev)
{
	cmos_catch_up(dev);
	cmos_update(dev);
}

static uint8_t cmos_read_c(struct hv_cmos *cmos)
{
	uint8_t c;

	cmos_catch_up(cmos);
	cmos_update_irq(cmos);
	c = cmos->s.ram[REG_C];
	cmos->s.ram[REG_C] = 0;
	cmos_update(cmos);
	return c;
}

static uint8_t cmos_read_a(const struct hv_cmos *cmos)
{
	uint8_t a = cmos->s.ram[REG_A];

	if (!rtc_stopped(cmos) && HV_NSEC_PER_SEC - rtc_now(cmos).ns <= UIP_NS)
		a |= A_UIP;
	return a;
}

static uint8_t cmos_read8(void *dev, uint64_t offset)
{
	struct hv_cmos *cmos = dev;
	uint8_t index = cmos->s.index & (HV_CMOS_SIZE - 1);

	if (!offset)
		return 0xff;
	if (index == REG_A)
		return cmos_read_a(cmos);
	if (index == REG_C)
		return cmos_read_c(cmos);
	if (is_time(index) && !rtc_stopped(cmos))
		return rtc_field(cmos, rtc_now(cmos).s, index);
	return cmos->s.ram[index];
}

/*
 * Registers A and B stop and start the clock. SET holds back the updates while
 * the divider runs on; the divider's own reset begins a second anew.
 */
static void cmos_write_control(struct hv_cmos *cmos, uint8_t index, uint8_t value)
{
	bool was_stopped = rtc_stopped(cmos);
	uint32_t ns = rtc_now(cmos).ns;

	if (index == REG_A && (cmos->s.ram[REG_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET)
		ns = DIVIDER_RESET_NS;
	/* The registers take the time in the format that it had so far. */
	if (!was_stopped)
		rtc_to_registers(cmos);
	if (index == REG_A)
		value &= ~A_UIP;
	else if (value & B_SET)
		value &= ~B_UIE;
	cmos->s.ram[index] = value;
	cmos->seen_period = period_now(cmos);
	if (was_stopped && !rtc_stopped(cmos))
		rtc_from_registers(cmos, ns);
}

static void cmos_write_time(struct hv_cmos *cmos, uint8_t index, uint8_t value)
{
	bool stopped = rtc_stopped(cmos);

	if (!stopped)
		rtc_to_registers(cmos);
	cmos->s.ram[index] = value;
	if (!stopped)
		rtc_from_registers(cmos, rtc_now(cmos).ns);
}

static void cmos_write_data(struct hv_cmos *cmos, uint8_t index, uint8_t value)
{
	if (index > REG_D && index != HV_CMOS_CENTURY) {
		cmos->s.ram[index] = value;
		return;
	}
	if (index == REG_C || index == REG_D)
		return;
	cmos_catch_up(cmos);
	if (index == REG_A || index == REG_B)
		cmos_write_control(cmos, index, value);
	else if (is_time(index))
		cmos_write_time(cmos, index, value);
	else
		cmos->s.ram[index] = value;
	cmos_update(cmos);
}

static void cmos_write8(void *dev, uint64_t offset, uint8_t value)
{
	struct hv_cmos *cmos = dev;

	if (!offset)
		cmos->s.index = value;
	else
		cmos_write_data(cmos, cmos->s.index & (HV_CMOS_SIZE - 1), value);
}

static void cmos_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, cmos_read8, cmos_write8);
}

static void put16(uint8_t *ram, uint8_t index, uint64_t value)
{
	value = value > 0xffff ? 0xffff : value;
	ram[index] = (uint8_t)value;
	ram[index + 1] = (uint8_t)(value >> 8);
}

/* What a BIOS would have found out about the machine. */
static void cmos_fill_ram(struct hv_cmos *cmos)
{
	uint64_t kib = cmos->config.ram_below_4g >> 10;
	uint64_t above = cmos->config.ram_above_4g >> 16;
	uint8_t *ram = cmos->s.ram;
	unsigned int i, sum = 0;

	ram[0x14] = 0x02; /* FPU; no floppy, no display */
	put16(ram, 0x15, kib < 640 ? kib : 640);
	put16(ram, 0x17, kib > 1024 ? kib - 1024 : 0);
	put16(ram, 0x30, kib > 1024 ? kib - 1024 : 0);
	put16(ram, 0x34, kib > 16384 ? (kib - 16384) >> 6 : 0);
	put16(ram, 0x5b, above & 0xffff);
	ram[0x5d] = (uint8_t)(above >> 16);
	ram[0x5f] = (uint8_t)(cmos->config.cpus ? cmos->config.cpus - 1 : 0);
	for (i = 0x10; i <= 0x2d; i++)
		sum += ram[i];
	ram[0x2e] = (uint8_t)(sum >> 8);
	ram[0x2f] = (uint8_t)sum;
}

void hv_cmos_reset(struct hv_cmos *cmos)
{
	cmos->s.ram[REG_B] &= ~(B_INTERRUPTS | B_SQWE);
	cmos->s.ram[REG_C] = 0;
	cmos->s.index = 0;
	cmos_update(cmos);
}

void hv_cmos_connect_irq(struct hv_cmos *cmos, bool connected)
{
	cmos_catch_up(cmos);
	cmos->s.connected = connected;
	cmos_update(cmos);
}

int hv_cmos_init(struct hv_cmos *cmos, const struct hv_cmos_config *config)
{
	memset(cmos, 0, sizeof(*cmos));
	cmos->config = *config;
	cmos->update_timer = (struct hv_timer){ .fn = cmos_timer, .dev = cmos };
	cmos->period_timer = (struct hv_timer){ .fn = cmos_timer, .dev = cmos };
	cmos->s.connected = 1;
	cmos->s.ram[REG_A] = 0x26; /* 32768 Hz, 1024 periods a second */
	cmos->s.ram[REG_B] = B_24H;
	cmos->s.ram[REG_D] = D_VRT;
	cmos->s.seen_s = rtc_now(cmos).s;
	cmos->seen_period = period_now(cmos);
	cmos_fill_ram(cmos);
	cmos->region = (struct hv_region){
		.name = "cmos",
		.space = HV_PORT,
		.base = 0x70,
		.len = 2,
		.access = cmos_access,
		.dev = cmos,
	};
	return hv_bus_register(config->bus, &cmos->region);
}

void hv_cmos_exit(struct hv_cmos *cmos)
{
	hv_timer_cancel(cmos->config.clock, &cmos->update_timer);
	hv_timer_cancel(cmos->config.clock, &cmos->period_timer);
	hv_bus_unregister(cmos->config.bus, &cmos->region);
}

void hv_cmos_save(const struct hv_cmos *cmos, struct hv_cmos_state *state)
{
	*state = cmos->s;
	state->period_unseen = period_now(cmos) != cmos->seen_period;
}

int hv_cmos_check(const struct hv_cmos *cmos, const struct hv_cmos_state *state)
{
	const int64_t limit = 1ll << 40; /* seconds; more than any register can say */

	(void)cmos;
	if (state->connected > 1 || state->period_unseen > 1 || state->pad)
		return -EINVAL;
	if (state->offset_s < -limit || state->offset_s > limit ||
	    state->offset_ns >= HV_NSEC_PER_SEC || state->seen_s < -limit || state->seen_s > limit)
		return -EINVAL;
	if ((state->ram[REG_A] & A_UIP) || state->ram[REG_D] != D_VRT || (state->ram[REG_C] & 0x0f))
		return -EINVAL;
	return 0;
}

/* Seconds that have passed unseen, be it by the wall clock, are the timer's: it is late. */
int hv_cmos_load(struct hv_cmos *cmos, const struct hv_cmos_state *state)
{
	struct hv_clock *clock = cmos->config.clock;
	int err = hv_cmos_check(cmos, state);

	if (err)
		return err;
	cmos->s = *state;
	cmos->s.period_unseen = 0;
	cmos->seen_period = period_now(cmos) - state->period_unseen;
	cmos_update(cmos);
	if (cmos->update_timer.armed && rtc_now(cmos).s != state->seen_s)
		hv_timer_arm(clock, &cmos->update_timer, hv_now_ns(clock));
	return 0;
}

HV_STATE_KIND(cmos, HV_STATE_CMOS, 1);
