// SPDX-License-Identifier: GPL-2.0-only
/* Listening at a path or at a port. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "listener.h"
#include "socket.h"

/* 0: it is none */
static uint16_t parse_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long port = digits && digits <= 5 && !text[digits] ? strtoul(text, NULL, 10) : 0;

	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

int hv_address_parse(struct hv_address *address, const char *text, struct hv_error *err)
{
	static const char before[] = "unix:";

	*address = (struct hv_address){ .path = NULL };
	if (!strncmp(text, before, strlen(before))) {
		address->path = text + strlen(before);
		if (*address->path)
			return 0;
		return hv_fail(err, EINVAL, "no path; give one, like unix:/tmp/gdb");
	}
	address->port = parse_port(text);
	if (address->port)
		return 0;
	return hv_fail(err, EINVAL, "neither unix:PATH nor a port; give a path, or 1 to 65535");
}

/* ---------------------------------------------------------------------- open */

static int fail_path(const char *path, int error, struct hv_error *err)
{
	if (error == -EADDRINUSE)
		return hv_fail(err, EADDRINUSE, "somebody else has %s; give it a path of its own",
			       path);
	return hv_fail(err, -error, "no socket at %s: %s; give it another path", path,
		       strerror(-error));
}

static int fail_port(unsigned int port, int error, struct hv_error *err)
{
	if (error == -EADDRINUSE)
		return hv_fail(err, EADDRINUSE, "somebody else has port %u; give it another", port);
	return hv_fail(err, -error, "no socket at port %u: %s; give it another, or unix:PATH", port,
		       strerror(-error));
}

int hv_listener_open(struct hv_listener *listener, const struct hv_address *address,
		     struct hv_error *err)
{
	const char *path = address->path;
	int fd = path ? hv_socket_listen_at(path) : hv_socket_listen_at_port(address->port);
	struct stat file;

	if (fd < 0)
		return path ? fail_path(path, fd, err) : fail_port(address->port, fd, err);
	*listener = (struct hv_listener){ .fd = fd, .address = *address };
	if (path && !lstat(path, &file)) {
		listener->dev = file.st_dev;
		listener->ino = file.st_ino;
	}
	return 0;
}

void hv_listener_warn(const struct hv_listener *listener, const char *command)
{
	if (!listener->address.path)
		fprintf(stderr,
			"%s: port %u: every user of this host can connect, and owns the guest then\n",
			command, listener->address.port);
}

/* --------------------------------------------------------------------- serve */

int hv_listener_accept(const struct hv_listener *listener, pid_t *pid)
{
	int fd = hv_socket_accept(listener->fd);

	*pid = 0;
	if (fd < 0 || !listener->address.path || hv_socket_is_friend(fd, pid))
		return fd;
	close(fd);
	return -EPERM;
}

/* --------------------------------------------------------------------- close */

void hv_listener_remove(const struct hv_listener *listener)
{
	const char *path = listener->address.path;
	struct stat file;

	if (listener->fd < 0 || !path)
		return;
	if (!lstat(path, &file) && (file.st_dev != listener->dev || file.st_ino != listener->ino))
		return;
	unlink(path);
}

void hv_listener_close(struct hv_listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}
