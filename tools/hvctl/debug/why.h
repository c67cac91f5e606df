/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest does that seems to do nothing, by a few looks at it, one after the other. */
#ifndef HV_DEBUG_WHY_H
#define HV_DEBUG_WHY_H

#include <jansson.h>
#include <stddef.h>

/* So many looks make a verdict. */
#define HV_WHY_SAMPLES 12

/**
 * hv_why() - what each vCPU does, from replies to the request "why"
 * @samples: an array of them, in their order
 *
 * Returns {"name", "state", "vcpus": [{"vcpu", "verdict", "text"}...]}: one line of text for each.
 * json_decref() it; NULL: they are no such replies.
 */
json_t *hv_why(const json_t *samples);

#endif
