// SPDX-License-Identifier: GPL-2.0-only
/* Any text as a file for --config; what is taken is written and read again. */
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "vmm/config_file.h"
#include "vmm/config_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hv_value *read_config(struct hv_config *config, const char *text, size_t size)
{
	struct hv_error err;
	struct hv_value *root = hv_value_from_toml(text, size, &err);

	*config = (struct hv_config)HV_CONFIG_DEFAULT;
	if (!root || !hv_config_read(config, root, "/dir", &err))
		return root;
	hv_value_free(root);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hv_config config, again;
	struct hv_value *root = read_config(&config, (const char *)data, size), *other;
	struct hv_error err;
	char *text, *second;

	if (!root)
		return 0;
	text = hv_config_to_toml(&config, &err);
	if (!text)
		abort();
	other = read_config(&again, text, strlen(text));
	second = other ? hv_config_to_toml(&again, &err) : NULL;
	if (!second || strcmp(text, second))
		abort();
	hv_value_free(other);
	hv_value_free(root);
	free(second);
	free(text);
	return 0;
}
