// SPDX-License-Identifier: GPL-2.0-only
/* vhost-net. */
#include <errno.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>

#include "net_vhost.h"

#define RINGS 2	/* of a pair */

int hv_net_vhost_open(struct hv_vhost *vhost, unsigned int pairs, struct hv_error *err)
{
	int error = 0;

	for (unsigned int pair = 0; pair < pairs; pair++)
		vhost[pair] = (struct hv_vhost){ .fd = -1, .err_fd = -1 };
	for (unsigned int pair = 0; pair < pairs && !error; pair++)
		error = hv_vhost_open(&vhost[pair], "/dev/vhost-net", err);
	return error;
}

void hv_net_vhost_close(struct hv_vhost *vhost, unsigned int pairs)
{
	for (unsigned int pair = 0; pair < pairs; pair++)
		hv_vhost_close(&vhost[pair]);
}

void hv_net_vhost_bind(struct hv_vhost *vhost, unsigned int pairs, struct hv_virtio *dev)
{
	for (unsigned int pair = 0; pair < pairs; pair++)
		hv_vhost_bind(&vhost[pair], dev, RINGS * pair, RINGS);
}

/* A ring begins to work with a tap behind it, and ends without. */
static int connect_to(const struct hv_vhost *vhost, int tap)
{
	int error = 0;

	for (unsigned int index = 0; index < RINGS; index++) {
		struct vhost_vring_file file = { .index = index, .fd = tap };

		if (hv_virtio_ring(vhost->dev, vhost->first + index)->up &&
		    ioctl(vhost->fd, VHOST_NET_SET_BACKEND, &file) < 0)
			error = -errno;
	}
	return error;
}

int hv_net_vhost_start(struct hv_vhost *vhost, unsigned int pairs, const int *taps)
{
	int error = 0;

	for (unsigned int pair = 0; pair < pairs && !error; pair++) {
		error = hv_vhost_start(&vhost[pair]);
		if (!error)
			error = connect_to(&vhost[pair], taps[pair]);
	}
	if (error)
		hv_net_vhost_stop(vhost, pairs);
	return error;
}

void hv_net_vhost_stop(struct hv_vhost *vhost, unsigned int pairs)
{
	for (unsigned int pair = 0; pair < pairs; pair++) {
		connect_to(&vhost[pair], VHOST_FILE_UNBIND);
		hv_vhost_stop(&vhost[pair]);
	}
}

void hv_net_vhost_rewired(const struct hv_vhost *vhost, unsigned int pairs)
{
	for (unsigned int pair = 0; pair < pairs; pair++)
		hv_vhost_rewired(&vhost[pair]);
}
