/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers of the host's kernel for the guest: for the table of devices. */
#ifndef HV_VIRTIO_RNG_H
#define HV_VIRTIO_RNG_H

#include "table.h"

struct hv_virtio *hv_virtio_rng_create(const struct hv_virtio_env *env, const char *options,
				       struct hv_error *err);

#endif
