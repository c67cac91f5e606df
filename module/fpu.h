/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The FPU's registers: the host's aside, the guest's in, and back.
 */
#ifndef TVX_FPU_H
#define TVX_FPU_H

#include <linux/types.h>

/* Memory for the host's registers, for each CPU. Return: 0 or -ENOMEM. May sleep. */
int tvx_fpu_init(void);
void tvx_fpu_exit(void);

/* Room for an XSAVE image, zeroed, on @node or NUMA_NO_NODE; NULL: none. For kfree(). */
void *tvx_fpu_alloc(gfp_t gfp, int node);

/*
 * tvx_fpu_load - put the host's registers aside and load @guest's
 * @guest: XSAVE image in standard format, vmx_caps.xsave_bytes long
 *
 * Interrupts are disabled and stay so until tvx_fpu_put(): an interrupt handler
 * may use the FPU (kernel_fpu_begin()) and would take the guest's registers for
 * the thread's. XCR0 is the host's in both.
 */
void tvx_fpu_load(const void *guest);

/* Save the registers in @guest and load the host's again, exactly as they were. */
void tvx_fpu_put(void *guest);

#endif
