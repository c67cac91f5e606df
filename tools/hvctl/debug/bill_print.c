// SPDX-License-Identifier: GPL-2.0-only
/* The exit bill as a table for terminals. */
#include <string.h>

#include "bill.h"
#include "facts.h"

#define WIDTH 53		/* of all columns but the last */

/* In so few characters: 1234, 12k, 3.4M, 5.6G */
static const char *few(double value, char *buf, size_t len)
{
	static const char units[] = " kMGTPE";
	unsigned int unit = 0;

	while (value >= 9999.5 && unit < sizeof(units) - 2) {
		value /= 1000;
		unit++;
	}
	if (unit && value < 100)
		snprintf(buf, len, "%.1f%c", value, units[unit]);
	else
		snprintf(buf, len, "%.0f%.*s", value, !!unit, &units[unit]);
	return buf;
}

static double part(double some, double all)
{
	return all > 0 ? 100 * some / all : 0;
}

static void print_row(const json_t *row, unsigned int columns, FILE *out)
{
	char count[16], rate[16], p50[16], p99[16];
	const json_t *ticks = json_object_get(row, "ticks");
	double world = hv_fact_real(ticks, "switch"), kernel = hv_fact_real(ticks, "kernel");
	double user = hv_fact_real(ticks, "user"), all = world + kernel + user;
	int room = columns > WIDTH ? columns - WIDTH : 1;

	fprintf(out, "%6s %6s %5.1f%% %6s %6s ",
		few(hv_fact_real(row, "count"), count, sizeof(count)),
		few(hv_fact_real(row, "per_second"), rate, sizeof(rate)),
		100 * hv_fact_real(row, "share"), few(hv_fact_real(row, "p50"), p50, sizeof(p50)),
		few(hv_fact_real(row, "p99"), p99, sizeof(p99)));
	fprintf(out, "%4.0f%% %4.0f%% %4.0f%% ", part(world, all), part(kernel, all),
		part(user, all));
	fprintf(out, "%.*s\n", room, hv_fact_string(row, "what"));
}

static void print_summary(const json_t *bill, FILE *out)
{
	char exits[16], rate[16];
	double seconds = hv_fact_real(bill, "seconds"), inside = hv_fact_real(bill, "inside_ticks");
	double outside = hv_fact_real(bill, "outside_ticks"),
	       waiting = hv_fact_real(bill, "waiting_ticks");
	double all = inside + outside + waiting;
	double count = hv_fact_real(bill, "exits") + hv_fact_real(bill, "missed");

	fprintf(out, "%s: %s exits in %.1f s, %s a second; in the guest %.1f %% of the time, ",
		hv_fact_string(bill, "name"), few(count, exits, sizeof(exits)), seconds,
		few(seconds > 0 ? count / seconds : 0, rate, sizeof(rate)), part(inside, all));
	fprintf(out, "waiting %.1f %%, exits %.1f %%\n", part(waiting, all), part(outside, all));
	if (hv_fact_integer(bill, "missed"))
		fprintf(out, "%lld of them came faster than they could be read: they have no row\n",
			(long long)hv_fact_integer(bill, "missed"));
}

void hv_bill_print(const json_t *bill, unsigned int rows, unsigned int columns, FILE *out)
{
	const json_t *array = json_object_get(bill, "rows");
	const json_t *advice = json_object_get(bill, "advice");
	json_t *row;
	size_t i;

	print_summary(bill, out);
	fprintf(out, "%6s %6s %6s %6s %6s %5s %5s %5s %s\n", "exits", "/s", "cost", "p50", "p99",
		"world", "kern.", "hvctl", "what");
	json_array_foreach(array, i, row) {
		if (i >= rows)
			break;
		print_row(row, columns, out);
	}
	if (advice)
		fprintf(out, "the dearest, %s: %s\n", hv_fact_string(advice, "what"),
			hv_fact_string(advice, "text"));
}
