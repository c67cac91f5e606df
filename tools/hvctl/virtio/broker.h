/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that gets connections to a daemon for us: it starts virtiofsd, or connects to a socket.
 * We may do neither once the sandbox has closed (lib/sandbox.h), and a guest that resets its device
 * wants another one then. It was made before, knows one daemon, and does nothing else.
 */
#ifndef HV_VIRTIO_BROKER_H
#define HV_VIRTIO_BROKER_H

#include <sys/types.h>

#include "vhost_user_dev.h"

/**
 * struct hv_broker - the process
 * @pid: -1: there is none
 * @fd: a socket to it
 * @source: what it does, in its own memory
 * @log: what it listens to meanwhile; NULL: to nothing
 */
struct hv_broker {
	pid_t pid;
	int fd;
	struct hv_vhost_user_source source;
	struct hv_watch *log;
};

#define HV_BROKER_NONE { .pid = -1, .fd = -1 }

/*
 * Make the process; @broker->source, and @broker->log if there is one, are filled in. It ends with
 * us. Returns 0 or -errno. hv_broker_exit() in any case.
 */
int hv_broker_start(struct hv_broker *broker, struct hv_error *err);
void hv_broker_exit(struct hv_broker *broker);

/* As in struct hv_vhost_user_source, by the process; @ctx is the broker. */
int hv_broker_connect(void *ctx, struct hv_error *err);
int hv_broker_lost(void *ctx, char *why, size_t room);

#endif
