/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that says nothing for long: with --verbose, what it does meanwhile. */
#ifndef HV_VMM_SILENCE_H
#define HV_VMM_SILENCE_H

#include "machine.h"

/* After so long for the first time, then after twice as long each time */
#define HV_SILENCE_NS	10000000000ULL

struct hv_silence {
	struct hv_machine *machine;	/* NULL: nobody watches */
	struct hv_timer timer;		/* of the machine's loop */
	uint64_t wait_ns;
	uint64_t said;			/* bytes on the console when the wait began */
	struct tinyvmx_exits exits;	/* of all vCPUs, at the last look */
};

/* From now on, until hv_silence_forget(); both by the thread that serves the machine. */
void hv_silence_watch(struct hv_silence *silence, struct hv_machine *machine);
void hv_silence_forget(struct hv_silence *silence);

/* What the timer does: a wait is over. Called without locks; the vCPUs leave RUN for a moment. */
void hv_silence_look(struct hv_silence *silence);

#endif
