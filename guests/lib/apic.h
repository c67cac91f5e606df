/* SPDX-License-Identifier: GPL-2.0-only */
/* The local APIC's registers, through its page or, once x2apic is set, through MSRs; IPIs. */
#ifndef GUEST_APIC_H
#define GUEST_APIC_H

#include "x86.h"

/* Offsets in the register page; x2APIC MSRs are X2APIC_MSR + offset / 16. */
#define APIC_ID			0x020
#define APIC_VERSION		0x030
#define APIC_TPR		0x080
#define APIC_PPR		0x0a0
#define APIC_EOI		0x0b0
#define APIC_LDR		0x0d0
#define APIC_DFR		0x0e0	/* xAPIC alone */
#define APIC_SPURIOUS		0x0f0
#define APIC_ISR		0x100
#define APIC_IRR		0x200
#define APIC_ESR		0x280
#define APIC_ICR		0x300
#define APIC_ICR_HIGH		0x310
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
#define LVT_EXTINT		0x700

/* The ICR: delivery modes, and to whom. A fixed interrupt has mode 0. */
#define ICR_LOWEST		0x00100
#define ICR_NMI			0x00400
#define ICR_INIT		0x00500
#define ICR_STARTUP		0x00600
#define ICR_LOGICAL		0x00800
#define ICR_PENDING		0x01000	/* xAPIC: not yet accepted */
#define ICR_ASSERT		0x04000
#define ICR_LEVEL		0x08000
#define ICR_SELF		0x40000
#define ICR_ALL			0x80000
#define ICR_OTHERS		0xc0000

/* Whoever uses this defines it. */
extern bool x2apic;

static inline u32 apic_read(u32 offset)
{
	if (x2apic)
		return rdmsr(X2APIC_MSR + offset / 16);
	return *(volatile u32 *)(APIC_PAGE + offset);
}

static inline void apic_write(u32 offset, u32 value)
{
	if (x2apic)
		wrmsr(X2APIC_MSR + offset / 16, value);
	else
		*(volatile u32 *)(APIC_PAGE + offset) = value;
}

static inline u32 apic_id(void)
{
	u32 id = apic_read(APIC_ID);

	return x2apic ? id : id >> 24;
}

/*
 * To @dest, which counts only without a shorthand; xAPIC has 8 bits of it, and writes twice:
 * who sends from interrupt handlers, too, must have interrupts off.
 */
static inline void apic_send(u32 dest, u32 command)
{
	if (x2apic) {
		/* Such a WRMSR does not wait for stores: whoever is interrupted must see them. */
		asm volatile("mfence; lfence" : : : "memory");
		wrmsr(X2APIC_MSR + APIC_ICR / 16, (u64)dest << 32 | command);
		return;
	}
	apic_write(APIC_ICR_HIGH, dest << 24);
	apic_write(APIC_ICR, command);
	while (apic_read(APIC_ICR) & ICR_PENDING)
		cpu_pause();
}

#endif
