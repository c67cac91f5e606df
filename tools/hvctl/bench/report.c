// SPDX-License-Identifier: GPL-2.0-only
/* The table of the bench. */
#include "report.h"

static bool has_ratio(const struct hv_bench_result *result)
{
	return result->number[HV_BENCH_TINYVMX].valid && result->number[HV_BENCH_KVM].valid &&
	       result->number[HV_BENCH_KVM].ticks > 0;
}

static double ratio(const struct hv_bench_result *result)
{
	return result->number[HV_BENCH_TINYVMX].ticks / result->number[HV_BENCH_KVM].ticks;
}

enum hv_bench_verdict hv_bench_judge(const struct hv_bench_case *c,
				     const struct hv_bench_result *result)
{
	if (!c->max_ticks && !c->max_ratio)
		return HV_BENCH_NO_TARGET;
	if (!result->number[HV_BENCH_TINYVMX].valid || (c->max_ratio && !has_ratio(result)))
		return HV_BENCH_UNKNOWN;
	if (c->max_ticks && result->number[HV_BENCH_TINYVMX].ticks > c->max_ticks)
		return HV_BENCH_MISSED;
	if (c->max_ratio && ratio(result) > c->max_ratio)
		return HV_BENCH_MISSED;
	return HV_BENCH_MET;
}

static void print_number(FILE *out, const struct hv_bench_number *number)
{
	if (number->valid)
		fprintf(out, " %10.0f %6.0f", number->ticks, number->spread);
	else
		fprintf(out, " %10s %6s", "-", "");
}

/* What it was, and how much more or less it is now. */
static void print_before(FILE *out, const struct hv_bench_number *now,
			 const struct hv_bench_number *before)
{
	char change[16] = "";

	if (now->valid && before->valid && before->ticks > 0)
		snprintf(change, sizeof(change), "%+.1f%%", (now->ticks / before->ticks - 1) * 100);
	if (before->valid)
		fprintf(out, " %10.0f %7s", before->ticks, change);
	else
		fprintf(out, " %10s %7s", "-", change);
}

static void print_target(FILE *out, const struct hv_bench_case *c,
			 const struct hv_bench_result *result)
{
	static const char *const words[] = {
		[HV_BENCH_NO_TARGET] = "",
		[HV_BENCH_MET] = "met",
		[HV_BENCH_MISSED] = "MISSED",
		[HV_BENCH_UNKNOWN] = "?",
	};
	char ticks[16] = "", part[16] = "";

	if (c->max_ticks)
		snprintf(ticks, sizeof(ticks), "%.0f", c->max_ticks);
	if (c->max_ratio)
		snprintf(part, sizeof(part), "x%g", c->max_ratio);
	fprintf(out, " %6s %4s %-6s", ticks, part, words[hv_bench_judge(c, result)]);
}

void hv_bench_print_table(FILE *out, const struct hv_bench_result results[],
			  const struct hv_bench_result before[])
{
	fprintf(out, "%-14s %10s %6s", "case", "tinyvmx", "+-");
	if (before)
		fprintf(out, " %10s %7s", "before", "");
	fprintf(out, " %10s %6s %5s  %6s %4s %-6s  %s\n", "kvm", "+-", "ratio", "target", "", "",
		"ticks for one");
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++) {
		const struct hv_bench_case *c = &hv_bench_cases[i];
		const struct hv_bench_result *result = &results[i];

		if (!result->wanted)
			continue;
		fprintf(out, "%-14s", c->name);
		print_number(out, &result->number[HV_BENCH_TINYVMX]);
		if (before)
			print_before(out, &result->number[HV_BENCH_TINYVMX],
				     &before[i].number[HV_BENCH_TINYVMX]);
		print_number(out, &result->number[HV_BENCH_KVM]);
		if (has_ratio(result))
			fprintf(out, " %5.2f ", ratio(result));
		else
			fprintf(out, " %5s ", "");
		print_target(out, c, result);
		fprintf(out, "  %s\n", c->what);
	}
}

/* ---------------------------------------------------------------- Markdown */

static void print_cell(FILE *out, const struct hv_bench_number *number)
{
	char digits[32];
	size_t len;

	if (!number->valid) {
		fputs(" - |", out);
		return;
	}
	len = snprintf(digits, sizeof(digits), "%.0f", number->ticks);
	fputc(' ', out);
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			fputc(',', out);
		fputc(digits[i], out);
	}
	fputs(" |", out);
}

static void print_target_cells(FILE *out, const struct hv_bench_case *c,
			       const struct hv_bench_result *result)
{
	static const char *const words[] = {
		[HV_BENCH_NO_TARGET] = "",
		[HV_BENCH_MET] = "met",
		[HV_BENCH_MISSED] = "**missed**",
		[HV_BENCH_UNKNOWN] = "?",
	};

	if (c->max_ticks)
		fprintf(out, " %.0f", c->max_ticks);
	if (c->max_ratio)
		fprintf(out, "%s x %g", c->max_ticks ? " and" : "", c->max_ratio);
	fprintf(out, " | %s |\n", words[hv_bench_judge(c, result)]);
}

void hv_bench_print_markdown(FILE *out, const struct hv_bench_result results[])
{
	fputs("| case | operation | tinyvmx | KVM | ratio | target | |\n|---|---|---:|---:|---:|---|---|\n",
	      out);
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++) {
		const struct hv_bench_result *result = &results[i];

		if (!result->wanted)
			continue;
		fprintf(out, "| %s | %s |", hv_bench_cases[i].name, hv_bench_cases[i].what);
		print_cell(out, &result->number[HV_BENCH_TINYVMX]);
		print_cell(out, &result->number[HV_BENCH_KVM]);
		if (has_ratio(result))
			fprintf(out, " %.2f |", ratio(result));
		else
			fputs(" |", out);
		print_target_cells(out, &hv_bench_cases[i], result);
	}
}

void hv_bench_print_failures(FILE *out, const struct hv_bench_result results[])
{
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++)
		for (unsigned int b = 0; b < HV_BENCH_NR_BACKENDS; b++)
			if (results[i].wanted && *results[i].why[b].text)
				fprintf(out, "%s: not measured: %s\n", hv_bench_cases[i].name,
					results[i].why[b].text);
}
