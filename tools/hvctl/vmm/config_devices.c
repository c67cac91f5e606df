// SPDX-License-Identifier: GPL-2.0-only
/* A machine's devices in its configuration: for each option an array of what was said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_form.h"
#include "devices.h"
#include "lib/path.h"

/* The name of the option is in @choices, if the key has another. */
static const char *option_of(const struct hv_form_key *key)
{
	return key->choices ? *key->choices : key->name;
}

/* Where a path begins in what is said of a device; NULL: there is none. */
static const char *find_path(const struct hv_virtio_row *row, const char *text)
{
	const char *colon = strchr(text, ':');

	if (!row || !row->path)
		return NULL;
	if (!*row->path)
		return text;
	return colon ? colon + 1 : NULL;
}

/* A comma in what an option has been told is doubled, and so are those of @dir; malloc()ed. */
static char *double_commas(const char *dir)
{
	char *doubled = dir ? malloc(2 * strlen(dir) + 1) : NULL, *to = doubled;

	for (; doubled && *dir; dir++) {
		if (*dir == ',')
			*to++ = ',';
		*to++ = *dir;
	}
	if (doubled)
		*to = '\0';
	return doubled;
}

/* The same with @dir before its path; malloc()ed. */
static char *join_device(const char *option, const char *dir, const char *text)
{
	const char *path = find_path(hv_virtio_find(option), text);
	char *before, *doubled, *joined = NULL;

	/* One that is missing is refused by whoever wants it, and is not the file's own folder. */
	if (!path || !*path || *path == ',' || *path == ':')
		return strdup(text);
	before = strndup(text, path - text);
	doubled = double_commas(dir);
	if (before && (doubled || !dir))
		joined = hv_path_join(before, doubled, path);
	free(doubled);
	free(before);
	return joined;
}

static int add_device(struct hv_form_reader *reader, const struct hv_form_key *key,
		      const struct hv_value *array, struct hv_value *value)
{
	int error;

	if (!hv_value_string(value))
		return hv_form_refuse_element(reader, array, value,
					      "a string, or an array of them");
	hv_value_take_string(value, join_device(option_of(key), reader->dir, value->string));
	if (!value->string)
		return hv_form_no_memory(reader);
	error = hv_config_add_device(reader->config, option_of(key), value->string, reader->err);
	return error ? hv_form_refuse_as_said(reader, array, error) : 0;
}

static int read_devices(struct hv_form_reader *reader, const struct hv_form_key *key,
			struct hv_value *array)
{
	int error = 0;

	if (array->kind != HV_VALUE_ARRAY)
		return add_device(reader, key, array, array);
	for (struct hv_value *value = array->first; value && !error; value = value->next)
		error = add_device(reader, key, array, value);
	return error;
}

/* Those without an option of their own go by their names. */
static char *device_text(const struct hv_form_key *key, const char *dir,
			 const struct hv_device_choice *choice)
{
	const struct hv_virtio_row *row = hv_virtio_find(choice->option);
	char *text = NULL;

	if (!strcmp(option_of(key), choice->option))
		return join_device(choice->option, dir, choice->text);
	if (strcmp(option_of(key), "device") || !row || row->option)
		return NULL;
	if (asprintf(&text, "%s%s%s", row->name, *choice->text ? "," : "", choice->text) < 0)
		return NULL;
	return text;
}

static void write_devices(const struct hv_config *config, const struct hv_form_key *key,
			  const char *dir, struct hv_value *table)
{
	struct hv_value *array = NULL;

	for (unsigned int i = 0; i < config->devices; i++) {
		char *text = device_text(key, dir, &config->device[i]);

		if (!text)
			continue;
		if (!array)
			array = hv_value_add(table, HV_VALUE_ARRAY, key->name);
		hv_value_take_string(hv_value_add(array, HV_VALUE_STRING, NULL), text);
	}
}

const struct hv_form hv_form_devices = { read_devices, write_devices };
