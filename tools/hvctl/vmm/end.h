/* SPDX-License-Identifier: GPL-2.0-only */
/* How a machine ends: the first reason counts. */
#ifndef HV_VMM_END_H
#define HV_VMM_END_H

#include <stddef.h>
#include <stdint.h>

enum hv_end_kind {
	HV_END_NONE,			/* it runs */
	HV_END_POWEROFF,
	HV_END_EXITED,			/* exit port; @detail is its value */
	HV_END_HALTED,
	HV_END_TRIPLE_FAULT,
	HV_END_ENTRY_FAILED,
	HV_END_UNSUPPORTED,
	HV_END_ERROR,
	HV_END_SIGNAL,			/* @detail is its number */
	HV_END_QUIT,			/* Ctrl-A X */
	HV_END_REBOOT,			/* the guest wants one, the user does not */
	HV_END_PANIC,			/* of the guest's kernel; @text is what it said */
	HV_END_KILLED,			/* from outside: hvctl kill, or stop; @text is why */
	HV_END_RESETS,			/* it does nothing but reset; @text is how often */
	HV_NR_ENDS
};

struct hv_end {
	enum hv_end_kind kind;
	uint32_t detail;
	unsigned int vcpu;		/* whose exit led to it, if one did */
	char text[200];			/* what led to it, where that needs saying; clean */
};

/* The end in words, the name that scripts see, and the exit status. */
void hv_end_describe(const struct hv_end *end, char *text, size_t len);
const char *hv_end_name(const struct hv_end *end);
int hv_end_status(const struct hv_end *end);

#endif
