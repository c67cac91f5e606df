/* SPDX-License-Identifier: GPL-2.0-only */
/* --cpu: features of the guest's CPU that the user takes away, or insists on. */
#ifndef HV_FIRMWARE_CPU_FEATURES_H
#define HV_FIRMWARE_CPU_FEATURES_H

#include "cpuid.h"
#include "lib/error.h"

#define HV_CPU_FEATURES_MAX 128

/* One bit a feature, see the table in cpu_features.c. */
struct hv_cpu_features {
	uint64_t off[HV_CPU_FEATURES_MAX / 64];
	uint64_t on[HV_CPU_FEATURES_MAX / 64];
};

/* "[+-]NAME,...", added to what @features holds; a later word about a feature counts. */
int hv_cpu_features_parse(struct hv_cpu_features *features, const char *text, struct hv_error *err);

/*
 * Take bits out of @table, and those of features that are nothing without them. Fails if
 * a feature that the user insists on is not there, or needs one that is taken away.
 */
int hv_cpu_features_apply(const struct hv_cpu_features *features, struct tinyvmx_cpuid *table,
			  size_t count, struct hv_error *err);

#endif
