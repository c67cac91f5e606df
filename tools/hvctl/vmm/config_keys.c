// SPDX-License-Identifier: GPL-2.0-only
/* A machine's configuration as a tree of values, which JSON and TOML are made of: one row a key. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_form.h"
#include "config_keys.h"
#include "lib/args.h"
#include "lib/path.h"
#include "lib/text.h"
#include "lib/util.h"
#include "load/protocol.h"

static void *field_of(const struct hv_config *config, const struct hv_form_key *key)
{
	return (char *)config + key->offset;
}

/* ------------------------------------------------------------------- errors */

static int refuse(const struct hv_form_reader *reader, const struct hv_value *value,
		  const char *wanted)
{
	return hv_form_refuse_element(reader, value, value, wanted);
}

int hv_form_refuse_element(const struct hv_form_reader *reader, const struct hv_value *array,
			   const struct hv_value *element, const char *wanted)
{
	return hv_fail_at(reader->err, element->line, EINVAL, "\"%s\" is not %s; mend it",
			  array->key, wanted);
}

int hv_form_refuse_as_said(const struct hv_form_reader *reader, const struct hv_value *value,
			   int error)
{
	struct hv_error said = *reader->err;

	return hv_fail_at(reader->err, value->line, -error, "\"%s\": %.300s", value->key,
			  said.text);
}

int hv_form_no_memory(const struct hv_form_reader *reader)
{
	return hv_fail(reader->err, ENOMEM, "no memory for a configuration; close something");
}

/* -------------------------------------------------------------------- paths */

/* What stands in a file, with the file's directory; in the tree. NULL: no memory, or no string. */
static const char *read_path(const struct hv_form_reader *reader, struct hv_value *value)
{
	if (hv_value_string(value))
		hv_value_take_string(value, hv_path_join("", reader->dir, value->string));
	return hv_value_string(value);
}

static void write_path(struct hv_value *parent, const char *key, const char *before,
		       const char *dir, const char *path)
{
	hv_value_take_string(hv_value_add(parent, HV_VALUE_STRING, key),
			     hv_path_join(before, dir, path));
}

/* ------------------------------------------------------------- simple forms */

static int read_string(struct hv_form_reader *reader, const struct hv_form_key *key,
		       struct hv_value *value)
{
	if (value->kind != HV_VALUE_STRING)
		return refuse(reader, value, "a string");
	*(const char **)field_of(reader->config, key) = value->string;
	return 0;
}

static void write_string(const struct hv_config *config, const struct hv_form_key *key,
			 const char *dir, struct hv_value *table)
{
	const char *string = *(const char **)field_of(config, key);

	(void)dir;
	if (string)
		hv_value_add_string(table, key->name, string);
}

static const struct hv_form string_form = { read_string, write_string };

static int read_path_key(struct hv_form_reader *reader, const struct hv_form_key *key,
			 struct hv_value *value)
{
	if (value->kind != HV_VALUE_STRING)
		return refuse(reader, value, "a string");
	*(const char **)field_of(reader->config, key) = read_path(reader, value);
	return value->string ? 0 : hv_form_no_memory(reader);
}

static void write_path_key(const struct hv_config *config, const struct hv_form_key *key,
			   const char *dir, struct hv_value *table)
{
	const char *path = *(const char **)field_of(config, key);

	if (path)
		write_path(table, key->name, "", dir, path);
}

static const struct hv_form path_form = { read_path_key, write_path_key };

static int read_protocol(struct hv_form_reader *reader, const struct hv_form_key *key,
			 struct hv_value *value)
{
	const char *name = hv_value_string(value);

	if (name && hv_protocol_find(name))
		return read_string(reader, key, value);
	return hv_fail_at(reader->err, value->line, EINVAL,
			  "\"%s\" is no boot protocol; use one of %s", value->key,
			  hv_protocol_names());
}

static const struct hv_form protocol_form = { read_protocol, write_string };

static int read_address(struct hv_form_reader *reader, const struct hv_form_key *key,
			struct hv_value *value)
{
	if (value->kind != HV_VALUE_INTEGER || value->integer < 0)
		return refuse(reader, value, "an address, like 0x100000");
	*(uint64_t *)field_of(reader->config, key) = value->integer;
	return 0;
}

