// SPDX-License-Identifier: GPL-2.0-only
/* Time: the TSC counts it, once the HPET has told how fast the TSC is. */
#include "kernel.h"

#define HPET_BASE		0xfed00000UL
#define HPET_CAPABILITIES	0x000
#define HPET_CONFIGURATION	0x010
#define HPET_COUNTER		0x0f0
#define HPET_TIMER0		0x100

#define CAPABILITY_64BIT	(1ULL << 13)
#define CAPABILITY_LEGACY	(1ULL << 15)
#define PERIOD_MAX_FS		100000000ULL	/* the specification's limit */
#define CONFIGURATION_ENABLE	(1ULL << 0)
#define CONFIGURATION_LEGACY	(1ULL << 1)
#define TIMER_INTERRUPT		(1ULL << 2)
#define TIMER_PERIODIC		(1ULL << 3)

#define FS_PER_US		1000000000ULL
#define CALIBRATION_US		50000
#define STUCK_READS		1000000

static u64 hpet_period_fs;
static bool hpet_wide;	/* the main counter has 64 bits */
static u64 tsc_khz, tsc_start;

static u64 hpet_read(u32 offset)
{
	return *(volatile u64 *)(HPET_BASE + offset);
}

static void hpet_write(u32 offset, u64 value)
{
	*(volatile u64 *)(HPET_BASE + offset) = value;
}

/* The main counter free, no timer armed, and no interrupt from either. */
static void hpet_init(void)
{
	u64 capabilities = hpet_read(HPET_CAPABILITIES);

	hpet_period_fs = capabilities >> 32;
	hpet_wide = capabilities & CAPABILITY_64BIT;
	if (!hpet_period_fs || hpet_period_fs > PERIOD_MAX_FS)
		panic("no HPET at 0x%lx", HPET_BASE);
	hpet_write(HPET_CONFIGURATION, 0);
	hpet_write(HPET_TIMER0, hpet_read(HPET_TIMER0) & ~(TIMER_INTERRUPT | TIMER_PERIODIC));
	hpet_write(HPET_COUNTER, 0);
	hpet_write(HPET_CONFIGURATION, CONFIGURATION_ENABLE);
	print("hpet: %llu kHz, %s-bit counter%s\n", FS_PER_US * 1000 / hpet_period_fs,
	      hpet_wide ? "64" : "32",
	      capabilities & CAPABILITY_LEGACY ? ", legacy routes" : "");
}

/* Counter ticks since @begin; a 32-bit counter may have wrapped since. */
static u64 hpet_passed(u64 begin)
{
	u64 passed = hpet_read(HPET_COUNTER) - begin;

	return hpet_wide ? passed : (u32)passed;
}

u64 clock_measure(void (*start)(void), u64 (*read)(void), u64 us)
{
	u64 wanted = us * FS_PER_US / hpet_period_fs;
	u64 begin = hpet_read(HPET_COUNTER), passed = 0, reads = 0;

	start();
	while (passed < wanted) {
		passed = hpet_passed(begin);
		if (!passed && ++reads > STUCK_READS)
			panic("the HPET does not count");
	}
	return read() * wanted / passed;
}

static void tsc_begin(void)
{
	tsc_start = rdtsc();
}

static u64 tsc_passed(void)
{
	return rdtsc() - tsc_start;
}

void clock_init(void)
{
	hpet_init();
	tsc_khz = clock_measure(tsc_begin, tsc_passed, CALIBRATION_US) * 1000 / CALIBRATION_US;
	if (!tsc_khz)
		panic("the TSC does not count");
	print("tsc: %llu kHz\n", tsc_khz);
}

/* Split, so that the product does not overflow after some hours. */
u64 clock_us(void)
{
	u64 ticks = tsc_passed();

	return ticks / tsc_khz * 1000 + ticks % tsc_khz * 1000 / tsc_khz;
}
