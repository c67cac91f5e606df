/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tinyvmx needs of VMX, as module/vmx_caps.c has it: a test compares the two.
 */
#ifndef HV_DOCTOR_FEATURES_H
#define HV_DOCTOR_FEATURES_H

#include <stddef.h>

#include "vmx/caps.h"

enum doctor_need {
	DOCTOR_NEED_ON,		/* can be set */
	DOCTOR_NEED_CAN,	/* can be set, and cleared */
	DOCTOR_NEED_OFF,	/* can be cleared */
};

struct doctor_control {
	enum vmx_word_id word;
	unsigned int bit;
	enum doctor_need need;
	const char *name;	/* the module's */
};

extern const struct doctor_control doctor_controls[];
extern const size_t doctor_nr_controls;

/* What the module calls the words */
extern const char *const doctor_word_names[VMX_NR_WORDS];

/* Bits of IA32_VMX_EPT_VPID_CAP that must be 1 */
struct doctor_ept {
	unsigned int bit;
	const char *name;
};

extern const struct doctor_ept doctor_ept_needs[];
extern const size_t doctor_nr_ept_needs;

#endif
