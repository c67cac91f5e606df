// SPDX-License-Identifier: GPL-2.0-only
/* A page walk as JSON, and that in words. */
#include <string.h>

#include "ept_walk.h"
#include "facts.h"
#include "lib/util.h"
#include "lib/x86.h"
#include "page_walk.h"

/* Bits of an entry; some mean something only where it maps a page. */
static const struct {
	unsigned int bit;
	const char *name;
	bool leaf;
} flags[] = {
	{ 0, "P", false },   { 1, "W", false },	 { 2, "U", false }, { 3, "PWT", false },
	{ 4, "PCD", false }, { 5, "A", false },	 { 6, "D", true },  { 7, "PS", false },
	{ 8, "G", true },    { 63, "NX", false },
};

/* The memory type of PAT's entry @index: SDM, "Page Attribute Table". */
static const char *pat_type(uint64_t pat, unsigned int index)
{
	static const char *const names[] = { "UC", "WC", NULL, NULL, "WT", "WP", "WB", "UC-" };
	unsigned int type = pat >> 8 * index & 0xff;

	return type < ARRAY_SIZE(names) && names[type] ? names[type] : "reserved";
}

static unsigned int pat_index(const struct hv_page_step *leaf)
{
	unsigned int bit = leaf->level == 1 ? 7 : 12;

	return (leaf->value >> 3 & 3) | (leaf->value >> bit & 1) << 2;
}

static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%llx", (unsigned long long)value);
}

static json_t *flags_of(const struct hv_page_step *step)
{
	json_t *names = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		bool is_pat = flags[i].bit == 7 && step->level == 1;

		if (step->value >> flags[i].bit & 1 && (step->maps || !flags[i].leaf))
			json_array_append_new(names, json_string(is_pat ? "PAT" : flags[i].name));
	}
	if (step->maps && step->level > 1 && step->value >> 12 & 1)
		json_array_append_new(names, json_string("PAT"));
	return names;
}

static json_t *step_json(const struct hv_page_step *step)
{
	json_t *object = json_pack("{s:s, s:i, s:o, s:o, s:b}", "table", step->table, "index",
				   step->index, "value", hex(step->value), "flags", flags_of(step),
				   "present", (int)(step->value & X86_PTE_P));

	json_object_set_new(object, "at",
			    step->is_register ? json_string("a register") : hex(step->gpa));
	if (!step->is_ram)
		json_object_set_new(object, "problem", json_string("there is no memory"));
	else if (step->reserved)
		json_object_set_new(
			object, "problem",
			json_sprintf("reserved bits 0x%llx", (unsigned long long)step->reserved));
	return object;
}

static json_t *mapping_json(const struct hv_page_walk *walk, uint64_t pat)
{
	const struct hv_page_step *leaf;
	json_t *object = json_pack("{s:o, s:I, s:b, s:b, s:b}", "gpa", hex(walk->gpa), "page_bytes",
				   (json_int_t)walk->page_bytes, "writable", walk->writable, "user",
				   walk->user, "executable", !walk->no_execute);

	if (!walk->count)
		return object;
	leaf = &walk->step[walk->count - 1];
	json_object_set_new(object, "pat_index", json_integer(pat_index(leaf)));
	json_object_set_new(object, "memory_type", json_string(pat_type(pat, pat_index(leaf))));
	return object;
}

json_t *hv_page_walk_json(const struct hv_page_walk *walk, uint64_t gva, uint64_t pat)
{
	json_t *steps = json_array();

	for (unsigned int i = 0; i < walk->count; i++)
		json_array_append_new(steps, step_json(&walk->step[i]));
	return json_pack("{s:o, s:b, s:o, s:o*}", "address", hex(gva), "canonical", walk->canonical,
			 "steps", steps, "mapping", walk->mapped ? mapping_json(walk, pat) : NULL);
}

/* ------------------------------------------------------------------- words */

static bool is(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static void print_step(const json_t *step, FILE *out)
{
	const char *problem = hv_fact_string(step, "problem");

	fprintf(out, "  %s[%lld] at %s: %s ", hv_fact_string(step, "table"),
		hv_fact_integer(step, "index"), hv_fact_string(step, "at"),
		hv_fact_string(step, "value"));
	hv_fact_print_words(json_object_get(step, "flags"), out);
	fprintf(out, "%s%s%s\n", is(step, "present") ? "" : ": not present", *problem ? ", " : "",
		problem);
	hv_ept_walk_print(json_object_get(step, "ept"), "    ", out);
}

static void print_mapping(const json_t *mapping, FILE *out)
{
	const char *type = hv_fact_string(mapping, "memory_type");
	long long bytes = hv_fact_integer(mapping, "page_bytes");

	fprintf(out, "  guest-physical %s, ", hv_fact_string(mapping, "gpa"));
	if (bytes >= (1 << 20))
		fprintf(out, "a page of %lld MiB", bytes >> 20);
	else
		fprintf(out, "a page of %lld KiB", bytes >> 10);
	fprintf(out, ": %s, %s, %s", is(mapping, "writable") ? "writable" : "read-only",
		is(mapping, "user") ? "user" : "supervisor",
		is(mapping, "executable") ? "executable" : "not executable");
	if (*type)
		fprintf(out, "; memory type %s (PAT entry %lld)", type,
			hv_fact_integer(mapping, "pat_index"));
	fputc('\n', out);
	hv_ept_walk_print(json_object_get(mapping, "ept"), "    ", out);
}

void hv_page_walk_print(const json_t *walk, FILE *out)
{
	const json_t *mapping = json_object_get(walk, "mapping");
	json_t *steps = json_object_get(walk, "steps"), *step;
	size_t i;

	fprintf(out, "linear address %s, vCPU %lld:\n", hv_fact_string(walk, "address"),
		hv_fact_integer(walk, "vcpu"));
	json_array_foreach(steps, i, step)
		print_step(step, out);
	if (!is(walk, "canonical"))
		fputs("  it is not canonical\n", out);
	else if (!json_array_size(steps))
		fputs("  there is no paging\n", out);
	if (mapping)
		print_mapping(mapping, out);
	else
		fputs("  nothing is mapped there\n", out);
	if (*hv_fact_string(walk, "backing"))
		fprintf(out, "  backed by %s\n", hv_fact_string(walk, "backing"));
}
