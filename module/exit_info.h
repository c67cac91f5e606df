/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a handler can ask of the exit it handles, read from the VMCS when it asks.
 *
 * All of it: VMCS current, interrupts disabled.
 */
#ifndef TVX_EXIT_INFO_H
#define TVX_EXIT_INFO_H

#include <asm/msr-index.h>

#include "debug_regs.h"
#include "vcpu.h"
#include "vmcs.h"

/* SET_STATE may have changed what the last exit remembers of the guest. */
static inline void tvx_exit_forget(struct tvx_vcpu *vcpu)
{
	vcpu->exit.valid &= ~(TVX_EXIT_RFLAGS | TVX_EXIT_BLOCKING);
}

static inline unsigned long tvx_exit_rip(struct tvx_vcpu *vcpu)
{
	if (!(vcpu->exit.valid & TVX_EXIT_RIP)) {
		vcpu->exit.rip = vmcs_readn(GUEST_RIP);
		vcpu->exit.valid |= TVX_EXIT_RIP;
	}
	return vcpu->exit.rip;
}

static inline unsigned long tvx_exit_qualification(struct tvx_vcpu *vcpu)
{
	if (!(vcpu->exit.valid & TVX_EXIT_QUAL)) {
		vcpu->exit.qualification = vmcs_readn(EXIT_QUALIFICATION);
		vcpu->exit.valid |= TVX_EXIT_QUAL;
	}
	return vcpu->exit.qualification;
}

/* The guest's RFLAGS, and its interruptibility state. */
static inline unsigned long tvx_rflags(struct tvx_vcpu *vcpu)
{
	if (!(vcpu->exit.valid & TVX_EXIT_RFLAGS)) {
		vcpu->exit.rflags = vmcs_readn(GUEST_RFLAGS);
		vcpu->exit.valid |= TVX_EXIT_RFLAGS;
	}
	return vcpu->exit.rflags;
}

static inline void tvx_set_rflags(struct tvx_vcpu *vcpu, unsigned long rflags)
{
	vmcs_writen(GUEST_RFLAGS, rflags);
	vcpu->exit.rflags = rflags;
	vcpu->exit.valid |= TVX_EXIT_RFLAGS;
}

#define TVX_BLOCKING_BY_SHADOW	(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)

static inline u32 tvx_blocking(struct tvx_vcpu *vcpu)
{
	if (!(vcpu->exit.valid & TVX_EXIT_BLOCKING)) {
		vcpu->exit.blocking = vmcs_read32(GUEST_INTERRUPTIBILITY_INFO);
		vcpu->exit.valid |= TVX_EXIT_BLOCKING;
	}
	return vcpu->exit.blocking;
}

static inline void tvx_set_blocking(struct tvx_vcpu *vcpu, u32 blocking)
{
	vmcs_write32(GUEST_INTERRUPTIBILITY_INFO, blocking);
	vcpu->exit.blocking = blocking;
	vcpu->exit.valid |= TVX_EXIT_BLOCKING;
}

static inline u64 tvx_dr7(const struct tvx_vcpu *vcpu)
{
	return unlikely(vcpu->debug.owned) ? vmcs_readn(GUEST_DR7) : vcpu->debug.dr7;
}

/* A debugger has breakpoints: they are in force beside the guest's, and its MOV DR exits. */
static inline bool tvx_debugger_has_breakpoints(const struct tvx_vcpu *vcpu)
{
	return unlikely(vcpu->debugger.flags & TINYVMX_DEBUG_BREAKPOINTS);
}

static inline bool tvx_debugger_steps(const struct tvx_vcpu *vcpu)
{
	return unlikely(vcpu->debugger.flags & TINYVMX_DEBUG_STEP);
}

/* In HLT it is an interrupt that is waited for. */
static inline bool tvx_debugger_holds_interrupts(const struct tvx_vcpu *vcpu)
{
	return unlikely(vcpu->debugger.flags & TINYVMX_DEBUG_NO_INTERRUPTS) &&
	       vcpu->activity == TINYVMX_ACTIVITY_ACTIVE;
}

/*
 * An instruction is behind the guest, and the CPU has seen no step: it was done for the
 * guest, or has ended in an exit that is a trap. It is told instead of the next entry.
 */
static inline void tvx_debug_count_step(struct tvx_vcpu *vcpu)
{
	if (!tvx_debugger_steps(vcpu))
		return;
	vcpu->debugger.stepped = true;
	vcpu->recheck = true;
}

/* DR7 as it is in the guest, unless that owns it. */
static inline u64 tvx_dr7_in_force(const struct tvx_vcpu *vcpu)
{
	return tvx_debugger_has_breakpoints(vcpu) ? tvx_debug_regs_dr7(vcpu) : vcpu->debug.dr7;
}

static inline bool tvx_guest_has_breakpoints(const struct tvx_vcpu *vcpu)
{
	return unlikely(tvx_dr7(vcpu) & TVX_DR7_ENABLED);
}

static inline void tvx_add_to_tsc(struct tvx_vcpu *vcpu, u64 ticks)
{
	vcpu->tsc_offset += ticks;
	vmcs_write64(TSC_OFFSET, vcpu->tsc_offset);
}

/* A general register by its number in an exit qualification. */
static inline unsigned long tvx_gpr_read(struct tvx_vcpu *vcpu, unsigned int n)
{
	n &= TINYVMX_NR_GPR - 1;
	return n == TINYVMX_RSP ? vmcs_readn(GUEST_RSP) : vcpu->world.gpr[n];
}

static inline void tvx_gpr_write(struct tvx_vcpu *vcpu, unsigned int n, unsigned long value)
{
	n &= TINYVMX_NR_GPR - 1;
	if (n == TINYVMX_RSP)
		vmcs_writen(GUEST_RSP, value);
	else
		vcpu->world.gpr[n] = value;
}

static inline bool tvx_in_long_mode(void)
{
	return vmcs_read64(GUEST_IA32_EFER) & EFER_LMA;
}

#endif
