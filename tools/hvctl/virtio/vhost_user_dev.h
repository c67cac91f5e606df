/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio device whose rings a daemon serves by vhost-user: what all kinds of them have in common.
 *
 * When the daemon ends, hangs or is wrong the user is told, and the device asks for a reset; the VM
 * lives. When the driver has reset it, and starts it again, a daemon is looked for once more.
 *
 * A daemon that hangs still has the guest's memory: a reset is over when that one has gone.
 */
#ifndef HV_VIRTIO_VHOST_USER_DEV_H
#define HV_VIRTIO_VHOST_USER_DEV_H

#include "table.h"
#include "vhost_user.h"

/**
 * struct hv_vhost_user_role - what the daemon is to the guest
 * @features: of this kind of device: those that the daemon has of them are offered ...
 * @own: ... with these, which are not the daemon's concern
 * @config_len: of the configuration space, as the daemon has it; 0: it is ours
 * @writable: byte of that which the driver may write; 0: none
 * @adjust: change what the daemon says to what the device has; `lock` is held. May be NULL
 */
struct hv_vhost_user_role {
	uint64_t features, own;
	uint32_t config_len;
	unsigned int writable;
	void (*adjust)(const struct hv_virtio *virtio, uint8_t *config);
};

/**
 * struct hv_vhost_user_source - where the daemon comes from
 * @connect: a new connection to it: a file descriptor or -errno
 * @lost: the connection is closed for good; @why has a line of @room bytes, to which it may add
 *	what it knows. Returns a file that ends with the daemon, and is the caller's; -1: there is
 *	none, or it has ended. May be NULL: then the connection itself is that file
 */
struct hv_vhost_user_source {
	int (*connect)(void *ctx, struct hv_error *err);
	int (*lost)(void *ctx, char *why, size_t room);
	void *ctx;
};

struct hv_vhost_user_dev {
	struct hv_virtio virtio;	/* first: the kinds' calls get it */
	struct hv_vhost_user peer;
	struct hv_vhost_user_role role;
	struct hv_vhost_user_source source;
	const struct hv_memory *memory;
	void (*note)(void *ctx, const char *text);	/* as of struct hv_virtio_env */
	void *note_ctx;
	char *label;			/* what the user calls it */
	bool made;			/* @virtio is there */
	struct hv_watch watch, channel;
	struct hv_watch stray;		/* ends with a daemon that we have lost; fd -1: none */
	struct hv_job write_job;	/* tell the daemon what the driver has written */
	uint64_t retry_ns, pause_ns;	/* no new connection before; and to wait after that */
};

/**
 * hv_vhost_user_dev_init() - connect, and make the device
 * @dev: filled in; its queues are still missing
 * @kind: made of the functions below
 * @env: the machine
 * @role: what is to be had of the daemon
 * @source: the daemon
 * @label: for messages; copied
 * @err: filled in on failure
 *
 * Returns 0 or -errno. hv_vhost_user_dev_exit() undoes it, also after a failure.
 */
int hv_vhost_user_dev_init(struct hv_vhost_user_dev *dev, const struct hv_virtio_kind *kind,
			   const struct hv_virtio_env *env, const struct hv_vhost_user_role *role,
			   const struct hv_vhost_user_source *source, const char *label,
			   struct hv_error *err);
/* Queues, which the daemon must have. Returns 0 or -errno. */
int hv_vhost_user_dev_add_queues(struct hv_vhost_user_dev *dev, unsigned int count, uint16_t size,
				 struct hv_error *err);
void hv_vhost_user_dev_exit(struct hv_vhost_user_dev *dev);

/* For struct hv_virtio_kind, with .elsewhere. */
int hv_vhost_user_dev_start(struct hv_virtio *virtio);
void hv_vhost_user_dev_stop(struct hv_virtio *virtio, bool reset);
void hv_vhost_user_dev_stop_queue(struct hv_virtio *virtio, unsigned int n);
void hv_vhost_user_dev_kick(struct hv_virtio *virtio, unsigned int n);
void hv_vhost_user_dev_rewired(struct hv_virtio *virtio);
void hv_vhost_user_dev_write_config(struct hv_virtio *virtio, unsigned int offset,
				    unsigned int width, uint32_t value);

#endif
