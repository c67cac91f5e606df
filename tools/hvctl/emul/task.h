/* SPDX-License-Identifier: GPL-2.0-only */
/* Hardware task switches, which the CPU leaves to us: SDM, "Task Management". */
#ifndef HV_EMUL_TASK_H
#define HV_EMUL_TASK_H

#include "mmio.h"

/*
 * Do the switch of a TINYVMX_EXIT_TASK_SWITCH, be it that the guest takes an exception for it, in
 * the old task or in the new one. Returns false if the vCPU's state cannot be had or set.
 */
bool hv_task_exit(struct hv_mmio *m, struct tinyvmx_run *run);

#endif
