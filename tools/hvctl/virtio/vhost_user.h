/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The front-end's half of the vhost-user protocol: another program, the daemon, serves the rings of
 * a virtio device, in guest RAM that it gets as a memfd. QEMU's "Vhost-user Protocol" defines it.
 *
 * The daemon is a process beside us, that may end, hang or be wrong at any time: all that it is
 * asked for one purpose has a deadline, what it answers is checked, and after the first thing that
 * goes wrong the connection is closed. One thread at a time.
 */
#ifndef HV_VIRTIO_VHOST_USER_H
#define HV_VIRTIO_VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/memory.h"
#include "queue.h"

/* Protocol features that we know a use for, as bits. */
#define HV_VHOST_USER_MQ	(1ull << 0)	/* says how many queues it has */
#define HV_VHOST_USER_REPLY_ACK	(1ull << 3)	/* says of each request whether it went well */
#define HV_VHOST_USER_CHANNEL	(1ull << 5)	/* has requests for us, too */
#define HV_VHOST_USER_CONFIG	(1ull << 9)	/* knows the configuration space */

#define HV_VHOST_USER_TIMEOUT_MS 5000

/**
 * struct hv_vhost_user - a daemon that we are connected to
 * @fd: of the connection; -1: there is none
 * @left: what becomes of a connection that was closed while the daemon had rings: our half of it
 *	is closed, and when the daemon has closed its own, too, it serves no more. Else -1
 * @channel: its requests for us come here; -1: it has none
 * @timeout_ms: how long it may take for all that it is asked for one purpose ...
 * @deadline_ns: ... that is until then, see hv_vhost_user_begin()
 * @features: virtio's, that it has
 * @protocol: of HV_VHOST_USER_*, what both have
 * @queues: that it has, at the most; UINT_MAX: it does not say
 * @rings: that it serves now: a bit each
 */
struct hv_vhost_user {
	int fd, left, channel;
	int timeout_ms;
	uint64_t deadline_ns;
	uint64_t features, protocol;
	unsigned int queues;
	uint32_t rings;
};

#define HV_VHOST_USER_NONE                                                            \
	{                                                                             \
		.fd = -1, .left = -1, .channel = -1, .timeout_ms = HV_VHOST_USER_TIMEOUT_MS \
	}

/*
 * What is asked next has a purpose of its own, to start or to stop a device, say: who answers each
 * message in time may still not take as long as there are messages.
 */
void hv_vhost_user_begin(struct hv_vhost_user *peer);

/*
 * All return 0 or -errno. On failure @err says in one line what the daemon did wrong, -EPIPE being
 * that it has ended, and the connection is closed: @fd is -1, @left may have what is left of it.
 */

/**
 * hv_vhost_user_connect() - connect to a daemon that listens
 * @path: of its socket
 * @timeout_ms: to wait at the most
 * @err: filled in on failure
 *
 * Returns the file descriptor or -errno.
 */
int hv_vhost_user_connect(const char *path, int timeout_ms, struct hv_error *err);

/**
 * hv_vhost_user_open() - begin to talk, with a deadline from now on
 * @peer: HV_VHOST_USER_NONE; filled in
 * @fd: a connection to it, which is ours from here on
 * @wanted: protocol features to agree upon, if it has them
 * @err: filled in on failure
 */
int hv_vhost_user_open(struct hv_vhost_user *peer, int fd, uint64_t wanted, struct hv_error *err);
void hv_vhost_user_close(struct hv_vhost_user *peer);

/* The virtio features that the driver has chosen, and guest RAM: before the first ring. */
int hv_vhost_user_set_features(struct hv_vhost_user *peer, uint64_t features, struct hv_error *err);
int hv_vhost_user_set_memory(struct hv_vhost_user *peer, const struct hv_memory *memory,
			     struct hv_error *err);

/* Have it serve ring @n, which is up and split, from where it stands. */
int hv_vhost_user_start_ring(struct hv_vhost_user *peer, unsigned int n,
			     const struct hv_vqueue *ring, struct hv_error *err);
/* Have it serve it no more; @avail: of the ring: it stands there, with nothing in flight. */
int hv_vhost_user_stop_ring(struct hv_vhost_user *peer, unsigned int n, uint16_t *avail,
			    struct hv_error *err);
/* The driver is to be interrupted by that eventfd; -1: not at all. */
int hv_vhost_user_set_call(struct hv_vhost_user *peer, unsigned int n, int fd,
			   struct hv_error *err);

/* The first @len bytes of the configuration space, up to HV_VIRTIO_CONFIG. */
int hv_vhost_user_get_config(struct hv_vhost_user *peer, void *config, uint32_t len,
			     struct hv_error *err);
/* The driver has written @len bytes at byte @offset. */
int hv_vhost_user_set_config(struct hv_vhost_user *peer, uint32_t offset, const void *data,
			     uint32_t len, struct hv_error *err);

/*
 * There is something to be read from the connection, though nothing was asked: it has ended, or
 * talks out of turn. Always a failure.
 */
int hv_vhost_user_look(struct hv_vhost_user *peer, struct hv_error *err);

/* A request of its own has come by the channel: 1: its configuration space has changed; 0: none. */
int hv_vhost_user_serve(struct hv_vhost_user *peer, struct hv_error *err);

#endif
