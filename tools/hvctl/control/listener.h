/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a VM listens besides its control socket: a socket at a path, or a port of this host. */
#ifndef HV_CONTROL_LISTENER_H
#define HV_CONTROL_LISTENER_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

struct hv_address {
	const char *path;		/* NULL: @port of 127.0.0.1 */
	uint16_t port;
};

struct hv_listener {
	int fd;				/* -1: it does not listen */
	struct hv_address address;
	dev_t dev;			/* the path's file, ... */
	ino_t ino;			/* ... when it was made */
};

/**
 * hv_address_parse() - read an address
 * @address: filled in; its path is a part of @text
 * @text: "unix:PATH", or a port, 1 to 65535
 * @err: filled in on failure
 *
 * Returns 0 or -EINVAL.
 */
int hv_address_parse(struct hv_address *address, const char *text, struct hv_error *err);

/**
 * hv_listener_open() - listen
 * @listener: filled in
 * @address: where; its path stays the caller's. The socket there has mode 0600; what a process that
 *	was killed has left there goes
 * @err: filled in on failure, but for its subject
 *
 * Returns 0 or -errno.
 */
int hv_listener_open(struct hv_listener *listener, const struct hv_address *address,
		     struct hv_error *err);

/*
 * The next that has come, which does not block, and its process; 0: the port does not tell. Or
 * -errno: -EAGAIN if there is none any more, -EPERM if it was somebody else's and was closed.
 */
int hv_listener_accept(const struct hv_listener *listener, pid_t *pid);

/* On standard error, of a port: who may come there. */
void hv_listener_warn(const struct hv_listener *listener, const char *command);

/*
 * Its file goes, if it is still ours as far as one may look, which the sandbox forbids. Safe in a
 * signal's handler.
 */
void hv_listener_remove(const struct hv_listener *listener);

/* Remove it first: while somebody listens there nobody else takes the path. */
void hv_listener_close(struct hv_listener *listener);

#endif
