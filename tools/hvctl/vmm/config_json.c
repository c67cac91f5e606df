// SPDX-License-Identifier: GPL-2.0-only
/* A machine's configuration as JSON: one row a key. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "control/name.h"
#include "lib/util.h"

enum kind { STRING, NUMBER, BOOL, CHOICE };

struct key {
	const char *name;
	enum kind kind;
	size_t offset;			/* in struct hv_config */
	const char *const *choices;	/* names of the values from 0 on, NULL behind the last */
};

#define K(name, kind, field) { name, kind, offsetof(struct hv_config, field), NULL }
#define CHOICE_OF(name, field, names) { name, CHOICE, offsetof(struct hv_config, field), names }

/* Numbers are 64 bits wide, choices are enums; a string, number or address not said is left out. */
static const struct key keys[] = {
	K("memory", NUMBER, memory),
	CHOICE_OF("machine", machine, hv_machine_names),
	CHOICE_OF("display", display, hv_display_names),
	K("testdev", BOOL, testdev),
	K("no_reboot", BOOL, no_reboot),
	K("shared_memory", BOOL, shared_memory),
	K("image", STRING, load.path),
	K("kernel", STRING, load.kernel),
	K("boot", STRING, load.boot),
	K("cmdline", STRING, load.cmdline),
	K("append", STRING, load.append),
	K("bios", STRING, load.bios),
	K("bios_gpa", NUMBER, load.bios_gpa),
	K("system_map", STRING, load.system_map),
	K("load", NUMBER, load.options.load),
	K("entry", NUMBER, load.options.entry),
	CHOICE_OF("mode", load.options.mode, hv_mode_names),
};

/* ------------------------------------------------------------------- write */

/* NULL: it was not said. */
static json_t *value_of(const struct hv_config *config, const struct key *key)
{
	const void *field = (const char *)config + key->offset;

	switch (key->kind) {
	case STRING:
		return *(const char *const *)field ? json_string(*(const char *const *)field) :
						     NULL;
	case NUMBER:
		return *(const uint64_t *)field == HV_UNSET ?
			       NULL :
			       json_integer(*(const uint64_t *)field);
	case BOOL:
		return json_boolean(*(const bool *)field);
	case CHOICE:
		return json_string(key->choices[*(const unsigned int *)field]);
	}
	return NULL;
}

/* Returns whether it could not be written. */
static bool write_key(json_t *root, const struct hv_config *config, const struct key *key)
{
	json_t *value = value_of(config, key);

	if (value)
		return json_object_set_new(root, key->name, value);
	return key->kind == STRING && *(const char *const *)((const char *)config + key->offset);
}

static json_t *write_backend(const struct hv_serial_choice *choice)
{
	if (choice->kind == HV_SERIAL_FILE)
		return json_pack("{s:s}", "file", choice->path);
	return json_string(hv_serial_names[choice->kind]);
}

static json_t *write_serial(const struct hv_config *config)
{
	json_t *ports = json_array();

	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		json_array_append_new(ports, write_backend(&config->serial[i]));
	return ports;
}

static json_t *write_initrds(const struct hv_config *config)
{
	json_t *paths = json_array();

	for (unsigned int i = 0; i < config->load.initrds; i++)
		json_array_append_new(paths, json_string(config->load.initrd[i]));
	return paths;
}

static json_t *write_fw_files(const struct hv_config *config)
{
	json_t *files = json_array();

	for (unsigned int i = 0; i < config->load.fw_files; i++)
		json_array_append_new(files,
				      json_pack("{s:s,s:s}", "name", config->load.fw_file[i].name,
						"file", config->load.fw_file[i].path));
	return files;
}

