// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets between the host and the guest (AF_VSOCK): the host's kernel serves them, by vhost_vsock.
 * Virtio 1.2, "Socket Device".
 *
 * Of its queues the kernel has two. The third is for events, of which there is one, that all
 * connections are gone; here they live as long as the device, so there is nothing to tell.
 */
#include <errno.h>
#include <linux/vhost.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_vsock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/options.h"
#include "vhost.h"
#include "vsock.h"

#define DEVICE	   "/dev/vhost-vsock"
#define QUEUES	   3
#define BY_KERNEL  2
#define QUEUE_SIZE 256

/* 0 to 2 are the hypervisor's, a local one and the host's; the last is "any". */
#define CID_MIN 3
#define CID_MAX 0xfffffffeull

struct vsock {
	struct hv_virtio dev;		/* first */
	struct hv_vhost vhost;
	bool made;
};

static struct vsock *vsock_of(struct hv_virtio *dev)
{
	return (struct vsock *)dev;
}

/* --------------------------------------------------------------- the device */

static int set_running(const struct vsock *vsock, int running)
{
	return ioctl(vsock->vhost.fd, VHOST_VSOCK_SET_RUNNING, &running) < 0 ? -errno : 0;
}

static void vsock_stop(struct hv_virtio *dev, bool reset)
{
	struct vsock *vsock = vsock_of(dev);

	(void)reset;
	(void)set_running(vsock, 0);
	hv_vhost_stop(&vsock->vhost);
}

/* The kernel takes kicks from when it has a ring, and forgets those that come before it runs. */
static void kick_again(struct hv_virtio *dev)
{
	for (unsigned int n = 0; n < BY_KERNEL; n++)
		hv_vqueue_kick(hv_virtio_ring(dev, n));
}

static int vsock_start(struct hv_virtio *dev)
{
	struct vsock *vsock = vsock_of(dev);
	int error;

	/* It would go on with the rings of a driver before. */
	if (!hv_virtio_ring(dev, 0)->up || !hv_virtio_ring(dev, 1)->up)
		return -EINVAL;
	error = hv_vhost_start(&vsock->vhost);
	error = error ?: set_running(vsock, 1);
	if (error)
		vsock_stop(dev, false);
	else
		kick_again(dev);
	return error;
}

static void vsock_rewired(struct hv_virtio *dev)
{
	hv_vhost_rewired(&vsock_of(dev)->vhost);
}

static void vsock_destroy(struct hv_virtio *dev)
{
	struct vsock *vsock = vsock_of(dev);

	if (vsock->made)
		hv_virtio_exit(dev);
	hv_vhost_close(&vsock->vhost);
	free(vsock);
}

static const struct hv_virtio_kind vsock_kind = {
	.name = "vsock",
	.id = VIRTIO_ID_VSOCK,
	.class_code = 0x078000,
	.start = vsock_start,
	.stop = vsock_stop,
	.rewired = vsock_rewired,
	.destroy = vsock_destroy,
	.elsewhere = true,
};

/* ----------------------------------------------------------------- options */

static const struct hv_option keys[] = { HV_OPTIONS_END };

static int parse(const char *text, uint64_t *cid, struct hv_error *err)
{
	struct hv_options options;
	int result = hv_options_begin(&options, text, "CID", keys, err);

	if (!result) {
		const char *first = options.first;
		bool is_number = strlen(first) < 11 && !first[strspn(first, "0123456789")];

		*cid = is_number ? strtoull(first, NULL, 10) : 0;
		result = hv_options_next(&options, err);
		if (!result && (*cid < CID_MIN || *cid > CID_MAX))
			result = hv_fail(
				err, EINVAL,
				"CID %s: it must be a number from %d to %llu; 2 is the host", first,
				CID_MIN, CID_MAX);
	}
	hv_options_end(&options);
	return result;
}

int hv_virtio_vsock_check(const char *text, struct hv_error *err)
{
	uint64_t cid;

	return parse(text, &cid, err);
}

static int take_cid(const struct vsock *vsock, uint64_t cid, struct hv_error *err)
{
	if (!ioctl(vsock->vhost.fd, VHOST_VSOCK_SET_GUEST_CID, &cid))
		return 0;
	if (errno == EADDRINUSE)
		return hv_fail(err, EADDRINUSE, "CID %llu is another VM's; take another one",
			       (unsigned long long)cid);
	return hv_fail(err, errno, "CID %llu: %s; take another one", (unsigned long long)cid,
		       strerror(errno));
}

static int init(struct vsock *vsock, const struct hv_virtio_env *env, uint64_t cid,
		struct hv_error *err)
{
	const struct virtio_vsock_config config = { .guest_cid = cid };
	int error = hv_vhost_open(&vsock->vhost, DEVICE, err);

	error = error ?: take_cid(vsock, cid, err);
	if (error)
		return error;
	error = hv_virtio_init(&vsock->dev, &vsock_kind, env->memory,
			       hv_vhost_ring_features(&vsock->vhost) |
				       (vsock->vhost.features & 1ull << VIRTIO_VSOCK_F_SEQPACKET),
			       err);
	if (error)
		return error;
	vsock->made = true;
	for (unsigned int n = 0; n < QUEUES && !error; n++)
		error = hv_virtio_add_queue(&vsock->dev, QUEUE_SIZE, err);
	if (error)
		return error;
	hv_vhost_bind(&vsock->vhost, &vsock->dev, 0, BY_KERNEL);
	hv_virtio_set_config(&vsock->dev, 0, &config, sizeof(config));
	return 0;
}

struct hv_virtio *hv_virtio_vsock_create(const struct hv_virtio_env *env, const char *text,
					 struct hv_error *err)
{
	struct vsock *vsock;
	uint64_t cid;

	if (parse(text, &cid, err))
		return NULL;
	vsock = calloc(1, sizeof(*vsock));
	if (!vsock) {
		hv_fail(err, ENOMEM, "no memory for a device; close something");
		return NULL;
	}
	if (!init(vsock, env, cid, err))
		return &vsock->dev;
	vsock_destroy(&vsock->dev);
	return NULL;
}
