/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lab mode: from which VM entries the host comes back.
 */
#ifndef TVX_LAB_SAFE_H
#define TVX_LAB_SAFE_H

#include <linux/types.h>

#include "../uapi/tinyvmx.h"

/* How a VM entry may be tried. */
enum tvx_lab_way {
	TVX_LAB_ENTER,		/* for good: the guest cannot do more than any guest may */
	TVX_LAB_CHECK,		/* only as far as the checks on controls and host state */
	TVX_LAB_NEVER,		/* not at all */
};

/*
 * tvx_lab_judge - how may the current VMCS be entered?
 * @good: its fields before somebody changed them, all of them
 * @count: how many they are
 * @field: set with TVX_LAB_NEVER: the encoding of the field that is at fault
 *
 * VMCS current, interrupts disabled.
 */
enum tvx_lab_way tvx_lab_judge(const struct tinyvmx_vmcs_field *good, u32 count, u32 *field);

#endif
