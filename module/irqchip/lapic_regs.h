/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of the local APIC by number (offset / 16), their fields, and what the
 * files of the local APIC share.
 */
#ifndef TVX_LAPIC_REGS_H
#define TVX_LAPIC_REGS_H

#include <linux/bits.h>

#include "lapic.h"

enum {
	LAPIC_ID = 0x02,
	LAPIC_VERSION = 0x03,
	LAPIC_TPR = 0x08,
	LAPIC_PPR = 0x0a,
	LAPIC_EOI = 0x0b,
	LAPIC_LDR = 0x0d,
	LAPIC_DFR = 0x0e,
	LAPIC_SVR = 0x0f,
	LAPIC_ISR = 0x10,
	LAPIC_TMR = 0x18,
	LAPIC_IRR = 0x20,
	LAPIC_ESR = 0x28,
	LAPIC_ICR = 0x30,
	LAPIC_ICR_HIGH = 0x31,	/* xAPIC only */
	LAPIC_LVT_TIMER = TVX_LAPIC_LVT_TIMER,
	LAPIC_LVT_THERMAL = 0x33,
	LAPIC_LVT_PERF = 0x34,
	LAPIC_LVT_LINT0 = 0x35,
	LAPIC_LVT_LINT1 = 0x36,
	LAPIC_LVT_ERROR = 0x37,
	LAPIC_TIMER_INITIAL = 0x38,
	LAPIC_TIMER_CURRENT = 0x39,
	LAPIC_TIMER_DIVIDE = 0x3e,
	LAPIC_SELF_IPI = 0x3f,	/* x2APIC only */
};

#define LAPIC_BASE_BSP		BIT_ULL(8)
#define LAPIC_BASE_X2APIC	BIT_ULL(10)
#define LAPIC_BASE_ENABLE	BIT_ULL(11)

/* Version 14H, six LVT entries, no EOI-broadcast suppression. */
#define LAPIC_VERSION_VALUE	0x00050014

#define LAPIC_SVR_ENABLE	BIT(8)
#define LAPIC_LVT_STATUS	BIT(12)
#define LAPIC_LVT_REMOTE_IRR	BIT(14)
#define LAPIC_LVT_MASKED	BIT(16)
#define LAPIC_LVT_MODE(lvt)	(((lvt) >> 8) & 7)

#define LAPIC_DFR_FLAT		0xffffffff
#define LAPIC_DFR_ONES		0x0fffffff	/* reserved bits, which read as ones */

#define LAPIC_ICR_LOGICAL	BIT(11)
#define LAPIC_ICR_LEVEL_ASSERT	BIT(14)
#define LAPIC_ICR_LEVEL_TRIGGERED	BIT(15)
#define LAPIC_ICR_SHORTHAND(icr) (((icr) >> 18) & 3)
#define LAPIC_DEST_ALL		0xffffffff	/* broadcast, as x2APIC has it */
enum { LAPIC_TO_DEST, LAPIC_TO_SELF, LAPIC_TO_ALL, LAPIC_TO_OTHERS };

#define LAPIC_ESR_SEND_ILLEGAL	BIT(5)
#define LAPIC_ESR_RECV_ILLEGAL	BIT(6)

static inline u32 *tvx_lapic_reg(const struct tvx_lapic *lapic, unsigned int reg)
{
	return lapic->page + 16 * reg;
}

/* The high half of the ICR: behind the low one in x2APIC mode (SDM, "Virtualizing RDMSR"). */
static inline u32 *tvx_lapic_icr_high(const struct tvx_lapic *lapic)
{
	return tvx_lapic_is_x2apic(lapic) ? tvx_lapic_reg(lapic, LAPIC_ICR) + 1 :
					    tvx_lapic_reg(lapic, LAPIC_ICR_HIGH);
}

/* SDM, "Deriving Logical x2APIC ID from the Local x2APIC ID". */
static inline u32 tvx_lapic_x2apic_ldr(unsigned int id)
{
	return ((id >> 4) << 16) | BIT(id & 0xf);
}

/* lapic_irq.c. On the vCPU's thread; the writes have been checked. */
u8 tvx_lapic_processor_priority(const struct tvx_lapic *lapic);
void tvx_lapic_end_of_interrupt(struct tvx_vcpu *vcpu);
void tvx_lapic_write_icr(struct tvx_vcpu *vcpu, u64 icr);
void tvx_lapic_write_self_ipi(struct tvx_vcpu *vcpu, u8 vector);

/* Whether IA32_APIC_BASE can have @value, whatever it is now. */
bool tvx_lapic_base_valid(const struct tvx_vcpu *vcpu, u64 value);

/* The mode or all registers have changed: tell the CPU. VMCS current. */
void tvx_lapic_reload(struct tvx_vcpu *vcpu);

#endif
