// SPDX-License-Identifier: GPL-2.0-only
/* EPT's entries in words: SDM, "EPT Translation Mechanism". */
#include <stdbool.h>

#include "ept_walk.h"
#include "facts.h"
#include "lib/util.h"

#define IGNORE_PAT (1 << 6)

/* Bits of an entry; some mean something only where it maps a page. */
static const struct {
	unsigned int bit;
	const char *name;
	bool leaf;
} flags[] = {
	{ 0, "R", false }, { 1, "W", false }, { 2, "X", false }, { 10, "XU", false },
	{ 7, "PS", true }, { 8, "A", false }, { 9, "D", true },
};

static const char *memory_type(uint64_t entry)
{
	static const char *const names[] = { "UC", "WC", NULL, NULL, "WT", "WP", "WB", NULL };

	return names[entry >> 3 & 7] ?: "reserved";
}

static json_t *flags_of(uint64_t entry, bool leaf)
{
	json_t *names = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (entry >> flags[i].bit & 1 && (leaf || !flags[i].leaf))
			json_array_append_new(names, json_string(flags[i].name));
	return names;
}

/* Level 4 is the root's, 1 of a page table. */
static json_t *entry_json(const struct tinyvmx_get_ept *ept, unsigned int level, bool leaf)
{
	static const char *const tables[] = { NULL, "PT", "PD", "PDPT", "PML4" };
	unsigned int index = ept->gpa >> (12 + 9 * (level - 1)) & 511;

	return json_pack("{s:s, s:i, s:o}", "table", tables[level], "index", (int)index, "flags",
			 flags_of(ept->entries[TINYVMX_EPT_LEVELS - level], leaf));
}

json_t *hv_ept_walk_json(const struct tinyvmx_get_ept *ept)
{
	unsigned int last = TINYVMX_EPT_LEVELS - ept->count + 1;
	uint64_t entry = ept->entries[ept->count - 1];
	json_t *walk, *entries = json_array();

	for (unsigned int level = TINYVMX_EPT_LEVELS; level >= last; level--)
		json_array_append_new(entries, entry_json(ept, level, level == last));
	walk = json_pack("{s:o, s:b}", "entries", entries, "mapped", !!entry);
	if (entry)
		json_object_update_new(walk, json_pack("{s:I, s:s, s:b}", "page_bytes",
						       (json_int_t)(4096ULL << 9 * (last - 1)),
						       "memory_type", memory_type(entry),
						       "ignore_pat", !!(entry & IGNORE_PAT)));
	return walk;
}

void hv_ept_walk_print(const json_t *walk, const char *indent, FILE *out)
{
	long long bytes = hv_fact_integer(walk, "page_bytes");
	json_t *entry;
	size_t i;

	if (!walk)
		return;
	fprintf(out, "%sEPT: ", indent);
	if (!json_is_object(walk)) {
		fputs("the module does not tell\n", out);
		return;
	}
	json_array_foreach(json_object_get(walk, "entries"), i, entry) {
		fprintf(out, "%s%s[%lld] ", i ? ", " : "", hv_fact_string(entry, "table"),
			(long long)hv_fact_integer(entry, "index"));
		hv_fact_print_words(json_object_get(entry, "flags"), out);
	}
	if (!json_is_true(json_object_get(walk, "mapped")))
		fputs(": not mapped\n", out);
	else
		fprintf(out, ": %lld %s, %s%s\n", bytes >> (bytes >= 1 << 20 ? 20 : 10),
			bytes >= 1 << 20 ? "MiB" : "KiB", hv_fact_string(walk, "memory_type"),
			json_is_true(json_object_get(walk, "ignore_pat")) ? ", PAT ignored" : "");
}
