/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libslirp, which is loaded when somebody wants it: with it comes GLib, and both together are a
 * third of what an hvctl without them has in memory.
 */
#ifndef HV_VIRTIO_NET_SLIRP_LIB_H
#define HV_VIRTIO_NET_SLIRP_LIB_H

#include <slirp/libslirp.h>

#include "lib/error.h"

/* What is used of it. */
struct hv_slirp {
	__typeof__(slirp_new) *create;
	__typeof__(slirp_cleanup) *cleanup;
	__typeof__(slirp_input) *input;
	__typeof__(slirp_pollfds_fill) *pollfds_fill;
	__typeof__(slirp_pollfds_poll) *pollfds_poll;
	__typeof__(slirp_add_hostfwd) *add_hostfwd;
};

/* NULL: it is not there. It stays for as long as the process. */
const struct hv_slirp *hv_slirp_load(struct hv_error *err);

#endif
