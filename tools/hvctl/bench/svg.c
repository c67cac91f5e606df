// SPDX-License-Identifier: GPL-2.0-only
/* The bench's results as a picture: a bar a case, tinyvmx as a part of KVM. */
#include "report.h"

#define ROW 22
#define LABEL 440
#define FULL 420		/* the width of a ratio of 1 */
#define MOST 1.25		/* longer bars are cut */
#define TOP 60

static bool is_drawn(const struct hv_bench_result *result)
{
	return result->number[HV_BENCH_TINYVMX].valid && result->number[HV_BENCH_KVM].valid &&
	       result->number[HV_BENCH_KVM].ticks > 0;
}

static void draw_row(FILE *out, const struct hv_bench_case *c, const struct hv_bench_result *result,
		     unsigned int y)
{
	double ours = result->number[HV_BENCH_TINYVMX].ticks,
	       kvm = result->number[HV_BENCH_KVM].ticks;
	double ratio = ours / kvm, width = (ratio < MOST ? ratio : MOST) * FULL,
	       mark = c->max_ratio * FULL;

	fprintf(out, "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%s</text>\n", LABEL - 8, y + 15,
		c->what);
	fprintf(out, "<rect x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", LABEL,
		y + 3, width, ROW - 6, ratio <= 1 ? "#2a7f62" : "#b5482f");
	fprintf(out, "<text x=\"%.1f\" y=\"%u\">%.2f (%.0f of %.0f)</text>\n",
		LABEL + (width > mark ? width : mark) + 6, y + 15, ratio, ours, kvm);
	if (c->max_ratio)
		fprintf(out,
			"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%u\" y2=\"%u\" stroke=\"#000\" stroke-width=\"2\"/>\n",
			LABEL + mark, LABEL + mark, y + 2, y + ROW - 2);
}

int hv_bench_print_svg(FILE *out, const struct hv_bench_result results[])
{
	unsigned int rows = 0, y = TOP;

	for (unsigned int i = 0; i < hv_bench_nr_cases; i++)
		rows += is_drawn(&results[i]);
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%u\" font-family=\"sans-serif\" font-size=\"12\">\n",
		LABEL + MOST * FULL + 150, TOP + rows * ROW + 20);
	fputs("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", out);
	fprintf(out,
		"<text x=\"%d\" y=\"24\" font-size=\"15\">Ticks of one operation: tinyvmx as a part of KVM</text>\n",
		LABEL);
	fprintf(out,
		"<text x=\"%d\" y=\"44\">shorter is faster; the light line is KVM, a black mark the target</text>\n",
		LABEL);
	fprintf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%u\" stroke=\"#999\"/>\n",
		LABEL + FULL, LABEL + FULL, TOP - 6, TOP + rows * ROW);
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++) {
		if (!is_drawn(&results[i]))
			continue;
		draw_row(out, &hv_bench_cases[i], &results[i], y);
		y += ROW;
	}
	fputs("</svg>\n", out);
	return ferror(out) ? -1 : 0;
}
