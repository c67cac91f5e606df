/* SPDX-License-Identifier: GPL-2.0-only */
/* Control sockets: Unix streams in the runtime directory, between processes of one user. */
#ifndef HV_CONTROL_SOCKET_H
#define HV_CONTROL_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime_dir.h"

/* NAME.sock, mode 0600, which is not there yet: the socket, which does not block; or -errno. */
int hv_socket_listen(const struct hv_runtime_dir *dir, const char *name);

/*
 * The same, anywhere; what a process that was killed has left there goes. -EADDRINUSE: somebody
 * listens there, or it is no socket; -ENAMETOOLONG: that is no address.
 */
int hv_socket_listen_at(const char *path);

/* The same at a port of 127.0.0.1, which every user of this host can reach. */
int hv_socket_listen_at_port(uint16_t port);

/* To who listens there; does not wait. Or -errno. */
int hv_socket_connect(const struct hv_runtime_dir *dir, const char *name);

/* The next that has come, which does not block; or -errno. */
int hv_socket_accept(int listener);

/* Is the other side ours, or root's? @pid: its process, may be NULL. */
bool hv_socket_is_friend(int fd, pid_t *pid);

#endif
