/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a guest has probably died, by what its CPU and its memory look like. */
#ifndef HV_VMM_ADVICE_H
#define HV_VMM_ADVICE_H

#include "emul/walk.h"
#include "end.h"
#include "load/payload.h"
#include "tinyvmx.h"

/* What there is to look at; nothing of it changes any more. */
struct hv_situation {
	enum hv_end_kind end;
	const struct tinyvmx_run *run;	/* the last exit */
	struct tinyvmx_regs regs;
	struct tinyvmx_sregs sregs;
	struct hv_paging paging;	/* of @sregs */
	const struct hv_memory *memory;
	const struct hv_payload *payload;
	bool said_something;		/* on its console or screen */
};

/**
 * hv_advise() - what the guest's state says of its end, and what may help
 * @situation: of the vCPU that has ended it
 * @text: where to: lines without a newline at the end; empty if nothing is known
 * @len: bytes there, at least 400
 *
 * The first row of a table whose situation this is. Nothing of the guest is changed, no
 * exception comes of looking.
 */
void hv_advise(const struct hv_situation *situation, char *text, size_t len);

#endif
