// SPDX-License-Identifier: GPL-2.0-only
/*
 * x87 errors while the guest's CR0.NE is 0 (SDM volume 1, "MS-DOS Compatibility Sub-mode").
 *
 * To the FPU CR0.NE is 1 in VMX operation, so what would assert FERR# raises #MF, which exits:
 * userspace has to know, and the guest waits for an interrupt, at this instruction. With IGNNE#
 * asserted the instruction is done with all errors masked. Only those that wait for errors exit,
 * and none of them lets the guest see its control word.
 */
#include <linux/types.h>
#include <asm/processor.h>

#include "exit_handlers.h"
#include "state_cr.h"
#include "vcpu_switch.h"

#define X87_ERRORS	0x3fU		/* masks in the control word, flags in the status word */
#define X87_STATUS_ES	0x8080U		/* error summary; busy, which is the same */
/* Infinity control, which does nothing: tells the word with masks from one the guest has loaded. */
#define X87_MARK	0x1000U

static u16 masked(u16 control)
{
	return (control | X87_ERRORS) ^ X87_MARK;
}

static bool has_error(void)
{
	u16 status;

	asm volatile("fnstsw %0" : "=a" (status));
	return status & X87_STATUS_ES;
}

static void mask(struct tvx_vcpu *vcpu)
{
	struct fxregs_state *x87 = vcpu->xsave;

	tvx_vcpu_put_fpu(vcpu);
	vcpu->x87_control = x87->cwd;
	x87->cwd = masked(x87->cwd);
	x87->swd &= ~X87_STATUS_ES;
	tvx_vcpu_load_fpu(vcpu);
}

void tvx_x87_unmask(struct tvx_vcpu *vcpu)
{
	struct fxregs_state *x87 = vcpu->xsave;

	if (x87->cwd == masked(vcpu->x87_control))
		x87->cwd = vcpu->x87_control;
	if (x87->swd & ~x87->cwd & X87_ERRORS)
		x87->swd |= X87_STATUS_ES;
	vcpu->x87_control = 0;
}

void tvx_x87_stepped(struct tvx_vcpu *vcpu)
{
	if (vcpu->x87_control) {
		tvx_vcpu_put_fpu(vcpu);
		tvx_x87_unmask(vcpu);
		tvx_vcpu_load_fpu(vcpu);
	}
	vcpu->ignne = has_error();
}

void tvx_x87_ignore(struct tvx_vcpu *vcpu)
{
	vcpu->ignne = vcpu->ferr && has_error();
	vcpu->controls_stale = true;
}

enum tvx_result tvx_exit_x87_error(struct tvx_vcpu *vcpu)
{
	if (vcpu->ignne) {
		mask(vcpu);
		return TVX_RESUME;
	}
	/* In the shadow of STI or MOV SS it would wait for ever. */
	tvx_set_blocking(vcpu, tvx_blocking(vcpu) & ~TVX_BLOCKING_BY_SHADOW);
	vcpu->activity = TINYVMX_ACTIVITY_HLT;
	return tvx_exit_to_user(vcpu, TINYVMX_EXIT_FERR);
}
