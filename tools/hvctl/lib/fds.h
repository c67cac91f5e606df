/* SPDX-License-Identifier: GPL-2.0-only */
/* File descriptors that go to another process with a message. */
#ifndef HV_LIB_FDS_H
#define HV_LIB_FDS_H

#include <sys/types.h>

/* With one message, at the most. */
#define HV_FDS_MAX 8

/*
 * As send(), by a Unix socket: @nr_fds of @fds go with the first byte, and stay ours, too. None: it
 * is send() and no more.
 */
ssize_t hv_send_fds(int socket, const void *data, size_t len, const int *fds, unsigned int nr_fds,
		    int flags);

/*
 * As recv(), by a Unix socket, with a descriptor that has come along: @fd, which is the caller's
 * and goes to no program; else -1. More than one with a message are lost.
 */
ssize_t hv_receive_fd(int socket, void *data, size_t len, int *fd, int flags);

#endif
