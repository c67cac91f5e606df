/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host-state area: what VM exits load, written only when it changes.
 *
 * All of these: VMCS current, interrupts disabled.
 */
#ifndef TVX_VMCS_HOST_H
#define TVX_VMCS_HOST_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "host.h"

/**
 * struct vmcs_host - host fields of one VMCS that vary
 * @cr3: HOST_CR3
 * @cr4: HOST_CR4
 * @fs_base: HOST_FS_BASE
 * @counters_stopped: VM entries stop the performance counters, VM exits start them again
 */
struct vmcs_host {
	u64 cr3;
	u64 cr4;
	u64 fs_base;
	bool counters_stopped;
};

/* Fields that never change; VM exits continue at @rip. */
void vmcs_host_write_constant(unsigned long rip);

/* Fields of this CPU: the VMCS has just come here. Forgets @host. */
void vmcs_host_write_cpu(struct vmcs_host *host);

/* Fields of this thread. */
void vmcs_host_write_thread(struct vmcs_host *host, u64 fs_base);

/* CR3 and CR4, which may change whenever interrupts are enabled. */
void vmcs_host_write_cr(struct vmcs_host *host, u64 cr3, u64 cr4);

/*
 * Have the counters stand still in the guest if the host uses PEBS, as @regs says: an NMI
 * may turn it on again right before the entry.
 */
void vmcs_host_stop_counters(struct vmcs_host *host, const struct tvx_host_regs *regs);

static inline void vmcs_host_refresh(struct vmcs_host *host, const struct tvx_host_regs *regs)
{
	u64 cr3 = tvx_host_cr3(), cr4 = tvx_host_cr4();

	if (unlikely(cr3 != host->cr3 || cr4 != host->cr4))
		vmcs_host_write_cr(host, cr3, cr4);
	if (unlikely(regs->pebs_enable || host->counters_stopped))
		vmcs_host_stop_counters(host, regs);
}

#endif
