// SPDX-License-Identifier: GPL-2.0-only
/* "--net": which backend it is to be. */
#include "net_backends.h"
#include "net_row.h"

int hv_net_check(const char *text, struct hv_error *err)
{
	struct hv_net_options options;
	int error = hv_net_options_parse(&options, text, err);

	hv_net_options_end(&options);
	return error;
}

struct hv_virtio *hv_net_create(const struct hv_virtio_env *env, const char *text,
				struct hv_error *err)
{
	struct hv_net_options options;
	struct hv_virtio *dev = NULL;

	if (!hv_net_options_parse(&options, text, err)) {
		if (!options.has_mac)
			hv_net_mac(env->name, "net", env->index, options.mac);
		dev = (options.tap ? hv_net_tap_create : hv_net_user_create)(env, &options, err);
	}
	hv_net_options_end(&options);
	return dev;
}
