/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a guest came to a triple fault: which exception was first, and why none of those that came
 * of it could be delivered. Facts in, a chain out: nothing is asked, nothing of the guest changed.
 */
#ifndef HV_DEBUG_AUTOPSY_H
#define HV_DEBUG_AUTOPSY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "view.h"

/* How it comes to an event decides about privileges and error codes. */
enum hv_ordeal_kind {
	HV_ORDEAL_EXCEPTION,		/* of the CPU */
	HV_ORDEAL_SOFTWARE,		/* INT n, INT3, INTO */
	HV_ORDEAL_INTERRUPT,		/* from outside, NMI too */
};

/* One event of the chain, and where it comes from. */
struct hv_ordeal {
	enum hv_ordeal_kind kind;
	unsigned int vector;
	uint32_t error_code;		/* if exceptions of that vector have one */
	uint64_t cr2;			/* #PF */
	char cause[300];
};

#define HV_AUTOPSY_EVENTS 8

struct hv_autopsy {
	unsigned int count;
	struct hv_ordeal event[HV_AUTOPSY_EVENTS];
	struct hv_ordeal last;		/* the one that #DF's delivery met: it shuts the CPU down */
	bool shutdown;			/* the chain leads there, ... */
	bool guessed;			/* ... but what was first is not certain */
	char doubt[200];		/* and why; empty: there is none */
};

/* @autopsy: filled in, of a vCPU at its triple-fault exit; without events if nothing is known. */
void hv_autopsy(struct hv_autopsy *autopsy, const struct hv_view *view);

/* "#PF(0x2)", without a code where there is none; "interrupt 0x20". */
void hv_ordeal_name(const struct hv_ordeal *ordeal, const struct hv_view *view, char *text,
		    size_t len);

/* The whole chain in lines, each with its newline. */
void hv_autopsy_print(const struct hv_autopsy *autopsy, const struct hv_view *view, FILE *out);

/* "chain": [{"event", "vector", "error_code", "cr2", "cause"}...], "shutdown": "..." */
json_t *hv_autopsy_json(const struct hv_autopsy *autopsy, const struct hv_view *view);

#endif
