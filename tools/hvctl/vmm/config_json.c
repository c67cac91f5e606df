// SPDX-License-Identifier: GPL-2.0-only
/* A machine's configuration as JSON, which hvctl writes for itself: with a version. */
#include <errno.h>
#include <stdlib.h>

#include "config_keys.h"

char *hv_config_to_json(const struct hv_config *config)
{
	struct hv_value *root = hv_value_new();
	char *text;

	if (!root)
		return NULL;
	hv_value_add_integer(root, "version", HV_CONFIG_VERSION);
	hv_config_write(config, NULL, root);
	text = hv_value_to_json(root);
	hv_value_free(root);
	return text;
}

/* Its strings lie in @root. */
struct owned {
	struct hv_config config;
	struct hv_value *root;
};

static int read_root(struct owned *owned, struct hv_error *err)
{
	if (!hv_value_find(owned->root, "version"))
		return hv_fail(err, EPROTO, "it has no \"version\"; this one writes %d",
			       HV_CONFIG_VERSION);
	return hv_config_read(&owned->config, owned->root, NULL, err);
}

struct hv_config *hv_config_from_json(const char *text, struct hv_error *err)
{
	struct owned *owned = calloc(1, sizeof(*owned));

	if (!owned) {
		hv_fail(err, ENOMEM, "no memory for a configuration; close something");
		return NULL;
	}
	owned->config = (struct hv_config)HV_CONFIG_DEFAULT;
	owned->root = hv_value_from_json(text, err);
	if (owned->root && !read_root(owned, err))
		return &owned->config;
	hv_config_free(&owned->config);
	return NULL;
}

void hv_config_free(struct hv_config *config)
{
	struct owned *owned = (struct owned *)config;

	if (!config)
		return;
	hv_value_free(owned->root);
	free(owned);
}
