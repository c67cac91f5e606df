// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger outside of the guest: INT3 that exits, single step, breakpoints.
 *
 * A step is the monitor trap flag's, which the guest cannot see. Breakpoints are in the CPU's debug
 * registers, beside the guest's (debug_regs.h): while a debugger has some MOV DR exits, and
 * vcpu->debug is what the guest reads and writes.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "exit_debug.h"
#include "debug_regs.h"
#include "event.h"
#include "exit_common.h"
#include "exit_controls.h"
#include "state_cr.h"
#include "vcpu_switch.h"
#include "vmx_caps.h"

/* ------------------------------------------------------------- SET_DEBUG */

/* DR7: the enable bits, LE and GE, the bit that is always 1, types and lengths. */
#define DR7_ALLOWED	0xffff07ffULL

static int check_breakpoint(u64 dr7, unsigned int n)
{
	if (!TVX_DR7_ENABLES(dr7, n))
		return 0;
	if (TVX_DR7_RW(dr7, n) == TVX_DR7_RW_IO)
		return -EOPNOTSUPP;
	/* SDM, "Debug Control Register (DR7)": other lengths are undefined for execution. */
	return TVX_DR7_RW(dr7, n) == TVX_DR7_RW_EXECUTE && TVX_DR7_LEN(dr7, n) ? -EINVAL : 0;
}

static int check_breakpoints(const struct tinyvmx_set_debug *arg)
{
	unsigned int n;
	int err = 0;

	if (!(arg->flags & TINYVMX_DEBUG_BREAKPOINTS))
		return arg->dr7 || memchr_inv(arg->dr, 0, sizeof(arg->dr)) ? -EINVAL : 0;
	if (arg->dr7 & ~DR7_ALLOWED)
		return -EINVAL;
	for (n = 0; n < ARRAY_SIZE(arg->dr) && !err; n++)
		err = check_breakpoint(arg->dr7, n);
	return err;
}

static int check(const struct tinyvmx_set_debug *arg)
{
	if ((arg->flags & TINYVMX_DEBUG_STEP) && !vmx_caps.has_step)
		return -EOPNOTSUPP;
	if ((arg->flags & TINYVMX_DEBUG_NO_INTERRUPTS) && !(arg->flags & TINYVMX_DEBUG_STEP))
		return -EINVAL;
	return check_breakpoints(arg);
}

int tvx_debug_set(struct tvx_vcpu *vcpu, const struct tinyvmx_set_debug *arg)
{
	struct tvx_debugger *debugger = &vcpu->debugger;
	bool shares = (arg->flags | debugger->flags) & TINYVMX_DEBUG_BREAKPOINTS;
	u64 pending;
	int err;

	err = check(arg);
	if (err)
		return err;
	err = tvx_vcpu_get_vmcs(vcpu);
	if (err)
		return err;
	/* The debugger's hits are of what it does not want any more; the guest's stay. */
	pending = tvx_debug_regs_pending(vcpu, vmcs_readn(GUEST_PENDING_DBG_EXCEPTIONS));
	debugger->flags = arg->flags;
	debugger->stepped = false;
	memcpy(debugger->dr, arg->dr, sizeof(debugger->dr));
	debugger->dr7 = arg->dr7 | TVX_DR7_FIXED;
	vmcs_writen(GUEST_DR7, tvx_dr7_in_force(vcpu));
	if (shares)
		vmcs_writen(GUEST_PENDING_DBG_EXCEPTIONS,
			    tvx_debug_regs_set_pending(vcpu, pending));
	/* What was held back may come now. */
	vcpu->lapic.stale = true;
	tvx_controls_update(vcpu);
	tvx_vcpu_put_vmcs(vcpu);
	return 0;
}

/* ---------------------------------------------------------- to userspace */

static u64 next_address(void)
{
	u64 address = vmcs_readn(GUEST_CS_BASE) + vmcs_readn(GUEST_RIP);

	return tvx_in_64bit_mode() ? address : (u32)address;
}

static enum tvx_result tell(struct tvx_vcpu *vcpu, u32 cause, u64 hits)
{
	struct tinyvmx_exit_debug *debug = &vcpu->run->debug;

	/* What the last exit knows may be of an instruction that is done by now. */
	vcpu->exit.valid &= ~TVX_EXIT_RIP;
	debug->cause = cause | (hits ? TINYVMX_DEBUG_BREAKPOINTS : 0);
	debug->pad = 0;
	debug->dr6 = hits;
	debug->address = next_address();
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_DEBUG);
}

/* Of @pending, as the CPU has it, leave what is the guest's for the next entry. */
static void leave_pending(struct tvx_vcpu *vcpu, u64 pending)
{
	u64 guests = tvx_debug_regs_pending(vcpu, pending);

	vmcs_writen(GUEST_PENDING_DBG_EXCEPTIONS, tvx_debug_regs_set_pending(vcpu, guests));
}

/*
 * The step comes before the traps of the instruction (SDM, "Monitor Trap Flag"), which pend.
 * What is left of them there is the guest's, and delivered by the next entry.
 */
enum tvx_result tvx_debug_exit_step(struct tvx_vcpu *vcpu)
{
	u64 hits = 0, pending;

	vcpu->debugger.stepped = false;
	if (tvx_debugger_has_breakpoints(vcpu)) {
		pending = vmcs_readn(GUEST_PENDING_DBG_EXCEPTIONS);
		hits = tvx_debug_regs_debuggers(vcpu, pending);
		leave_pending(vcpu, pending);
	}
	vcpu->exit.flags = 0;
	return tell(vcpu, TINYVMX_DEBUG_STEP, hits);
}

enum tvx_result tvx_debug_exit_int3(struct tvx_vcpu *vcpu)
{
	/* It has not been done, and who gives it back to the guest needs its length. */
	vcpu->exit.flags |= TVX_ROW_INSTRUCTION;
	return tell(vcpu, TINYVMX_DEBUG_INT3, 0);
}

/* The guest's own, and its single step, go on to the guest by the next entry. */
static enum tvx_result exit_breakpoint(struct tvx_vcpu *vcpu, u64 dr6, u64 hits)
{
	leave_pending(vcpu, vmcs_readn(GUEST_PENDING_DBG_EXCEPTIONS) | (dr6 & TVX_DR6_BS) |
		      (dr6 & TVX_DR6_TRAPS) | TVX_PENDING_BREAKPOINT);
	return tell(vcpu, 0, hits);
}

enum tvx_result tvx_debug_exception(struct tvx_vcpu *vcpu)
{
	u64 dr6 = tvx_exit_qualification(vcpu), hits;

	if (tvx_debugger_has_breakpoints(vcpu)) {
		hits = tvx_debug_regs_debuggers(vcpu, dr6);
		if (hits)
			return exit_breakpoint(vcpu, dr6, hits);
		dr6 = (dr6 & ~TVX_DR6_TRAPS) | tvx_debug_regs_guests(vcpu, dr6);
	}
	tvx_event_debug(vcpu, dr6);
	return TVX_RESUME;
}
