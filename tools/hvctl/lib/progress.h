/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far something has come that takes its time: one line on standard error that is overwritten
 * and at last erased. Only on a terminal, and only from the first second on.
 */
#ifndef HV_LIB_PROGRESS_H
#define HV_LIB_PROGRESS_H

#include <stdint.h>

struct hv_progress {
	const char *doing;		/* "reading" */
	uint64_t due_ns;		/* when the next word is; 0: never */
	int columns;			/* what is to be erased */
};

struct hv_progress hv_progress_begin(const char *doing);

/* @done bytes of @total, or of nobody knows how many: 0. To be called as often as one likes. */
void hv_progress_tell(struct hv_progress *progress, uint64_t done, uint64_t total);

void hv_progress_end(struct hv_progress *progress);

#endif