char *hv_config_to_json(const struct hv_config *config)
{
	json_t *root = json_object(), *serial = write_serial(config),
	       *initrds = write_initrds(config), *fw_files = write_fw_files(config);
	bool bad = json_array_size(serial) != HV_PC_COM_PORTS ||
		   json_array_size(initrds) != config->load.initrds ||
		   json_array_size(fw_files) != config->load.fw_files;
	char *text = NULL;

	bad |= json_object_set_new(root, "version", json_integer(HV_CONFIG_VERSION));
	bad |= json_object_set_new(root, "cpu", json_string(config->cpu));
	if (config->name)
		bad |= json_object_set_new(root, "name", json_string(config->name));
	if (config->console.kind != HV_SERIAL_NONE)
		bad |= json_object_set_new(root, "console", write_backend(&config->console));
	bad |= json_object_set_new(root, "cpus", json_integer(config->cpus));
	bad |= json_object_set_new(root, "serial", serial);
	bad |= json_object_set_new(root, "initrd", initrds);
	bad |= json_object_set_new(root, "fw_cfg", fw_files);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		bad |= write_key(root, config, &keys[i]);
	if (!bad)
		text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(root);
	return text;
}

/* -------------------------------------------------------------------- read */

/* Its strings lie in @root. */
struct owned {
	struct hv_config config;
	json_t *root;
};

static int bad_value(struct hv_error *err, const char *key, const char *wanted)
{
	return hv_fail(err, EINVAL, "\"%s\" is not %s; mend it", key, wanted);
}

static int read_choice(unsigned int *field, const struct key *key, const json_t *value,
		       struct hv_error *err)
{
	const char *name = json_string_value(value);

	for (unsigned int i = 0; name && key->choices[i]; i++)
		if (!strcmp(name, key->choices[i])) {
			*field = i;
			return 0;
		}
	return bad_value(err, key->name, "one of the words for it");
}

static int read_key(struct hv_config *config, const struct key *key, const json_t *value,
		    struct hv_error *err)
{
	void *field = (char *)config + key->offset;

	switch (key->kind) {
	case STRING:
		if (!json_is_string(value))
			return bad_value(err, key->name, "a string");
		*(const char **)field = json_string_value(value);
		return 0;
	case NUMBER:
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return bad_value(err, key->name, "a number of bytes, or an address");
		*(uint64_t *)field = json_integer_value(value);
		return 0;
	case BOOL:
		if (!json_is_boolean(value))
			return bad_value(err, key->name, "true or false");
		*(bool *)field = json_is_true(value);
		return 0;
	case CHOICE:
		return read_choice(field, key, value, err);
	}
	return -EINVAL;
}

static int read_backend(struct hv_serial_choice *choice, const json_t *value)
{
	static const struct key kind = { "serial", CHOICE, 0, hv_serial_names };
	const json_t *path = json_object_get(value, "file");
	struct hv_error unused;
	unsigned int number;

	if (path) {
		*choice = (struct hv_serial_choice){ HV_SERIAL_FILE, json_string_value(path) };
		return choice->path && json_object_size(value) == 1 ? 0 : -EINVAL;
	}
	if (read_choice(&number, &kind, value, &unused) || number == HV_SERIAL_FILE)
		return -EINVAL;
	*choice = (struct hv_serial_choice){ number, NULL };
	return 0;
}

static int read_serial(struct hv_config *config, const json_t *value, struct hv_error *err)
{
	bool good = json_is_array(value) && json_array_size(value) == HV_PC_COM_PORTS;

	for (unsigned int i = 0; good && i < HV_PC_COM_PORTS; i++)
		good = !read_backend(&config->serial[i], json_array_get(value, i));
	return good ? 0 : bad_value(err, "serial", "an array of four back ends");
}

static int read_console(struct hv_config *config, const json_t *value, struct hv_error *err)
{
	if (!read_backend(&config->console, value) && config->console.kind != HV_SERIAL_NONE)
		return 0;
	return bad_value(err, "console", "a back end");
}

static int read_name(struct hv_config *config, const json_t *value, struct hv_error *err)
{
	const char *name = json_string_value(value);

	if (name && !hv_config_set_name(config, name, err))
		return 0;
	return bad_value(err, "name", "a name: " HV_NAME_RULES);
}

