/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC of a vCPU (SDM, "Advanced Programmable Interrupt Controller").
 */
#ifndef TVX_LAPIC_H
#define TVX_LAPIC_H

#include <linux/types.h>

#include "../vcpu.h"

/* Where an interrupt message goes and what it is. */
struct tvx_message {
	const struct tvx_vcpu *except;	/* does not get it */
	u32 dest;
	bool logical;
	bool x2apic;		/* @dest is 32 bits wide, else 8 */
	bool level;
	u8 mode;		/* delivery mode: TVX_DM_* */
	u8 vector;
};

/* SDM, "Interrupt Command Register": delivery mode. */
enum { TVX_DM_FIXED, TVX_DM_LOWEST, TVX_DM_SMI, TVX_DM_RESERVED, TVX_DM_NMI, TVX_DM_INIT,
	TVX_DM_STARTUP, TVX_DM_EXTINT };

/* State after RESET: 0 or -ENOMEM; release timer and page. May sleep. */
int tvx_lapic_init(struct tvx_vcpu *vcpu, bool present);
void tvx_lapic_destroy(struct tvx_vcpu *vcpu);

/*
 * Registers by their x2APIC number (offset / 16), as userspace reaches them in
 * any mode, and as the guest does by MSR. Return: false: no such register, or
 * the value is refused. On the vCPU's thread.
 */
bool tvx_lapic_read(struct tvx_vcpu *vcpu, unsigned int reg, u64 *value);
bool tvx_lapic_write(struct tvx_vcpu *vcpu, unsigned int reg, u64 value);

/* The bits of @reg that a saved state must not have set. */
u32 tvx_lapic_reserved(unsigned int reg);

/* With APIC virtualization: the guest has stored to @reg in the virtual-APIC page. */
void tvx_lapic_stored(struct tvx_vcpu *vcpu, unsigned int reg);

/* The task priority; CR8 is its upper half. Also without a local APIC. */
u8 tvx_lapic_tpr(const struct tvx_lapic *lapic);
void tvx_lapic_set_tpr(struct tvx_vcpu *vcpu, u8 tpr);

/* IA32_APIC_BASE, VMCS current, and IA32_TSC_DEADLINE. Return: false for #GP. */
bool tvx_lapic_write_base(struct tvx_vcpu *vcpu, u64 value);
u64 tvx_lapic_read_deadline(struct tvx_vcpu *vcpu);
void tvx_lapic_write_deadline(struct tvx_vcpu *vcpu, u64 value);

/* The guest's TSC has been set: the timer's deadline has moved. */
void tvx_lapic_tsc_changed(struct tvx_vcpu *vcpu);

/* The timer has fired, as the vCPU's thread sees it. */
void tvx_lapic_timer_fired(struct tvx_vcpu *vcpu);

/* Whether the timer's interrupt is due; and take it if it is. The first: any context. */
bool tvx_lapic_timer_is_over(const struct tvx_vcpu *vcpu);
bool tvx_lapic_timer_expire(struct tvx_vcpu *vcpu);

/* The vCPU goes to wait in HLT, with interrupts enabled, and comes back. */
void tvx_lapic_timer_wait(struct tvx_vcpu *vcpu);
void tvx_lapic_timer_resume(struct tvx_vcpu *vcpu);

/* Bring what other threads have sent into the IRR. */
void tvx_lapic_take_outstanding(struct tvx_lapic *lapic);

static inline void tvx_lapic_take_posted(struct tvx_lapic *lapic)
{
	if (unlikely(READ_ONCE(lapic->outstanding)))
		tvx_lapic_take_outstanding(lapic);
}

/* The vector of the IRR that the processor would take now but for IF; -1: none. */
int tvx_lapic_next(const struct tvx_lapic *lapic);
/* @vector is being delivered: from IRR to ISR. */
void tvx_lapic_ack(struct tvx_vcpu *vcpu, u8 vector);
/* The level-triggered @vector has ended: userspace is to be told. */
void tvx_lapic_ended(struct tvx_vcpu *vcpu, u8 vector);

/* For the VMCS: TPR threshold, guest interrupt status, EOI-exit bitmap (@n: 0 ... 3). */
u32 tvx_lapic_tpr_threshold(const struct tvx_lapic *lapic);
u16 tvx_lapic_interrupt_status(const struct tvx_lapic *lapic);
u64 tvx_lapic_eoi_exits(const struct tvx_lapic *lapic, unsigned int n);

/*
 * INIT (SDM, "Local APIC State After It Receives an INIT Reset"): RESET's, but for the id and
 * IA32_APIC_BASE. On the vCPU's thread, VMCS current.
 */
void tvx_lapic_take_init(struct tvx_vcpu *vcpu);

/* Whether LINT0 lets the 8259's interrupts through. */
bool tvx_lapic_accepts_extint(const struct tvx_lapic *lapic);
/* Whether LINT0 makes NMIs of their rising edges. */
bool tvx_lapic_lint0_is_nmi(const struct tvx_lapic *lapic);

/*
 * tvx_lapic_send - deliver @message to those of @set that it addresses
 *
 * Any thread, also with interrupts disabled. Return: how many took it;
 * -EOPNOTSUPP: the delivery mode.
 */
int tvx_lapic_send(struct tvx_vcpu_set *set, const struct tvx_message *message);

/*
 * Send what the low half of an ICR says to the one of APIC id @id, as @vcpu. Return: how many
 * took it; -EINVAL: another delivery mode than fixed, lowest priority and NMI, or the vector.
 */
int tvx_lapic_send_ipi(struct tvx_vcpu *vcpu, u64 id, u32 icr);

/* End the HLT of the vCPU of APIC id @id, if there is one. Any thread. */
void tvx_lapic_unhalt(struct tvx_vcpu_set *set, u64 id);

/* Turn TINYVMX_MSI's address and data into a message. Return: 0, -EINVAL, -EOPNOTSUPP. */
int tvx_lapic_parse_msi(const struct tinyvmx_msi *msi, struct tvx_message *message);

/* TINYVMX_STATE_LAPIC. Set: -EINVAL, nothing changed. On the vCPU's thread, VMCS current. */
void tvx_lapic_get_state(struct tvx_vcpu *vcpu, struct tinyvmx_lapic *state);
int tvx_lapic_set_state(struct tvx_vcpu *vcpu, const struct tinyvmx_lapic *state);

#endif
