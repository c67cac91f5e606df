// SPDX-License-Identifier: GPL-2.0-only
/* A VMCS, and what two of them differ in. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmcs.h"
#include "vmx/bits.h"
#include "vmx/names.h"

/* All 64 bits of a word, each with its name */
#define WORDS_MAX 2048

void hv_vmcs_free(struct hv_vmcs *vmcs)
{
	free(vmcs->fields);
	*vmcs = (struct hv_vmcs){ 0 };
}

static const struct tinyvmx_vmcs_field *find(const struct hv_vmcs *vmcs, uint32_t encoding)
{
	for (size_t i = 0; i < vmcs->n; i++)
		if (vmcs->fields[i].encoding == encoding)
			return &vmcs->fields[i];
	return NULL;
}

/* Those who may not see a field get 0 for it. */
static bool is_shown(const struct hv_vmcs *vmcs, const struct tinyvmx_vmcs_field *field)
{
	return field->value || !vmx_field_is_host(field->encoding) ||
	       !vmx_dump_is_blanked(vmcs->fields, vmcs->n);
}

static void describe(const struct hv_vmcs *vmcs, const struct tinyvmx_vmcs_field *field,
		     char words[WORDS_MAX])
{
	const struct tinyvmx_vmcs_field *reason = find(vmcs, VMCS_EXIT_REASON);

	vmx_describe_field(field->encoding, field->value, reason ? (uint32_t)reason->value : 0,
			   words, WORDS_MAX);
}

/* ---------------------------------------------------------------- all of it */

static void print_field(const struct hv_vmcs *vmcs, const struct tinyvmx_vmcs_field *field,
			FILE *out)
{
	char words[WORDS_MAX];

	fprintf(out, "  %-44s ", vmx_field_name(field->encoding));
	if (!is_shown(vmcs, field)) {
		fputs("not shown\n", out);
		return;
	}
	describe(vmcs, field, words);
	fprintf(out, "0x%" PRIx64 "%s%s\n", (uint64_t)field->value, *words ? "  " : "", words);
}

void hv_vmcs_print(const struct hv_vmcs *vmcs, FILE *out)
{
	for (unsigned int group = 0; group < VMX_NR_GROUPS; group++) {
		bool begun = false;

		for (size_t i = 0; i < vmcs->n; i++) {
			if (vmx_field_group(vmcs->fields[i].encoding) != group)
				continue;
			if (!begun)
				fprintf(out, "%s:\n", vmx_group_name(group));
			begun = true;
			print_field(vmcs, &vmcs->fields[i], out);
		}
	}
	if (vmx_dump_is_blanked(vmcs->fields, vmcs->n))
		fputs("not shown: what tells where the host has something; only root sees that, with --no-sandbox\n",
		      out);
}

static json_t *value_json(const struct hv_vmcs *vmcs, const struct tinyvmx_vmcs_field *field)
{
	if (!field || !is_shown(vmcs, field))
		return json_null();
	return json_sprintf("0x%" PRIx64, (uint64_t)field->value);
}

static json_t *field_json(const struct hv_vmcs *vmcs, const struct tinyvmx_vmcs_field *field)
{
	char words[WORDS_MAX] = "";

	if (is_shown(vmcs, field))
		describe(vmcs, field, words);
	return json_pack("{s:o, s:s, s:s, s:o, s:s}", "encoding",
			 json_sprintf("0x%04x", field->encoding), "name",
			 vmx_field_name(field->encoding), "group",
			 vmx_group_name(vmx_field_group(field->encoding)), "value",
			 value_json(vmcs, field), "words", words);
}