static void write_address(const struct hv_config *config, const struct hv_form_key *key,
			  const char *dir, struct hv_value *table)
{
	uint64_t address = *(uint64_t *)field_of(config, key);
	struct hv_value *value;

	(void)dir;
	if (address == HV_UNSET)
		return;
	value = hv_value_add_integer(table, key->name, (int64_t)address);
	if (value)
		value->form = HV_VALUE_ADDRESS;
}

static const struct hv_form address_form = { read_address, write_address };

/* A plain number would be bytes to a program, and MiB to who knows --mem: people say the unit. */
static bool parse_size(const struct hv_value *value, uint64_t *size)
{
	if (value->kind == HV_VALUE_STRING)
		return hv_parse_size(value->string, 0, size);
	*size = value->integer;
	return value->kind == HV_VALUE_INTEGER;
}

static int read_size(struct hv_form_reader *reader, const struct hv_form_key *key,
		     struct hv_value *value)
{
	uint64_t size;

	if (!parse_size(value, &size))
		return refuse(reader, value, "a size, like \"512M\", or a number of bytes");
	if (size < HV_MIB || size % HV_KIB % 4 || size > INT64_MAX)
		return refuse(reader, value,
			      "1 MiB or more and a multiple of 4 KiB; write it like \"512M\"");
	*(uint64_t *)field_of(reader->config, key) = size;
	return 0;
}

static void write_size(const struct hv_config *config, const struct hv_form_key *key,
		       const char *dir, struct hv_value *table)
{
	uint64_t size = *(uint64_t *)field_of(config, key);
	struct hv_value *value = hv_value_add_integer(table, key->name, (int64_t)size);

	(void)dir;
	if (value)
		value->form = HV_VALUE_SIZE;
}

static const struct hv_form size_form = { read_size, write_size };

static int read_bool(struct hv_form_reader *reader, const struct hv_form_key *key,
		     struct hv_value *value)
{
	if (value->kind != HV_VALUE_BOOL)
		return refuse(reader, value, "true or false");
	*(bool *)field_of(reader->config, key) = value->boolean;
	return 0;
}

static void write_bool(const struct hv_config *config, const struct hv_form_key *key,
		       const char *dir, struct hv_value *table)
{
	(void)dir;
	hv_value_add_bool(table, key->name, *(bool *)field_of(config, key));
}

static const struct hv_form bool_form = { read_bool, write_bool };

static int refuse_choice(const struct hv_form_reader *reader, const struct hv_form_key *key,
			 const struct hv_value *value)
{
	char words[100] = "";

	for (unsigned int i = 0; key->choices[i]; i++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s",
			 i ? ", " : "", key->choices[i]);
	return hv_fail_at(reader->err, value->line, EINVAL, "\"%s\" is not one of %s; use one",
			  value->key, words);
}

static int read_choice(struct hv_form_reader *reader, const struct hv_form_key *key,
		       struct hv_value *value)
{
	const char *name = hv_value_string(value);

	for (unsigned int i = 0; name && key->choices[i]; i++)
		if (!strcmp(name, key->choices[i])) {
			*(unsigned int *)field_of(reader->config, key) = i;
			return 0;
		}
	return refuse_choice(reader, key, value);
}

static void write_choice(const struct hv_config *config, const struct hv_form_key *key,
			 const char *dir, struct hv_value *table)
{
	(void)dir;
	hv_value_add_string(table, key->name, key->choices[*(unsigned int *)field_of(config, key)]);
}

static const struct hv_form choice_form = { read_choice, write_choice };

/* ------------------------------------------------------ forms of one key each */

static int read_version(struct hv_form_reader *reader, const struct hv_form_key *key,
			struct hv_value *value)
{
	(void)key;
	if (value->kind == HV_VALUE_INTEGER && value->integer == HV_CONFIG_VERSION)
		return 0;
	return hv_fail_at(reader->err, value->line, EPROTO,
			  "\"version\" is not %d; use the hvctl that wrote it", HV_CONFIG_VERSION);
}