static int read_initrds(struct hv_config *config, const json_t *value, struct hv_error *err)
{
	bool good = json_is_array(value);

	for (size_t i = 0; good && i < json_array_size(value); i++) {
		const char *path = json_string_value(json_array_get(value, i));

		good = path && hv_payload_config_add_initrd(&config->load, path);
	}
	return good ? 0 : bad_value(err, "initrd", "an array of few paths");
}

static int read_fw_files(struct hv_config *config, const json_t *value, struct hv_error *err)
{
	bool good = json_is_array(value);

	for (size_t i = 0; good && i < json_array_size(value); i++) {
		const json_t *file = json_array_get(value, i);
		const char *name = json_string_value(json_object_get(file, "name"));
		const char *path = json_string_value(json_object_get(file, "file"));

		good = name && path && json_object_size(file) == 2 &&
		       hv_payload_config_add_fw_file(&config->load, name, path);
	}
	return good ? 0 : bad_value(err, "fw_cfg", "an array of few names and files");
}

static int read_cpu(struct hv_config *config, const json_t *value, struct hv_error *err)
{
	const char *text = json_string_value(value);

	if (!text)
		return bad_value(err, "cpu", "a string");
	return *text ? hv_config_add_cpu(config, text, err) : 0;
}

static int read_cpus(struct hv_config *config, const json_t *value, struct hv_error *err)
{
	json_int_t cpus = json_integer_value(value);

	if (cpus < 1 || cpus > HV_CONFIG_CPUS_MAX)
		return bad_value(err, "cpus", "a number of CPUs, 1 to 64");
	config->cpus = cpus;
	return 0;
}

static int read_version(struct hv_config *config, const json_t *value, struct hv_error *err)
{
	(void)config;
	if (json_is_integer(value) && json_integer_value(value) == HV_CONFIG_VERSION)
		return 0;
	return hv_fail(err, EPROTO, "\"version\" is not %d; use the hvctl that wrote it",
		       HV_CONFIG_VERSION);
}

/* Keys with a form of their own. */
static const struct special {
	const char *name;
	int (*read)(struct hv_config *config, const json_t *value, struct hv_error *err);
} specials[] = {
	{ "version", read_version },
	{ "cpu", read_cpu },
	{ "name", read_name },
	{ "console", read_console },
	{ "cpus", read_cpus },
	{ "serial", read_serial },
	{ "initrd", read_initrds },
	{ "fw_cfg", read_fw_files },
};

static int read_any(struct hv_config *config, const char *name, const json_t *value,
		    struct hv_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(name, keys[i].name))
			return read_key(config, &keys[i], value, err);
	for (size_t i = 0; i < ARRAY_SIZE(specials); i++)
		if (!strcmp(name, specials[i].name))
			return specials[i].read(config, value, err);
	return hv_fail(err, EINVAL, "\"%s\" is no key of a machine; leave it out", name);
}

struct hv_config *hv_config_from_json(const char *text, struct hv_error *err)
{
	struct owned *owned = calloc(1, sizeof(*owned));
	json_error_t where;
	const char *name;
	json_t *value;

	if (!owned) {
		hv_fail(err, ENOMEM, "no memory for a configuration; close something");
		return NULL;
	}
	owned->config = (struct hv_config)HV_CONFIG_DEFAULT;
	owned->root = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(owned->root)) {
		hv_fail(err, EINVAL, "line %d: %s; give one object of JSON", where.line,
			owned->root ? "no object" : where.text);
		hv_config_free(&owned->config);
		return NULL;
	}
	if (!json_object_get(owned->root, "version")) {
		hv_fail(err, EPROTO, "it has no \"version\"; this one writes %d",
			HV_CONFIG_VERSION);
		hv_config_free(&owned->config);
		return NULL;
	}
	json_object_foreach(owned->root, name, value) {
		if (read_any(&owned->config, name, value, err)) {
			hv_config_free(&owned->config);
			return NULL;
		}
	}
	return &owned->config;
}

void hv_config_free(struct hv_config *config)
{
	struct owned *owned = (struct owned *)config;

	if (!config)
		return;
	json_decref(owned->root);
	free(owned);
}
