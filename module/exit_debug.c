// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger outside of the guest: INT3 that exits, single step, breakpoints.
 *
 * A step is the monitor trap flag's, which the guest cannot see. Breakpoints are in the debug
 * registers that the guest would have: while a debugger needs them MOV DR exits, and vcpu->debug
 * is what the guest reads and writes.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "exit_debug.h"
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

/* The breakpoints that hits are pending of are others' from now on. */
static void drop_hits(void)
{
	vmcs_writen(GUEST_PENDING_DBG_EXCEPTIONS,
		    vmcs_readn(GUEST_PENDING_DBG_EXCEPTIONS) & ~TVX_PENDING_HITS);
}

int tvx_debug_set(struct tvx_vcpu *vcpu, const struct tinyvmx_set_debug *arg)
{
	struct tvx_debugger *debugger = &vcpu->debugger;
	int err;

	err = check(arg);
	if (err)
		return err;
	err = tvx_vcpu_get_vmcs(vcpu);
	if (err)
		return err;
	if ((arg->flags | debugger->flags) & TINYVMX_DEBUG_BREAKPOINTS)
		drop_hits();
	debugger->flags = arg->flags;
	debugger->stepped = false;
	memcpy(debugger->dr, arg->dr, sizeof(debugger->dr));
	debugger->dr7 = arg->dr7 | TVX_DR7_FIXED;
	vmcs_writen(GUEST_DR7, tvx_dr7_in_force(vcpu));
	/* What was held back may come now. */
	vcpu->lapic.stale = true;
	tvx_controls_update(vcpu);
	tvx_vcpu_put_vmcs(vcpu);
	return 0;
}

/* ---------------------------------------------------------- to userspace */

/* The debugger's breakpoints among the bits of @dr6. */
static u64 hits_of(const struct tvx_vcpu *vcpu, u64 dr6)
{
	u64 hits = 0;
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(vcpu->debugger.dr); n++)
		if ((dr6 & BIT_ULL(n)) && TVX_DR7_ENABLES(vcpu->debugger.dr7, n))
			hits |= BIT_ULL(n);
	return hits;
}

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

/*
 * The step comes before the traps of the instruction (SDM, "Monitor Trap Flag"), which pend.
 * What is left of them there, the guest's single step, is delivered by the next entry.
 */
enum tvx_result tvx_debug_exit_step(struct tvx_vcpu *vcpu)
{
	u64 hits = 0;

	vcpu->debugger.stepped = false;
	if (tvx_debugger_has_breakpoints(vcpu)) {
		hits = hits_of(vcpu, vmcs_readn(GUEST_PENDING_DBG_EXCEPTIONS));
		drop_hits();
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

/* The guest's single step goes on to the guest by the next entry. */
static enum tvx_result exit_breakpoint(struct tvx_vcpu *vcpu, u64 dr6, u64 hits)
{
	if (dr6 & TVX_DR6_BS)
		vmcs_writen(GUEST_PENDING_DBG_EXCEPTIONS,
			    vmcs_readn(GUEST_PENDING_DBG_EXCEPTIONS) | TVX_DR6_BS);
	return tell(vcpu, 0, hits);
}

enum tvx_result tvx_debug_exception(struct tvx_vcpu *vcpu)
{
	u64 dr6 = tvx_exit_qualification(vcpu), hits;

	if (tvx_debugger_has_breakpoints(vcpu)) {
		hits = hits_of(vcpu, dr6);
		if (hits)
			return exit_breakpoint(vcpu, dr6, hits);
		/* One that matches may be told of though it is not enabled. */
		dr6 &= ~TVX_DR6_TRAPS;
	}
	tvx_event_debug(vcpu, dr6);
	return TVX_RESUME;
}