static const struct hv_form version_form = { read_version, NULL };

static int read_cpu(struct hv_form_reader *reader, const struct hv_form_key *key,
		    struct hv_value *value)
{
	int error;

	(void)key;
	if (value->kind != HV_VALUE_STRING)
		return refuse(reader, value, "a string");
	if (!*value->string)
		return 0;
	error = hv_config_add_cpu(reader->config, value->string, reader->err);
	return error ? hv_form_refuse_as_said(reader, value, error) : 0;
}

static void write_cpu(const struct hv_config *config, const struct hv_form_key *key,
		      const char *dir, struct hv_value *table)
{
	(void)dir;
	if (*config->cpu)
		hv_value_add_string(table, key->name, config->cpu);
}

static const struct hv_form cpu_form = { read_cpu, write_cpu };

#define FILE_BACKEND "file:"
#define UNIX_BACKEND "unix:"

/* A back end, with the path in it; malloc()ed, @before before it. */
static char *join_backend(const char *before, const char *dir, const char *backend)
{
	const char *kind = strncmp(backend, UNIX_BACKEND, 5) ? FILE_BACKEND : UNIX_BACKEND;
	bool has_path = !strncmp(backend, kind, 5) && backend[5];
	char *file = has_path ? hv_path_join(kind, dir, backend + 5) : strdup(backend);
	char *joined = file ? hv_path_join(before, NULL, file) : NULL;

	free(file);
	return joined;
}

static int read_name(struct hv_form_reader *reader, const struct hv_form_key *key,
		     struct hv_value *value)
{
	int error;

	(void)key;
	if (value->kind != HV_VALUE_STRING)
		return refuse(reader, value, "a string");
	error = hv_config_set_name(reader->config, value->string, reader->err);
	return error ? hv_form_refuse_as_said(reader, value, error) : 0;
}

static const struct hv_form name_form = { read_name, write_string };

static int read_console(struct hv_form_reader *reader, const struct hv_form_key *key,
			struct hv_value *value)
{
	int error;

	(void)key;
	if (value->kind != HV_VALUE_STRING)
		return refuse(reader, value, "a string");
	hv_value_take_string(value, join_backend("", reader->dir, value->string));
	if (!value->string)
		return hv_form_no_memory(reader);
	error = hv_config_set_console(reader->config, value->string, reader->err);
	return error ? hv_form_refuse_as_said(reader, value, error) : 0;
}

/* "COM1" becomes "COM1:", a string that @value has from now on. */
static int connect_port(struct hv_form_reader *reader, struct hv_value *value)
{
	char before[] = "COM1:";
	int error;

	memcpy(before, value->key, 4);
	hv_value_take_string(value, join_backend(before, reader->dir, value->string));
	if (!value->string)
		return hv_form_no_memory(reader);
	error = hv_config_set_serial(reader->config, value->string, reader->err);
	return error ? hv_form_refuse_as_said(reader, value, error) : 0;
}

static int read_port(struct hv_form_reader *reader, struct hv_value *value)
{
	unsigned int i = 0;

	while (i < HV_PC_COM_PORTS && strcmp(value->key, hv_pc_com[i].name))
		i++;
	if (i == HV_PC_COM_PORTS)
		return refuse(reader, value, "one of COM1 to COM4");
	if (value->kind != HV_VALUE_STRING)
		return refuse(reader, value, "a string");
	if (strcmp(value->string, hv_serial_names[HV_SERIAL_NONE]))
		return connect_port(reader, value);
	reader->config->serial[i] = (struct hv_serial_choice){ HV_SERIAL_NONE, NULL };
	return 0;
}

static int read_serial(struct hv_form_reader *reader, const struct hv_form_key *key,
		       struct hv_value *table)
{
	const struct hv_value *stdio = NULL;

	(void)key;
	if (table->kind != HV_VALUE_TABLE)
		return refuse(reader, table, "a table of COM1 to COM4");
	for (struct hv_value *value = table->first; value; value = value->next) {
		const char *backend = hv_value_string(value);
		bool is_stdio = backend && !strcmp(backend, hv_serial_names[HV_SERIAL_STDIO]);
		int error;

		if (is_stdio && stdio)
			return refuse(reader, value, "the only port with stdio, as there can be");
		if (is_stdio)
			stdio = value;
		error = read_port(reader, value);
		if (error)
			return error;
	}
	return 0;
}

