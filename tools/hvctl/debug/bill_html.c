// SPDX-License-Identifier: GPL-2.0-only
/* The exit bill as a page of HTML that needs nothing else: a table, and exits over time. */
#include <string.h>

#include "bill.h"
#include "facts.h"
#include "lib/util.h"

/* The plot, in pixels. */
#define LEFT	70
#define TOP	20
#define WIDE	900
#define HIGH	260
#define BANDS	7		/* rows that are drawn; the last is all others */

static const char *const colours[BANDS] = { "#33658a", "#f26419", "#2a7f62", "#f6ae2d",
					    "#86bbd8", "#9b5094", "#888888" };

/* Names come from users, and are letters, digits and the like; but who knows. */
static void print_text(const char *text, FILE *out)
{
	for (; text && *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		default:
			putc(*text, out);
		}
}

static void print_string(const json_t *object, const char *key, FILE *out)
{
	print_text(json_string_value(json_object_get(object, key)), out);
}

/* ------------------------------------------------------------------ the plot */

static json_int_t at(const json_t *row, size_t step)
{
	return json_integer_value(json_array_get(json_object_get(row, "over_time"), step));
}

/* Exits of a band, and of those below it, in a step. */
static json_int_t height(const json_t *rows, unsigned int band, size_t step)
{
	size_t count = json_array_size(rows);
	size_t end = band + 1 == BANDS ? count : band + 1;
	json_int_t sum = 0;

	for (size_t i = 0; i < end && i < count; i++)
		sum += at(json_array_get(rows, i), step);
	return sum;
}

static double x_of(size_t step, size_t steps)
{
	return LEFT + (double)WIDE * step / steps;
}

static double y_of(json_int_t exits, json_int_t most)
{
	return TOP + HIGH - (most ? (double)HIGH * exits / most : 0);
}

/* A band is drawn over all those above it: from the highest to the lowest. */
static void print_band(const json_t *rows, unsigned int band, size_t steps, json_int_t most,
		       FILE *out)
{
	fprintf(out, "<polygon class=\"band\" fill=\"%s\" points=\"%d,%d", colours[band], LEFT,
		TOP + HIGH);
	for (size_t i = 0; i < steps; i++) {
		double y = y_of(height(rows, band, i), most);

		fprintf(out, " %.1f,%.1f %.1f,%.1f", x_of(i, steps), y, x_of(i + 1, steps), y);
	}
	fprintf(out, " %d,%d\"/>\n", LEFT + WIDE, TOP + HIGH);
}

static void print_axes(double step_ms, size_t steps, json_int_t most, FILE *out)
{
	for (unsigned int i = 0; i <= 4; i++) {
		double y = TOP + HIGH - HIGH * i / 4.0, x = LEFT + WIDE * i / 4.0;

		fprintf(out,
			"<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ccc\" shape-rendering=\"crispEdges\"/>\n",
			LEFT, LEFT + WIDE, y, y);
		fprintf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.0f</text>\n",
			LEFT - 6, y + 4,
			step_ms > 0 ? most * i / 4.0 * 1000 / step_ms : most * i / 4.0);
		fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.3g s</text>\n", x,
			TOP + HIGH + 18, step_ms * steps * i / 4.0 / 1000);
	}
}

static void print_key(const json_t *rows, FILE *out)
{
	size_t count = json_array_size(rows);

	fputs("<p class=\"key\">", out);
	for (unsigned int band = 0; band < BANDS && band < count; band++) {
		fprintf(out, "<span style=\"background:%s\"></span> ", colours[band]);
		if (band + 1 == BANDS && count > BANDS)
			fputs("all others", out);
		else
			print_string(json_array_get(rows, band), "what", out);
		fputs("&emsp;\n", out);
	}
	fputs("</p>\n", out);
}

static void print_plot(const json_t *bill, FILE *out)
{
	const json_t *rows = json_object_get(bill, "rows");
	size_t steps = json_array_size(json_object_get(json_array_get(rows, 0), "over_time"));
	json_int_t most = 0;

	if (!steps)
		return;
	for (size_t i = 0; i < steps; i++)
		if (height(rows, BANDS - 1, i) > most)
			most = height(rows, BANDS - 1, i);
	fprintf(out, "<h2>Exits a second, over time</h2>\n<svg width=\"%d\" height=\"%d\">\n",
		LEFT + WIDE + 40, TOP + HIGH + 30);
	for (unsigned int band = BANDS; band-- > 0;)
		print_band(rows, band, steps, most, out);
	print_axes(hv_fact_real(bill, "step_ms"), steps, most, out);
	fputs("</svg>\n", out);
	print_key(rows, out);
}

