/* SPDX-License-Identifier: GPL-2.0-only */
/* The bench's results as a table, as JSON, as a picture; and held against older ones. */
#ifndef HV_BENCH_REPORT_H
#define HV_BENCH_REPORT_H

#include <stdio.h>

#include "cases.h"

/* The results are in the order of hv_bench_cases[]. */
/* @before: ours of another time, to stand beside, or NULL. */
void hv_bench_print_table(FILE *out, const struct hv_bench_result results[],
			  const struct hv_bench_result before[]);
void hv_bench_print_markdown(FILE *out, const struct hv_bench_result results[]);
/* What could not be measured, and why. */
void hv_bench_print_failures(FILE *out, const struct hv_bench_result results[]);
int hv_bench_print_json(FILE *out, const struct hv_bench_result results[]);
int hv_bench_print_svg(FILE *out, const struct hv_bench_result results[]);

/* Is that a JSON file of an earlier run? 0, or -EINVAL and why. */
int hv_bench_check(const char *path, struct hv_error *err);
/* Take from a JSON file of an earlier run what @results lacks. */
int hv_bench_merge(const char *path, struct hv_bench_result results[], struct hv_error *err);
/* How many cases of ours are more than @percent slower than that file says; they are printed. */
int hv_bench_compare(const char *path, const struct hv_bench_result results[], double percent,
		     FILE *out, struct hv_error *err);

/* Was it measured, with a target or a ratio? */
enum hv_bench_verdict { HV_BENCH_NO_TARGET, HV_BENCH_MET, HV_BENCH_MISSED, HV_BENCH_UNKNOWN };
enum hv_bench_verdict hv_bench_judge(const struct hv_bench_case *c,
				     const struct hv_bench_result *result);

#endif
