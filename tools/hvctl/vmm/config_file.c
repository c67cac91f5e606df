// SPDX-License-Identifier: GPL-2.0-only
/* Machines described in a file of TOML. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_file.h"
#include "config_keys.h"
#include "control/name.h"
#include "lib/value.h"
#include "load/file.h"

#define FILE_MAX HV_MIB

static int no_memory(struct hv_error *err)
{
	return hv_fail(err, ENOMEM, "no memory for a configuration; close something");
}

/* Where @path is; NULL: where we are. */
static int find_dir(struct hv_config_file *file, const char *path, struct hv_error *err)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return 0;
	/* "/" alone keeps its slash. */
	file->dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	return file->dir ? 0 : no_memory(err);
}

int hv_config_file_open(struct hv_config_file *file, const char *path, struct hv_error *err)
{
	struct hv_file text;
	int error;

	*file = (struct hv_config_file){ 0 };
	error = hv_file_read(&text, path, FILE_MAX, err);
	if (error)
		return error;
	error = find_dir(file, path, err);
	if (!error)
		file->root = hv_value_from_toml((const char *)text.data, text.size, err);
	hv_file_free(&text);
	if (file->root)
		return 0;
	hv_config_file_close(file);
	return -EINVAL;
}

void hv_config_file_close(struct hv_config_file *file)
{
	hv_value_free(file->root);
	free(file->dir);
	*file = (struct hv_config_file){ 0 };
}

int hv_config_file_read(struct hv_config_file *file, struct hv_config *config, struct hv_error *err)
{
	return hv_config_read(config, file->root, file->dir, err);
}

static int read_vm(const struct hv_config_file *file, struct hv_config *config,
		   struct hv_value *table, struct hv_error *err)
{
	int error;

	if (table->kind != HV_VALUE_TABLE)
		return hv_fail_at(err, table->line, EINVAL,
				  "\"vm.%s\" is no table; begin a VM with [vm.NAME]", table->key);
	if (!hv_name_is_valid(table->key))
		return hv_fail_at(err, table->line, EINVAL,
				  "[vm.%.80s] is no name of a VM; use " HV_NAME_RULES, table->key);
	*config = (struct hv_config)HV_CONFIG_DEFAULT;
	error = hv_config_read(config, table, file->dir, err);
	if (!error && config->name && strcmp(config->name, table->key))
		return hv_fail_at(err, table->line, EINVAL,
				  "[vm.%s] says \"name\" once more, and another; leave it out",
				  table->key);
	config->name = table->key;
	return error;
}

static int count_vms(const struct hv_config_file *file, struct hv_error *err)
{
	const struct hv_value *vms = hv_value_find(file->root, "vm");
	const struct hv_value *value;
	int count = 0;

	for (value = file->root->first; value; value = value->next)
		if (value != vms)
			return hv_fail_at(err, value->line, EINVAL,
					  "\"%s\" is in no VM; begin each with [vm.NAME]",
					  value->key);
	if (!vms || vms->kind != HV_VALUE_TABLE || !vms->first)
		return hv_fail_at(err, vms ? vms->line : 0, EINVAL,
				  "there is no VM in it; begin each with [vm.NAME]");
	for (value = vms->first; value; value = value->next)
		count++;
	return count;
}

int hv_config_file_read_vms(struct hv_config_file *file, struct hv_config **configs,
			    struct hv_error *err)
{
	int count = count_vms(file, err), error = 0;
	struct hv_value *table;
	struct hv_config *config;

	if (count < 0)
		return count;
	*configs = config = calloc(count, sizeof(*config));
	if (!config)
		return no_memory(err);
	for (table = hv_value_find(file->root, "vm")->first; table && !error; table = table->next)
		error = read_vm(file, config++, table, err);
	if (!error)
		return count;
	free(*configs);
	*configs = NULL;
	return error;
}

char *hv_config_to_toml(const struct hv_config *config, struct hv_error *err)
{
	struct hv_value *root = hv_value_new();
	char *dir = get_current_dir_name(), *text = NULL;

	if (root && dir) {
		hv_config_write(config, dir, root);
		text = hv_value_to_toml(root);
	}
	hv_value_free(root);
	free(dir);
	if (!text)
		hv_fail(err, EINVAL,
			"a path or a text of the machine is no UTF-8; rename the file");
	return text;
}
