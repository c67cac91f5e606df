/* SPDX-License-Identifier: GPL-2.0-only */
/* Which recorded exits somebody wants to see. */
#ifndef HV_DEBUG_FLIGHT_FILTER_H
#define HV_DEBUG_FLIGHT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "tinyvmx.h"

#define HV_FLIGHT_REASONS 128

struct hv_range {
	bool wanted;			/* else: all that there is */
	uint64_t first, last;
};

/* All that is wanted of it must be so; zeroes: all exits. */
struct hv_flight_filter {
	bool by_reason, reason[HV_FLIGHT_REASONS];
	struct hv_range port, msr, gpa, rip, vcpu;
};

/**
 * hv_flight_filter_add_reasons() - more exit reasons that are wanted
 * @filter: those that it has stay
 * @text: numbers, or beginnings of names without blanks and signs ("io", "EPT"), between commas
 * @err: filled in on failure
 *
 * Returns 0 or -EINVAL.
 */
int hv_flight_filter_add_reasons(struct hv_flight_filter *filter, const char *text,
				 struct hv_error *err);

/* "N" or "N-N", as C writes numbers, @max at the most. Returns 0 or -EINVAL. */
int hv_range_parse(struct hv_range *range, const char *text, uint64_t max, struct hv_error *err);

/* Is that exit of that vCPU wanted? */
bool hv_flight_filter_takes(const struct hv_flight_filter *filter, unsigned int vcpu,
			    const struct tinyvmx_record *record);

#endif
