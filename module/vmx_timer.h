/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX-preemption timer: it counts down while the guest runs, at the TSC's
 * rate over a power of two, and ends the run at zero.
 *
 * VMCS current, interrupts disabled. The field keeps its value over VM exits:
 * each entry starts to count from it anew.
 */
#ifndef TVX_VMX_TIMER_H
#define TVX_VMX_TIMER_H

#include <linux/limits.h>
#include <linux/minmax.h>
#include <asm/msr.h>

#include "vmcs.h"
#include "vmx_caps.h"

/* The next VM entry lasts until the TSC of the host has reached @deadline, no less. */
static __always_inline void vmx_timer_set(u64 deadline)
{
	u64 now = rdtsc();
	u64 count = 0;

	/* One more: the first count may come at once. */
	if (likely(deadline > now))
		count = min_t(u64, ((deadline - now) >> vmx_caps.timer_shift) + 1, U32_MAX);
	vmcs_write32(VMX_PREEMPTION_TIMER_VALUE, count);
}

/* For as long as it can count, which is a second at least: then it may exit for nothing. */
static inline void vmx_timer_clear(void)
{
	vmcs_write32(VMX_PREEMPTION_TIMER_VALUE, U32_MAX);
}

#endif