static void write_backend(struct hv_value *parent, const char *key, const char *dir,
			  const struct hv_serial_choice *choice)
{
	if (choice->kind == HV_SERIAL_FILE)
		write_path(parent, key, FILE_BACKEND, dir, choice->path);
	else if (choice->kind == HV_SERIAL_UNIX)
		write_path(parent, key, UNIX_BACKEND, dir, choice->path);
	else
		hv_value_add_string(parent, key, hv_serial_names[choice->kind]);
}

static void write_console(const struct hv_config *config, const struct hv_form_key *key,
			  const char *dir, struct hv_value *table)
{
	if (config->console.kind != HV_SERIAL_NONE)
		write_backend(table, key->name, dir, &config->console);
}

static const struct hv_form console_form = { read_console, write_console };

/* COM1 is there unless somebody says no. */
static void write_serial(const struct hv_config *config, const struct hv_form_key *key,
			 const char *dir, struct hv_value *table)
{
	struct hv_value *ports = hv_value_add(table, HV_VALUE_TABLE, key->name);

	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++) {
		const struct hv_serial_choice *port = &config->serial[i];

		if (!i || port->kind != HV_SERIAL_NONE)
			write_backend(ports, hv_pc_com[i].name, dir, port);
	}
}

static const struct hv_form serial_form = { read_serial, write_serial };

static int add_initrd(struct hv_form_reader *reader, const struct hv_value *array,
		      struct hv_value *value)
{
	const char *path = read_path(reader, value);

	if (path && hv_payload_config_add_initrd(&reader->config->load, path))
		return 0;
	return hv_form_refuse_element(reader, array, value, "a path, or an array of at most 16");
}

static int read_initrds(struct hv_form_reader *reader, const struct hv_form_key *key,
			struct hv_value *array)
{
	int error = 0;

	(void)key;
	if (array->kind != HV_VALUE_ARRAY)
		return add_initrd(reader, array, array);
	for (struct hv_value *value = array->first; value && !error; value = value->next)
		error = add_initrd(reader, array, value);
	return error;
}

static void write_initrds(const struct hv_config *config, const struct hv_form_key *key,
			  const char *dir, struct hv_value *table)
{
	struct hv_value *array;

	if (!config->load.initrds)
		return;
	array = hv_value_add(table, HV_VALUE_ARRAY, key->name);
	for (unsigned int i = 0; i < config->load.initrds; i++)
		write_path(array, NULL, "", dir, config->load.initrd[i]);
}

static const struct hv_form initrd_form = { read_initrds, write_initrds };

static int add_fw_file(struct hv_form_reader *reader, const struct hv_value *array,
		       const struct hv_value *value)
{
	static const char *const keys[] = { "name", "file", NULL };
	bool good = value->kind == HV_VALUE_TABLE && hv_value_has_only(value, keys);
	const char *name = good ? hv_value_string(hv_value_find(value, "name")) : NULL;
	struct hv_value *file = good ? hv_value_find(value, "file") : NULL;
	const char *path = file ? read_path(reader, file) : NULL;

	if (name && path && hv_payload_config_add_fw_file(&reader->config->load, name, path))
		return 0;
	return hv_form_refuse_element(reader, array, value,
				      "an array of at most 16 tables with a name and a file");
}

static int read_fw_files(struct hv_form_reader *reader, const struct hv_form_key *key,
			 struct hv_value *array)
{
	int error = 0;

	(void)key;
	if (array->kind != HV_VALUE_ARRAY)
		return refuse(reader, array,
			      "an array of at most 16 tables with a name and a file");
	for (const struct hv_value *value = array->first; value && !error; value = value->next)
		error = add_fw_file(reader, array, value);
	return error;
}

