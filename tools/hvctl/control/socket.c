// SPDX-License-Identifier: GPL-2.0-only
/* Control sockets: made, reached, and who is at the other end. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

static int make(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

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
	int fd = make(AF_UNIX);

	if (fd < 0)
		return fd;
	/* The file gets the socket's mode. */
	if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)at, sizeof(*at)) || listen(fd, BACKLOG))
		return fail(fd);
	return fd;
}

static int connect_to(const struct sockaddr_un *at)
{
	int fd = make(AF_UNIX);

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

static int address_of(struct sockaddr_un *at, const char *path)
{
	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(at->sun_path))
		return -ENAMETOOLONG;
	strcpy(at->sun_path, path);
	return 0;
}

/* Nobody listens at a socket that refuses connections. */
static bool is_stale(const char *path)
{
	struct sockaddr_un at;
	struct stat file;
	int fd;

	if (lstat(path, &file) || !S_ISSOCK(file.st_mode) || address_of(&at, path))
		return false;
	fd = connect_to(&at);
	if (fd >= 0)
		close(fd);
	return fd == -ECONNREFUSED;
}

/*
 * Out of the way first: another one may have seen the same, and have put its own there meanwhile,
 * which goes back.
 */
static void remove_stale(const char *path)
{
	char aside[PATH_MAX];

	snprintf(aside, sizeof(aside), "%s.%d", path, getpid());
	if (!is_stale(path) || renameat2(AT_FDCWD, path, AT_FDCWD, aside, RENAME_NOREPLACE))
		return;
	if (is_stale(aside) || renameat2(AT_FDCWD, aside, AT_FDCWD, path, RENAME_NOREPLACE))
		unlink(aside);
}

int hv_socket_listen_at(const char *path)
{
	struct sockaddr_un at;
	int fd = address_of(&at, path);

	if (fd)
		return fd;
	fd = listen_at(&at);
	if (fd != -EADDRINUSE)
		return fd;
	remove_stale(path);
	return listen_at(&at);
}

int hv_socket_listen_at_port(uint16_t port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int yes = 1;
	int fd = make(AF_INET);

	if (fd < 0)
		return fd;
	/* Who came before may still have the port; packets are short and waited for. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) || listen(fd, BACKLOG))
		return fail(fd);
	return fd;
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
