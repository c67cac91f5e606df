// SPDX-License-Identifier: GPL-2.0-only
/* A tree of values as TOML. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "value.h"

/* The path of keys to a table, for its [heading]. */
struct path {
	const struct path *parent;
	const char *key;
};

/* JSON's escapes are TOML's, but for DEL, which JSON leaves alone. False: it is not UTF-8. */
static bool write_string(FILE *out, const char *string)
{
	json_t *json = json_string(string);
	char *text = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;
	bool good = text;

	for (const char *c = text; c && *c; c++) {
		if (*c == 0x7f)
			fputs("\\u007f", out);
		else
			putc(*c, out);
	}
	json_decref(json);
	free(text);
	return good;
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static bool write_key(FILE *out, const char *key)
{
	const char *end = key;

	while (is_bare(*end))
		end++;
	if (end == key || *end)
		return write_string(out, key);
	fputs(key, out);
	return true;
}

static void write_size(FILE *out, int64_t size)
{
	static const char suffixes[] = "TGMK";
	unsigned int shift = 40;

	for (const char *suffix = suffixes; *suffix; suffix++, shift -= 10)
		if (size > 0 && !(size & ((1LL << shift) - 1))) {
			fprintf(out, "\"%" PRId64 "%c\"", size >> shift, *suffix);
			return;
		}
	fprintf(out, "%" PRId64, size);
}

static void write_integer(FILE *out, const struct hv_value *value)
{
	if (value->form == HV_VALUE_SIZE)
		write_size(out, value->integer);
	else if (value->form == HV_VALUE_ADDRESS && value->integer >= 0)
		fprintf(out, "0x%" PRIx64, value->integer);
	else
		fprintf(out, "%" PRId64, value->integer);
}

/* In its line, whatever it is. */
static bool write_value(FILE *out, const struct hv_value *value)
{
	bool is_table = value->kind == HV_VALUE_TABLE, good = true;

	switch (value->kind) {
	case HV_VALUE_BOOL:
		fputs(value->boolean ? "true" : "false", out);
		return true;
	case HV_VALUE_INTEGER:
		write_integer(out, value);
		return true;
	case HV_VALUE_STRING:
		return write_string(out, value->string);
	case HV_VALUE_OTHER:
		return false;
	default:
		break;
	}
	fputs(is_table ? "{ " : "[", out);
	for (const struct hv_value *child = value->first; child && good; child = child->next) {
		good = !is_table || write_key(out, child->key);
		fputs(is_table ? " = " : "", out);
		good = good && write_value(out, child);
		fputs(child->next ? ", " : "", out);
	}
	fputs(is_table ? " }" : "]", out);
	return good;
}

static bool write_path(FILE *out, const struct path *path)
{
	if (path->parent) {
		if (!write_path(out, path->parent))
			return false;
		putc('.', out);
	}
	return write_key(out, path->key);
}

/* One that has but tables in it is told by their headings. */
static bool wants_heading(const struct hv_value *table)
{
	const struct hv_value *value = table->first;

	while (value && value->kind == HV_VALUE_TABLE)
		value = value->next;
	return value || !table->first;
}

/* The tables in it last: what follows a heading belongs to that. */
static bool write_table(FILE *out, const struct hv_value *table, const struct path *path)
{
	bool good = true;

	if (path && wants_heading(table)) {
		fputs(ftell(out) ? "\n[" : "[", out);
		good = write_path(out, path);
		fputs("]\n", out);
	}
	for (const struct hv_value *value = table->first; value && good; value = value->next) {
		if (value->kind == HV_VALUE_TABLE)
			continue;
		good = write_key(out, value->key);
		fputs(" = ", out);
		good = good && write_value(out, value);
		putc('\n', out);
	}
	for (const struct hv_value *value = table->first; value && good; value = value->next) {
		const struct path below = { path, value->key };

		if (value->kind == HV_VALUE_TABLE)
			good = write_table(out, value, &below);
	}
	return good;
}

char *hv_value_to_toml(const struct hv_value *root)
{
	char *text = NULL;
	size_t len;
	FILE *out = root->is_incomplete ? NULL : open_memstream(&text, &len);
	bool good;

	if (!out)
		return NULL;
	good = write_table(out, root, NULL);
	if (!fclose(out) && good)
		return text;
	free(text);
	return NULL;
}

#ifndef HV_HAVE_TOML
struct hv_value *hv_value_from_toml(const char *text, size_t len, struct hv_error *err)
{
	(void)text;
	(void)len;
	hv_fail(err, EOPNOTSUPP,
		"this hvctl is built without toml++, which reads such files; give options instead, or build it with libtomlplusplus-dev");
	return NULL;
}
#endif