static void write_fw_files(const struct hv_config *config, const struct hv_form_key *key,
			   const char *dir, struct hv_value *table)
{
	struct hv_value *array;

	if (!config->load.fw_files)
		return;
	array = hv_value_add(table, HV_VALUE_ARRAY, key->name);
	for (unsigned int i = 0; i < config->load.fw_files; i++) {
		struct hv_value *file = hv_value_add(array, HV_VALUE_TABLE, NULL);

		hv_value_add_string(file, "name", config->load.fw_file[i].name);
		write_path(file, "file", "", dir, config->load.fw_file[i].path);
	}
}

static const struct hv_form fw_cfg_form = { read_fw_files, write_fw_files };

/* ---------------------------------------------------------------- the table */

#define K(name, form, field) { name, form, offsetof(struct hv_config, field), NULL }
#define CHOICE_OF(name, field, names) \
	{ name, &choice_form, offsetof(struct hv_config, field), names }
#define SPECIAL(name, form) { name, form, 0, NULL }

/* In the order in which they are written. What was not said is left out. */
static const struct hv_form_key keys[] = {
	SPECIAL("version", &version_form),
	K("name", &name_form, name),
	K("image", &path_form, load.path),
	K("kernel", &path_form, load.kernel),
	K("boot", &protocol_form, load.boot),
	K("cmdline", &string_form, load.cmdline),
	K("append", &string_form, load.append),
	SPECIAL("initrd", &initrd_form),
	K("bios", &path_form, load.bios),
	K("bios_gpa", &address_form, load.bios_gpa),
	K("system_map", &path_form, load.system_map),
	K("load", &address_form, load.options.load),
	K("entry", &address_form, load.options.entry),
	CHOICE_OF("mode", load.options.mode, hv_mode_names),
	K("memory", &size_form, memory),
	CHOICE_OF("machine", machine, hv_machine_names),
	K("cpus", &hv_form_cpus, cpus),
	SPECIAL("cpu", &cpu_form),
	CHOICE_OF("display", display, hv_display_names),
	SPECIAL("disk", &hv_form_devices),
	K("cdrom", &path_form, cdrom),
	SPECIAL("net", &hv_form_devices),
	SPECIAL("share", &hv_form_devices),
	SPECIAL("vsock", &hv_form_devices),
	{ "vhost_user", &hv_form_devices, 0, (const char *const[]){ "vhost-user" } },
	SPECIAL("device", &hv_form_devices),
	K("testdev", &bool_form, testdev),
	K("pvpanic", &bool_form, pvpanic),
	K("vmgenid", &bool_form, vmgenid),
	K("no_reboot", &bool_form, no_reboot),
	K("shared_memory", &bool_form, shared_memory),
	K("record", &hv_form_records, records),
	K("sandbox", &bool_form, sandbox),
	SPECIAL("console", &console_form),
	SPECIAL("fw_cfg", &fw_cfg_form),
	SPECIAL("serial", &serial_form),
};

static int refuse_unknown(const struct hv_form_reader *reader, const struct hv_value *value)
{
	const char *text = value->key;
	size_t best = 0;

	for (size_t i = 1; i < ARRAY_SIZE(keys); i++)
		if (hv_text_distance(text, keys[i].name) < hv_text_distance(text, keys[best].name))
			best = i;
	if (hv_text_is_like(text, keys[best].name))
		return hv_fail_at(reader->err, value->line, EINVAL,
				  "\"%s\" is no key of a machine; is it \"%s\"?", text,
				  keys[best].name);
	return hv_fail_at(reader->err, value->line, EINVAL,
			  "\"%s\" is no key of a machine; leave it out, or see hvctl(1)", text);
}

static int read_any(struct hv_form_reader *reader, struct hv_value *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(value->key, keys[i].name))
			return keys[i].form->read(reader, &keys[i], value);
	return refuse_unknown(reader, value);
}

int hv_config_read(struct hv_config *config, struct hv_value *table, const char *dir,
		   struct hv_error *err)
{
	struct hv_form_reader reader = { config, dir, err };
	int error = 0;

	for (struct hv_value *value = table->first; value && !error; value = value->next)
		error = read_any(&reader, value);
	return error;
}

void hv_config_write(const struct hv_config *config, const char *dir, struct hv_value *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].form->write)
			keys[i].form->write(config, &keys[i], dir, table);
}
