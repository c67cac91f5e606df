// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC: x2APIC through MSRs, or the register page where CPUID lacks it. */
#include "kernel.h"
#include "../lib/apic.h"

#define CALIBRATION_US		20000

bool x2apic;

static u64 timer_khz;

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
	timer_khz = clock_measure(timer_begin, timer_passed, CALIBRATION_US) *
		    1000 / CALIBRATION_US;
	apic_write(APIC_INITIAL_COUNT, 0);
	if (!timer_khz)
		panic("the APIC timer does not count");
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
}

void apic_init_cpu(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ENABLE |
	      (x2apic ? BASE_X2APIC : 0));
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | SPURIOUS_VECTOR);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);	/* one-shot */
}

void apic_init(void)
{
	x2apic = cpuid(1, 0).ecx & CPUID_X2APIC;
	apic_init_cpu();
	this_cpu()->apic_id = apic_id();
	timer_init();
	print("apic: %s, timer %llu kHz\n", x2apic ? "x2APIC" : "xAPIC", timer_khz);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_interrupt(const struct cpu *cpu, u8 vector)
{
	apic_send(cpu->apic_id, vector);
}

/* One TIMER_VECTOR in @us microseconds. */
void apic_timer_arm(u64 us)
{
	u64 count = us * timer_khz / 1000;

	apic_write(APIC_INITIAL_COUNT, count > 0xffffffff ? 0xffffffff : count ? count : 1);
}
