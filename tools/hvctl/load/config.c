// SPDX-License-Identifier: GPL-2.0-only
/* What is to be loaded, and how. */
#include <stddef.h>
#include <string.h>

#include "config.h"

const char *const hv_mode_names[] = {
	[HV_MODE_DEFAULT] = "default",
	[HV_MODE_REAL] = "real",
	[HV_MODE_PROTECTED] = "protected",
	[HV_MODE_LONG] = "long",
	NULL
};

const char *hv_mode_name(enum hv_mode mode)
{
	return hv_mode_names[mode];
}

bool hv_mode_find(const char *name, enum hv_mode *mode)
{
	for (enum hv_mode i = HV_MODE_REAL; i <= HV_MODE_LONG; i++)
		if (!strcmp(name, hv_mode_names[i])) {
			*mode = i;
			return true;
		}
	return false;
}

const char *hv_payload_config_who_said(const struct hv_payload_config *config)
{
	if (config->cmdline && config->append)
		return "--cmdline or --append";
	return config->cmdline ? "--cmdline" : "--append";
}

bool hv_payload_config_add_initrd(struct hv_payload_config *config, const char *path)
{
	if (config->initrds == HV_PAYLOAD_MAX_MODULES)
		return false;
	config->initrd[config->initrds++] = path;
	return true;
}

bool hv_payload_config_add_fw_file(struct hv_payload_config *config, const char *name,
				   const char *path)
{
	if (config->fw_files == HV_PAYLOAD_MAX_FW_FILES)
		return false;
	config->fw_file[config->fw_files++] = (struct hv_fw_file_config){ name, path };
	return true;
}
