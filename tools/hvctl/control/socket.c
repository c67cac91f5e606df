// SPDX-License-Identifier: GPL-2.0-only
/* Control sockets: made, reached, and who is at the other end. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "claim.h"
#include "socket.h"

#define BACKLOG 16

/* By the open directory: its path may be longer than an address, and change meanwhile. */
static struct sockaddr_un address(const struct hv_runtime_dir *dir, const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	_Static_assert(sizeof("/proc/self/fd/2147483647/.sock") + HV_NAME_MAX <=
			       sizeof(at.sun_path),
		       "the longest");
	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/%.*s.sock", dir->fd,
		 HV_NAME_MAX, name);
	return at;
}

static int make(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int fail(int fd)
{
	int error = -errno;

	close(fd);
	return error;
}

static int listen_at(const struct sockaddr_un *at)
{
	int fd = make();

	if (fd < 0)
		return fd;
	/* The file gets the socket's mode. */
	if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)at, sizeof(*at)) || listen(fd, BACKLOG))
		return fail(fd);
	return fd;
}

static int connect_to(const struct sockaddr_un *at)
{
	int fd = make();

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)at, sizeof(*at)))
		return fail(fd);
	return fd;
}

int hv_socket_listen(const struct hv_runtime_dir *dir, const char *name)
{
	struct sockaddr_un at = address(dir, name);

	return listen_at(&at);
}

/* Nobody listens at a socket that refuses connections. */
static bool is_stale(const struct sockaddr_un *at)
{
	int fd = connect_to(at);

	if (fd >= 0)
		close(fd);
	return fd == -ECONNREFUSED;
}

int hv_socket_listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat file;
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	strcpy(at.sun_path, path);
	fd = listen_at(&at);
	if (fd != -EADDRINUSE || lstat(path, &file) || !S_ISSOCK(file.st_mode) || !is_stale(&at))
		return fd;
	unlink(path);
	return listen_at(&at);
}

int hv_socket_connect(const struct hv_runtime_dir *dir, const char *name)
{
	struct sockaddr_un at = address(dir, name);

	return connect_to(&at);
}

int hv_socket_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

bool hv_socket_is_friend(int fd, pid_t *pid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	if (pid)
		*pid = peer.pid;
	return peer.uid == geteuid() || !peer.uid;
}
