// SPDX-License-Identifier: GPL-2.0-only
/* A tree of values: made, looked at, and freed. */
#include <stdlib.h>
#include <string.h>

#include "value.h"

struct hv_value *hv_value_new(void)
{
	struct hv_value *root = calloc(1, sizeof(*root));

	if (!root)
		return NULL;
	root->kind = HV_VALUE_TABLE;
	root->root = root;
	return root;
}

/* No deeper than the parsers let a text be nested. */
static void free_value(struct hv_value *value)
{
	while (value) {
		struct hv_value *next = value->next;

		free_value(value->first);
		free(value->key);
		free(value->string);
		free(value);
		value = next;
	}
}

void hv_value_free(struct hv_value *root)
{
	free_value(root);
}

struct hv_value *hv_value_add(struct hv_value *parent, enum hv_value_kind kind, const char *key)
{
	struct hv_value *value;
	char *name;

	if (!parent)
		return NULL;
	value = calloc(1, sizeof(*value));
	name = key ? strdup(key) : NULL;
	if (!value || (key && !name)) {
		free(value);
		free(name);
		parent->root->is_incomplete = true;
		return NULL;
	}
	value->kind = kind;
	value->key = name;
	value->root = parent->root;
	if (parent->last)
		parent->last->next = value;
	else
		parent->first = value;
	parent->last = value;
	return value;
}

void hv_value_take_string(struct hv_value *value, char *string)
{
	if (!value) {
		free(string);
		return;
	}
	if (!string)
		value->root->is_incomplete = true;
	free(value->string);
	value->string = string;
}

struct hv_value *hv_value_add_string(struct hv_value *parent, const char *key, const char *string)
{
	struct hv_value *value = hv_value_add(parent, HV_VALUE_STRING, key);

	if (value)
		hv_value_take_string(value, strdup(string));
	return value;
}

struct hv_value *hv_value_add_integer(struct hv_value *parent, const char *key, int64_t integer)
{
	struct hv_value *value = hv_value_add(parent, HV_VALUE_INTEGER, key);

	if (value)
		value->integer = integer;
	return value;
}

struct hv_value *hv_value_add_bool(struct hv_value *parent, const char *key, bool boolean)
{
	struct hv_value *value = hv_value_add(parent, HV_VALUE_BOOL, key);

	if (value)
		value->boolean = boolean;
	return value;
}

struct hv_value *hv_value_find(const struct hv_value *table, const char *key)
{
	struct hv_value *value = table->first;

	while (value && (!value->key || strcmp(value->key, key)))
		value = value->next;
	return value;
}

bool hv_value_has_only(const struct hv_value *table, const char *const *keys)
{
	for (const struct hv_value *value = table->first; value; value = value->next) {
		size_t i = 0;

		while (keys[i] && (!value->key || strcmp(value->key, keys[i])))
			i++;
		if (!keys[i])
			return false;
	}
	return true;
}

const char *hv_value_string(const struct hv_value *value)
{
	return value && value->kind == HV_VALUE_STRING ? value->string : NULL;
}
