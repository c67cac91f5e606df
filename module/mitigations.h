/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keeps a guest from learning of the host, and a VMM process from being
 * steered by its guest, through the CPU's predictors and buffers. What to do
 * is the kernel's decision (mitigations=, l1tf=, mds=, ... on its command line).
 *
 * vmenter.S has what must stand at the switch itself: VERW in front of the VM
 * entry; the return stack buffer, IBRS and the branch history behind the exit.
 */
#ifndef TVX_MITIGATIONS_H
#define TVX_MITIGATIONS_H

#include <linux/jump_label.h>
#include <linux/types.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>

#include "host.h"

/* Read the kernel's policy and log what follows from it. Return: 0 or -ENOMEM. May sleep. */
int tvx_mitigations_init(void);
void tvx_mitigations_exit(void);

DECLARE_STATIC_KEY_FALSE(tvx_l1d_flush_key);
DECLARE_STATIC_KEY_FALSE(tvx_ibpb_key);
void tvx_l1d_flush(bool *exposed);

/*
 * tvx_mitigate_entry - empty the L1 data cache where the CPU has L1TF
 * @exposed: since the last entry, code has run that may have touched secrets:
 *	userspace, another task, interrupt handlers; cleared
 *
 * Right before the VM entry, interrupts disabled.
 */
static __always_inline void tvx_mitigate_entry(bool *exposed)
{
	if (static_branch_unlikely(&tvx_l1d_flush_key))
		tvx_l1d_flush(exposed);
}

/* Interrupts have been enabled for a while, and are no longer. */
static __always_inline void tvx_mitigate_interrupts(bool *exposed)
{
	if (static_branch_unlikely(&tvx_l1d_flush_key))
		*exposed |= tvx_host_interrupted();
}

/* Another vCPU's VMCS becomes current here: it gets no branch predictions of the last one. */
static __always_inline void tvx_mitigate_vmcs_switch(void)
{
	if (static_branch_unlikely(&tvx_ibpb_key))
		tvx_wrmsr(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
}

/* The guest has run here: its predictions are not for the process to use (VMSCAPE). */
static __always_inline void tvx_mitigate_return_to_user(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

#endif