/* ----------------------------------------------------------------- the table */

/* A bar: what was spent where, as long as the row is dear. */
static void print_bar(const json_t *row, double dearest, FILE *out)
{
	static const struct {
		const char *key, *colour;
	} parts[] = { { "switch", "#888888" }, { "kernel", "#33658a" }, { "user", "#f26419" } };
	const json_t *ticks = json_object_get(row, "ticks");
	double x = 0;

	fputs("<td><svg width=\"200\" height=\"12\">", out);
	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++) {
		double wide = dearest > 0 ? 200 * hv_fact_real(ticks, parts[i].key) / dearest : 0;

		fprintf(out, "<rect x=\"%.1f\" width=\"%.1f\" height=\"12\" fill=\"%s\"/>", x, wide,
			parts[i].colour);
		x += wide;
	}
	fputs("</svg></td>", out);
}

static double cost(const json_t *row)
{
	const json_t *ticks = json_object_get(row, "ticks");

	return hv_fact_real(ticks, "switch") + hv_fact_real(ticks, "kernel") +
	       hv_fact_real(ticks, "user");
}

static void print_row(const json_t *row, double dearest, FILE *out)
{
	const json_t *ticks = json_object_get(row, "ticks");

	fputs("<tr><td>", out);
	print_string(row, "what", out);
	fprintf(out, "</td><td>%lld</td><td>%.0f</td><td>%.1f %%</td><td>%lld</td><td>%lld</td>",
		(long long)hv_fact_integer(row, "count"), hv_fact_real(row, "per_second"),
		100 * hv_fact_real(row, "share"), (long long)hv_fact_integer(row, "p50"),
		(long long)hv_fact_integer(row, "p99"));
	fprintf(out, "<td>%lld</td><td>%lld</td><td>%lld</td><td>%lld</td>",
		(long long)hv_fact_integer(ticks, "switch"),
		(long long)hv_fact_integer(ticks, "kernel"),
		(long long)hv_fact_integer(ticks, "user"),
		(long long)hv_fact_integer(ticks, "waiting"));
	print_bar(row, dearest, out);
	fputs("</tr>\n", out);
}

static void print_table(const json_t *bill, FILE *out)
{
	const json_t *rows = json_object_get(bill, "rows");
	double dearest = cost(json_array_get(rows, 0));
	json_t *row;
	size_t i;

	fputs("<h2>What they cost, in ticks</h2>\n"
	      "<table><tr><th>what</th><th>exits</th><th>a second</th><th>cost</th>"
	      "<th>p50</th><th>p99</th><th>switch</th><th>kernel</th><th>hvctl</th>"
	      "<th>waiting</th><th><span style=\"color:#888888\">switch</span> "
	      "<span style=\"color:#33658a\">kernel</span> "
	      "<span style=\"color:#f26419\">hvctl</span></th></tr>\n",
	      out);
	json_array_foreach(rows, i, row)
		print_row(row, dearest, out);
	fputs("</table>\n", out);
}

static void print_summary(const json_t *bill, FILE *out)
{
	const json_t *advice = json_object_get(bill, "advice");

	fprintf(out,
		"<p>%lld exits in %.1f s; ticks in the guest: %lld, in exits: %lld, waiting: %lld.",
		(long long)hv_fact_integer(bill, "exits"), hv_fact_real(bill, "seconds"),
		(long long)hv_fact_integer(bill, "inside_ticks"),
		(long long)hv_fact_integer(bill, "outside_ticks"),
		(long long)hv_fact_integer(bill, "waiting_ticks"));
	if (hv_fact_integer(bill, "missed"))
		fprintf(out, " %lld more came faster than they could be read; they have no row.",
			(long long)hv_fact_integer(bill, "missed"));
	fputs("</p>\n", out);
	if (!advice)
		return;
	fputs("<p>The dearest, ", out);
	print_string(advice, "what", out);
	fputs(": ", out);
	print_string(advice, "text", out);
	fputs(".</p>\n", out);
}

void hv_bill_print_html(const json_t *bill, FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Exits of ",
	      out);
	print_string(bill, "name", out);
	fputs("</title>\n<style>body{font:14px sans-serif;margin:24px;color:#222}"
	      "table{border-collapse:collapse}td,th{white-space:nowrap;padding:2px 8px;text-align:right;"
	      "border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}"
	      "svg text{font-size:11px}.key span{display:inline-block;width:12px;height:12px}"
	      "</style></head><body>\n<h1>Exits of ",
	      out);
	print_string(bill, "name", out);
	fputs("</h1>\n", out);
	print_summary(bill, out);
	print_plot(bill, out);
	print_table(bill, out);
	fputs("</body></html>\n", out);
}
