// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC: x2APIC through MSRs, or the register page where CPUID lacks it. */
#include "kernel.h"

/* Offsets in the register page; x2APIC MSRs are 0x800 + offset / 16. */
#define APIC_TPR		0x080
#define APIC_EOI		0x0b0
#define APIC_SPURIOUS		0x0f0
#define APIC_LVT_TIMER		0x320
#define APIC_LVT_LINT0		0x350
#define APIC_LVT_LINT1		0x360
#define APIC_LVT_ERROR		0x370
#define APIC_INITIAL_COUNT	0x380
#define APIC_CURRENT_COUNT	0x390
#define APIC_DIVIDE		0x3e0

#define APIC_PAGE		0xfee00000UL
#define X2APIC_MSR		0x800
#define BASE_X2APIC		(1ULL << 10)
#define BASE_ENABLE		(1ULL << 11)
#define CPUID_X2APIC		(1U << 21)

#define SPURIOUS_ENABLE		0x100
#define LVT_MASKED		0x10000
#define DIVIDE_BY_1		0xb
#define CALIBRATION_US		20000

static bool x2apic;
static u64 timer_khz;

static u32 apic_read(u32 offset)
{
	if (x2apic)
		return rdmsr(X2APIC_MSR + offset / 16);
	return *(volatile u32 *)(APIC_PAGE + offset);
}

static void apic_write(u32 offset, u32 value)
{
	if (x2apic)
		wrmsr(X2APIC_MSR + offset / 16, value);
	else
		*(volatile u32 *)(APIC_PAGE + offset) = value;
}

static void timer_begin(void)
{
	apic_write(APIC_INITIAL_COUNT, 0xffffffff);
}

static u64 timer_passed(void)
{
	return 0xffffffff - apic_read(APIC_CURRENT_COUNT);
}

static void timer_init(void)
{
	apic_write(APIC_LVT_TIMER, LVT_MASKED | TIMER_VECTOR);
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	timer_khz = clock_measure(timer_begin, timer_passed, CALIBRATION_US) *
		    1000 / CALIBRATION_US;
	apic_write(APIC_INITIAL_COUNT, 0);
	if (!timer_khz)
		panic("the APIC timer does not count");
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);	/* one-shot */
}

void apic_init(void)
{
	x2apic = cpuid(1, 0).ecx & CPUID_X2APIC;
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ENABLE |
	      (x2apic ? BASE_X2APIC : 0));
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | SPURIOUS_VECTOR);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
	timer_init();
	print("apic: %s, timer %llu kHz\n", x2apic ? "x2APIC" : "xAPIC", timer_khz);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

/* One TIMER_VECTOR in @us microseconds. */
void apic_timer_arm(u64 us)
{
	u64 count = us * timer_khz / 1000;

	apic_write(APIC_INITIAL_COUNT, count > 0xffffffff ? 0xffffffff : count ? count : 1);
}
