/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What to inject at the next VM entry, and when.
 */
#ifndef TVX_EVENT_H
#define TVX_EVENT_H

#include <linux/types.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "exit_info.h"
#include "vcpu.h"

/* Vectors without an error code take this. */
#define TVX_NO_ERROR_CODE	(~0U)

/* All of these: VMCS current, interrupts disabled. */

/*
 * tvx_event_exception - make a hardware exception pending for the next entry
 *
 * If the exit being handled cut another delivery short, the two become what the
 * SDM's "Conditions for Generating a Double Fault" says.
 */
void tvx_event_exception(struct tvx_vcpu *vcpu, u8 vector, u32 error_code);

static inline void tvx_event_gp(struct tvx_vcpu *vcpu)
{
	tvx_event_exception(vcpu, X86_TRAP_GP, 0);
}

static inline void tvx_event_ud(struct tvx_vcpu *vcpu)
{
	tvx_event_exception(vcpu, X86_TRAP_UD, TVX_NO_ERROR_CODE);
}

/* Add @dr6_bits to DR6 and make #DB pending. */
void tvx_event_debug(struct tvx_vcpu *vcpu, u64 dr6_bits);

/* The single-step trap of an instruction that was finished for the guest. */
void tvx_event_single_step(struct tvx_vcpu *vcpu);

/* INT1 was executed: deliver it. Returns TVX_RESUME. */
enum tvx_result tvx_event_icebp(struct tvx_vcpu *vcpu);

/* Take back an event whose delivery the current exit interrupted. */
void tvx_event_requeue(struct tvx_vcpu *vcpu);

/*
 * Read the event whose delivery the current exit interrupted, but leave it to the caller.
 * Return: whether there is one.
 */
bool tvx_event_interrupted(struct tvx_event *event);

/* Whether an instruction has raised the event: it returns behind that. */
bool tvx_event_is_software(u32 info);

/*
 * The exit says "NMI unblocking due to IRET": an IRET that faulted has ended
 * blocking by NMI too early. It says nothing if the exit interrupted a delivery.
 */
void tvx_event_block_nmi_again(struct tvx_vcpu *vcpu);

/* Take back an event that a failed VM entry did not deliver. */
void tvx_event_cancel(struct tvx_vcpu *vcpu);

/* Turn what others have asked of @vcpu into pending events. On its thread. */
void tvx_event_take_requests(struct tvx_vcpu *vcpu);

/*
 * Userspace's INTR has become @raised: as long as it is, an interrupt window is wanted; a
 * rising edge is an NMI if LINT0 says so.
 */
void tvx_event_intr_line(struct tvx_vcpu *vcpu, bool raised);

/* What tvx_event_prepare() found. */
enum tvx_entry {
	TVX_ENTER,		/* enter the guest */
	TVX_ENTER_WAIT,		/* the guest halts and an interrupt may come */
	TVX_ENTER_HALTED,	/* the guest halts and nothing wakes it */
	TVX_ENTER_SHUTDOWN,	/* the guest is shut down */
	TVX_ENTER_WINDOW,	/* userspace wants to inject now */
	TVX_ENTER_OPEN,		/* interrupts have to be open once, then ask again */
};

/*
 * tvx_event_prepare - write the next event and the windows to the VMCS
 */
enum tvx_entry tvx_event_prepare(struct tvx_vcpu *vcpu);

/* Whether the guest would take an external interrupt now. */
static inline bool tvx_event_extint_ready(struct tvx_vcpu *vcpu)
{
	return (tvx_rflags(vcpu) & X86_EFLAGS_IF) && !(tvx_blocking(vcpu) & TVX_BLOCKING_BY_SHADOW);
}

#endif
