/* SPDX-License-Identifier: GPL-2.0-only */
/* INS and OUTS: the module says what they are, hvctl moves the data. */
#ifndef HV_EMUL_STRIO_H
#define HV_EMUL_STRIO_H

#include "guest.h"
#include "tinyvmx.h"

/* Elements moved per VM exit: the guest stays interruptible in between, as on hardware. */
#define HV_STRIO_BATCH 4096

/*
 * Do (a part of) a string I/O instruction: update RCX, RSI or RDI, and RIP when
 * it is complete. Returns false when the guest takes guest->fault instead; the
 * registers then tell how far it came.
 */
bool hv_strio(struct hv_guest *guest, struct tinyvmx_regs *regs, const struct tinyvmx_exit_io *io,
	      uint32_t instruction_len);

#endif