json_t *hv_vmcs_json(const struct hv_vmcs *vmcs)
{
	json_t *array = json_array();

	for (size_t i = 0; i < vmcs->n; i++)
		if (json_array_append_new(array, field_json(vmcs, &vmcs->fields[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

/* ------------------------------------------------------------------ bare */

json_t *hv_vmcs_pack(const struct hv_vmcs *vmcs)
{
	json_t *object = json_object();

	for (size_t i = 0; i < vmcs->n; i++) {
		char key[16];

		snprintf(key, sizeof(key), "0x%04x", vmcs->fields[i].encoding);
		if (json_object_set_new(
			    object, key,
			    json_sprintf("0x%" PRIx64, (uint64_t)vmcs->fields[i].value))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static bool read_number(const char *text, uint64_t *value)
{
	char *end;

	if (!text || strncmp(text, "0x", 2))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 16);
	return !errno && !*end && end > text + 2;
}

static int by_encoding(const void *a, const void *b)
{
	const struct tinyvmx_vmcs_field *one = a, *other = b;

	return one->encoding < other->encoding ? -1 : one->encoding > other->encoding;
}

bool hv_vmcs_unpack(struct hv_vmcs *vmcs, const json_t *object)
{
	size_t size = json_object_size(object);
	const char *key;
	json_t *value;

	*vmcs = (struct hv_vmcs){ .fields = calloc(size ? size : 1, sizeof(*vmcs->fields)) };
	if (!vmcs->fields || !size) {
		hv_vmcs_free(vmcs);
		return false;
	}
	json_object_foreach((json_t *)object, key, value) {
		uint64_t encoding, number;

		if (!read_number(key, &encoding) || encoding > UINT16_MAX ||
		    !read_number(json_string_value(value), &number)) {
			hv_vmcs_free(vmcs);
			return false;
		}
		vmcs->fields[vmcs->n++] = (struct tinyvmx_vmcs_field){
			.encoding = (uint32_t)encoding,
			.value = number,
		};
	}
	qsort(vmcs->fields, vmcs->n, sizeof(*vmcs->fields), by_encoding);
	return true;
}

/* -------------------------------------------------------------- differences */

/* Calls @each for each field that differs; one of its fields may be NULL. Returns how many. */
static size_t compare(const struct hv_vmcs *old, const struct hv_vmcs *now,
		      void (*each)(const struct hv_vmcs *old, const struct hv_vmcs *now,
				   const struct tinyvmx_vmcs_field *before,
				   const struct tinyvmx_vmcs_field *after, void *context),
		      void *context)
{
	size_t count = 0;

	for (size_t i = 0; i < now->n; i++) {
		const struct tinyvmx_vmcs_field *after = &now->fields[i];
		const struct tinyvmx_vmcs_field *before = find(old, after->encoding);

		if (before && (before->value == after->value || !is_shown(old, before) ||
			       !is_shown(now, after)))
			continue;
		each(old, now, before, after, context);
		count++;
	}
	for (size_t i = 0; i < old->n; i++) {
		if (find(now, old->fields[i].encoding))
			continue;
		each(old, now, &old->fields[i], NULL, context);
		count++;
	}
	return count;
}

static void print_side(char sign, const struct hv_vmcs *vmcs,
		       const struct tinyvmx_vmcs_field *field, FILE *out)
{
	char words[WORDS_MAX];

	if (!field) {
		fprintf(out, "  %c not there\n", sign);
		return;
	}
	describe(vmcs, field, words);
	fprintf(out, "  %c 0x%" PRIx64 "%s%s\n", sign, (uint64_t)field->value, *words ? "  " : "",
		words);
}

static void print_difference(const struct hv_vmcs *old, const struct hv_vmcs *now,
			     const struct tinyvmx_vmcs_field *before,
			     const struct tinyvmx_vmcs_field *after, void *context)
{
	FILE *out = context;

	fprintf(out, "%s\n", vmx_field_name(before ? before->encoding : after->encoding));
	print_side('-', old, before, out);
	print_side('+', now, after, out);
}

size_t hv_vmcs_print_diff(const struct hv_vmcs *old, const struct hv_vmcs *now, FILE *out)
{
	return compare(old, now, print_difference, out);
}

static void add_difference(const struct hv_vmcs *old, const struct hv_vmcs *now,
			   const struct tinyvmx_vmcs_field *before,
			   const struct tinyvmx_vmcs_field *after, void *context)
{
	uint32_t encoding = before ? before->encoding : after->encoding;

	json_array_append_new(context,
			      json_pack("{s:o, s:s, s:o, s:o}", "encoding",
					json_sprintf("0x%04x", encoding), "name",
					vmx_field_name(encoding), "old", value_json(old, before),
					"new", value_json(now, after)));
}

json_t *hv_vmcs_diff_json(const struct hv_vmcs *old, const struct hv_vmcs *now)
{
	json_t *array = json_array();

	compare(old, now, add_difference, array);
	return array;
}
