// SPDX-License-Identifier: GPL-2.0-only
/* What hvctl explain says to programs: the report, and the table of its rules. */
#include <inttypes.h>
#include <jansson.h>

#include "explain_json.h"
#include "vmx/names.h"

static int print(json_t *value)
{
	int error = value ? json_dumpf(value, stdout, JSON_INDENT(1)) : -1;

	json_decref(value);
	putchar('\n');
	return error;
}

/* ------------------------------------------------------------------- report */

static json_t *finding_json(const struct explain_finding *f)
{
	return json_pack(
		"{s:s, s:s, s:o, s:o, s:s?, s:s, s:s, s:s, s:s, s:b}", "id", f->id, "field",
		vmx_field_name(f->field), "encoding", json_sprintf("0x%04x", f->field), "value",
		json_sprintf("0x%" PRIx64, f->value), "segment", f->segment, "section", f->section,
		"rule", f->text, "mend", f->mend, "detail", f->detail, "blamed", f->blamed);
}

static json_t *gaps_json(const struct explain_gaps *gaps)
{
	json_t *unseen = json_array();

	for (size_t i = 0; i < gaps->nr_unseen; i++)
		json_array_append_new(unseen, json_string(gaps->unseen[i]));
	return json_pack("{s:I, s:I, s:I, s:o}", "not_shown", (json_int_t)gaps->blanked, "missing",
			 (json_int_t)gaps->missing, "unknown_cpu", (json_int_t)gaps->unknown,
			 "not_visible", unseen);
}

int hv_explain_json(const struct explain_report *report, const struct vmcs_source *source)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < report->count && i < EXPLAIN_MAX_FINDINGS; i++)
		json_array_append_new(findings, finding_json(&report->findings[i]));
	return print(json_pack("{s:s?, s:s, s:I, s:o, s:o}", "log_of", source->name, "verdict",
			       report->verdict, "count", (json_int_t)report->count, "findings",
			       findings, "not_checked", gaps_json(&report->gaps)));
}

/* -------------------------------------------------------------------- rules */

static void print_rule(const struct explain_rule *rule, void *context)
{
	(void)context;
	printf("%s\t%u\t%s\t%s\t%s\n", rule->id, rule->instances, vmx_field_name(rule->field),
	       rule->section, rule->rule);
}

void hv_explain_rules(void)
{
	explain_each_rule(print_rule, NULL);
}

static void add_rule(const struct explain_rule *rule, void *context)
{
	json_array_append_new(context,
			      json_pack("{s:s, s:i, s:s, s:s, s:s, s:s}", "id", rule->id,
					"instances", (int)rule->instances, "field",
					vmx_field_name(rule->field), "section", rule->section,
					"rule", rule->rule, "mend", rule->mend));
}

int hv_explain_rules_json(void)
{
	json_t *rules = json_array();

	explain_each_rule(add_rule, rules);
	return print(rules);
}
