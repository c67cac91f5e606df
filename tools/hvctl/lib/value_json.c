// SPDX-License-Identifier: GPL-2.0-only
/* A tree of values from JSON, and as JSON, by jansson. */
#include <errno.h>
#include <jansson.h>

#include "error.h"
#include "value.h"

/* -------------------------------------------------------------------- read */

static void add(struct hv_value *parent, const char *key, const json_t *json);

static void add_elements(struct hv_value *array, const json_t *json)
{
	for (size_t i = 0; i < json_array_size(json); i++)
		add(array, NULL, json_array_get(json, i));
}

static void add_members(struct hv_value *table, const json_t *json)
{
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)json, key, member)
		add(table, key, member);
}

static void add(struct hv_value *parent, const char *key, const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		add_members(hv_value_add(parent, HV_VALUE_TABLE, key), json);
		break;
	case JSON_ARRAY:
		add_elements(hv_value_add(parent, HV_VALUE_ARRAY, key), json);
		break;
	case JSON_STRING:
		hv_value_add_string(parent, key, json_string_value(json));
		break;
	case JSON_INTEGER:
		hv_value_add_integer(parent, key, json_integer_value(json));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		hv_value_add_bool(parent, key, json_is_true(json));
		break;
	default:
		hv_value_add(parent, HV_VALUE_OTHER, key);
	}
}

struct hv_value *hv_value_from_json(const char *text, struct hv_error *err)
{
	json_error_t where;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	struct hv_value *root;

	if (!json_is_object(json)) {
		hv_fail_at(err, json ? 1 : where.line, EINVAL, "%s; give one object of JSON",
			   json ? "no object" : where.text);
		json_decref(json);
		return NULL;
	}
	root = hv_value_new();
	if (root)
		add_members(root, json);
	json_decref(json);
	if (root && !root->is_incomplete)
		return root;
	hv_value_free(root);
	hv_fail(err, ENOMEM, "no memory for a configuration; close something");
	return NULL;
}

/* ------------------------------------------------------------------- write */

static json_t *make(const struct hv_value *value);

/* Returns NULL if one of them could not be made. */
static json_t *make_array(const struct hv_value *value)
{
	json_t *array = json_array();

	for (const struct hv_value *child = value->first; child; child = child->next)
		if (json_array_append_new(array, make(child))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *make_object(const struct hv_value *value)
{
	json_t *object = json_object();

	for (const struct hv_value *child = value->first; child; child = child->next)
		if (json_object_set_new(object, child->key, make(child))) {
			json_decref(object);
			return NULL;
		}
	return object;
}

static json_t *make(const struct hv_value *value)
{
	switch (value->kind) {
	case HV_VALUE_TABLE:
		return make_object(value);
	case HV_VALUE_ARRAY:
		return make_array(value);
	case HV_VALUE_STRING:
		return json_string(value->string);
	case HV_VALUE_INTEGER:
		return json_integer(value->integer);
	case HV_VALUE_BOOL:
		return json_boolean(value->boolean);
	case HV_VALUE_OTHER:
		break;
	}
	return json_null();
}

char *hv_value_to_json(const struct hv_value *root)
{
	json_t *json = root->is_incomplete ? NULL : make(root);
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	json_decref(json);
	return text;
}
