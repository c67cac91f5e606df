/* SPDX-License-Identifier: GPL-2.0-only */
/* Exercises in VMCSs: each is broken, and has something to reach. */
#ifndef HV_DEBUG_EXERCISES_H
#define HV_DEBUG_EXERCISES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tinyvmx.h"

enum hv_lab_how { HV_LAB_NOTHING, HV_LAB_SET, HV_LAB_ON, HV_LAB_OFF };

/* One change of a field: set it, set bits, clear bits. */
struct hv_lab_change {
	uint32_t field;
	enum hv_lab_how how;
	uint64_t value;
};

/* What must hold in the end: @field & @mask is @value. */
struct hv_lab_want {
	uint32_t field;
	uint64_t mask;
	uint64_t value;
};

#define HV_LAB_MOST 32

/**
 * struct hv_exercise - a VMCS to be mended
 * @title: a few words
 * @goal: what is to be reached, beside that the CPU takes the VMCS
 * @hint: what to look at
 * @broken: what is changed of a VMCS that the CPU takes; ends with HV_LAB_NOTHING
 * @want: what makes the goal; ends with a mask of 0
 * @solution: one that reaches it; ends with HV_LAB_NOTHING
 */
struct hv_exercise {
	const char *title;
	const char *goal;
	const char *hint;
	struct hv_lab_change broken[HV_LAB_MOST];
	struct hv_lab_want want[4];
	struct hv_lab_change solution[4];
};

extern const struct hv_exercise hv_exercises[];
extern const unsigned int hv_nr_exercises;

/* What becomes of @value. */
uint64_t hv_lab_changed(uint64_t value, const struct hv_lab_change *change);

/* Is the goal reached by these fields, which the CPU has taken? */
bool hv_exercise_reached(const struct hv_exercise *exercise,
			 const struct tinyvmx_vmcs_field *fields, size_t n);

#endif
