/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPU's debug registers, shared out between the guest and a debugger outside of it.
 *
 * The debugger has those that it enables. What the guest enables stays where it is, or where the
 * debugger has that one, goes to one that nobody enables, the guest's lowest first. What
 * finds none does not hit. The guest reads and writes its own numbers, whatever they stand for.
 */
#ifndef TVX_DEBUG_REGS_H
#define TVX_DEBUG_REGS_H

#include "vcpu.h"

/* While the debugger has breakpoints: DR7, and DR0 ... DR3, as the CPU is to have them. */
u64 tvx_debug_regs_dr7(const struct tvx_vcpu *vcpu);
void tvx_debug_regs_get(const struct tvx_vcpu *vcpu, u64 dr[4]);

/* Of B3:B0 in @dr6, as the CPU has them, the debugger's; and the guest's, by its numbers. */
u64 tvx_debug_regs_debuggers(const struct tvx_vcpu *vcpu, u64 dr6);
u64 tvx_debug_regs_guests(const struct tvx_vcpu *vcpu, u64 dr6);

/*
 * Pending debug exceptions (SDM, "Guest Non-Register State"), from the CPU's to what the guest has
 * of them, and back.
 */
u64 tvx_debug_regs_pending(const struct tvx_vcpu *vcpu, u64 pending);
u64 tvx_debug_regs_set_pending(const struct tvx_vcpu *vcpu, u64 guests_pending);

#endif
