// SPDX-License-Identifier: GPL-2.0-only
/* The bench's results as JSON: written, read back, compared. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

static const char *const names[HV_BENCH_NR_BACKENDS] = {
	[HV_BENCH_TINYVMX] = "tinyvmx",
	[HV_BENCH_KVM] = "kvm",
};

/* One decimal: ticks of a round are divided by its iterations. */
static json_t *rounded(double value)
{
	return json_real((double)(long long)(value * 10 + 0.5) / 10);
}

static json_t *number_json(const struct hv_bench_number *number)
{
	if (!number->valid)
		return json_null();
	return json_pack("{s:o, s:o}", "ticks", rounded(number->ticks), "spread",
			 rounded(number->spread));
}

static json_t *case_json(const struct hv_bench_case *c, const struct hv_bench_result *result)
{
	const struct hv_bench_number *ours = &result->number[HV_BENCH_TINYVMX],
				     *kvm = &result->number[HV_BENCH_KVM];
	json_t *ratio =
		ours->valid && kvm->valid && kvm->ticks > 0 ?
			json_real((double)(long long)(ours->ticks / kvm->ticks * 1000 + 0.5) /
				  1000) :
			json_null();

	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "case", c->name, "unit",
			 c->flags & HV_BENCH_BYTES ? "bytes" : "ticks", "tinyvmx",
			 number_json(ours), "kvm", number_json(kvm), "ratio", ratio);
}

int hv_bench_print_json(FILE *out, const struct hv_bench_result results[])
{
	json_t *cases = json_array(), *root = json_pack("{s:o}", "cases", cases);
	int ret;

	for (unsigned int i = 0; i < hv_bench_nr_cases; i++)
		if (results[i].wanted)
			json_array_append_new(cases, case_json(&hv_bench_cases[i], &results[i]));
	ret = json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	fputc('\n', out);
	json_decref(root);
	return ret;
}

/* -------------------------------------------------------------- reading it back */

static json_t *load(const char *path, struct hv_error *err)
{
	FILE *file = fopen(path, "r");
	json_error_t where;
	json_t *root;

	if (!file) {
		hv_fail(err, errno, "%s", strerror(errno));
		return NULL;
	}
	root = json_loadf(file, 0, &where);
	fclose(file);
	if (!root) {
		hv_fail(err, EINVAL, "%s (line %d)", where.text, where.line);
		return NULL;
	}
	if (!json_is_array(json_object_get(root, "cases"))) {
		hv_fail(err, EINVAL, "has no list of cases");
		json_decref(root);
		return NULL;
	}
	return root;
}

int hv_bench_check(const char *path, struct hv_error *err)
{
	json_t *root = load(path, err);

	json_decref(root);
	return root ? 0 : -EINVAL;
}

static struct hv_bench_number find(const json_t *root, const char *name, unsigned int backend)
{
	struct hv_bench_number number = { 0 };
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(root, "cases"), i, entry) {
		const char *its_name = json_string_value(json_object_get(entry, "case"));
		json_t *its_number = json_object_get(entry, names[backend]);

		if (!its_name || strcmp(its_name, name) ||
		    !json_is_number(json_object_get(its_number, "ticks")))
			continue;
		number.ticks = json_number_value(json_object_get(its_number, "ticks"));
		number.spread = json_number_value(json_object_get(its_number, "spread"));
		number.valid = true;
	}
	return number;
}

int hv_bench_merge(const char *path, struct hv_bench_result results[], struct hv_error *err)
{
	json_t *root = load(path, err);

	if (!root)
		return -EINVAL;
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++) {
		for (unsigned int b = 0; b < HV_BENCH_NR_BACKENDS; b++) {
			struct hv_bench_number number = find(root, hv_bench_cases[i].name, b);

			if (!results[i].wanted || results[i].number[b].valid || !number.valid)
				continue;
			results[i].number[b] = number;
			results[i].why[b].text[0] = '\0';
		}
	}
	json_decref(root);
	return 0;
}

/* The kernel's count of free pages is only so exact. */
#define BYTES_PERCENT 10

/* Beyond what it varies by itself, and what rounding may add. */
static bool is_slower(const struct hv_bench_case *c, const struct hv_bench_number *now,
		      const struct hv_bench_number *before, double percent)
{
	double allowed =
		before->ticks * (c->flags & HV_BENCH_BYTES ? BYTES_PERCENT : percent) / 100;

	return now->ticks > before->ticks + allowed + before->spread + 0.5;
}

int hv_bench_compare(const char *path, const struct hv_bench_result results[], double percent,
		     FILE *out, struct hv_error *err)
{
	json_t *root = load(path, err);
	int slower = 0;

	if (!root)
		return -EINVAL;
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++) {
		const struct hv_bench_number *now = &results[i].number[HV_BENCH_TINYVMX];
		struct hv_bench_number before =
			find(root, hv_bench_cases[i].name, HV_BENCH_TINYVMX);

		if (!now->valid || !before.valid ||
		    !is_slower(&hv_bench_cases[i], now, &before, percent))
			continue;
		fprintf(out, "%s: %.0f, before %.0f: %.1f %% more\n", hv_bench_cases[i].name,
			now->ticks, before.ticks, (now->ticks / before.ticks - 1) * 100);
		slower++;
	}
	json_decref(root);
	return slower;
}
