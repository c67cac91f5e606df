/* SPDX-License-Identifier: GPL-2.0-only */
/* --cpu: features of the guest's CPU that the user takes away, or insists on. */
#ifndef HV_CPU_FEATURES_H
#define HV_CPU_FEATURES_H

#include "cpuid.h"
#include "lib/error.h"

/* One bit a feature, see the table in cpu_features.c. */
struct hv_cpu_features {
	uint64_t off;
	uint64_t on;
};

/* "[+-]NAME,...", added to what @features holds; a later word about a feature counts. */
int hv_cpu_features_parse(struct hv_cpu_features *features, const char *text, struct hv_error *err);

/* Take bits out of @table; fails if a feature that the user insists on is not there. */
int hv_cpu_features_apply(const struct hv_cpu_features *features, struct tinyvmx_cpuid *table,
			  size_t count, struct hv_error *err);

#endif
