/* SPDX-License-Identifier: GPL-2.0-only */
/* INS and OUTS: the module says what they are, hvctl moves the data. */
#ifndef HV_EMUL_STRIO_H
#define HV_EMUL_STRIO_H

#include "mmio.h"
#include "tinyvmx.h"

/* Elements moved per VM exit: the guest stays interruptible in between, as on hardware. */
#define HV_STRIO_BATCH 4096

/*
 * The string I/O instruction of a TINYVMX_EXIT_IO, or a part of it: updates RCX, RSI or RDI, and
 * RIP when it is complete. All but memory, bus and get_state is taken from @run. Returns false
 * when the guest takes m->guest.fault instead; the registers then tell how far it came.
 */
bool hv_strio_exit(struct hv_mmio *m, struct tinyvmx_run *run);

#endif
