// SPDX-License-Identifier: GPL-2.0-only
/* The socket to a daemon: it is never waited for longer than until a deadline. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/fds.h"
#include "lib/loop.h"
#include "lib/util.h"
#include "vhost_user.h"
#include "vhost_user_socket.h"

int hv_vhost_user_wait(int fd, short events, uint64_t deadline)
{
	struct pollfd poller = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = hv_monotonic_ns();
		int left = now < deadline ? (int)((deadline - now + 999999) / 1000000) : 0;
		int ready = poll(&poller, 1, left);

		if (ready > 0)
			return 0;
		if (!ready)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

int hv_vhost_user_send(int fd, const void *data, size_t len, const int *fds, unsigned int nr_fds,
		       uint64_t deadline)
{
	const char *at = data;

	while (len) {
		ssize_t sent = hv_send_fds(fd, at, len, fds, nr_fds, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent > 0) {
			at += sent;
			len -= sent;
			nr_fds = 0;
		} else if (errno == EAGAIN) {
			int error = hv_vhost_user_wait(fd, POLLOUT, deadline);

			if (error)
				return error;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int hv_vhost_user_receive(int fd, void *data, size_t len, uint64_t deadline)
{
	char *at = data;

	while (len) {
		int error = hv_vhost_user_wait(fd, POLLIN, deadline);
		ssize_t got;

		if (error)
			return error;
		got = recv(fd, at, len, MSG_DONTWAIT);
		if (!got)
			return -EPIPE;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return errno == ECONNRESET ? -EPIPE : -errno;
		if (got > 0) {
			at += got;
			len -= got;
		}
	}
	return 0;
}

int hv_vhost_user_connect(const char *path, int timeout_ms, struct hv_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	/* A daemon that hangs takes no connection; connect() waits as long as send() may. */
	const struct timeval timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return hv_fail(err, ENAMETOOLONG, "%s: a socket's path has up to %zu bytes", path,
			       sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return hv_fail(err, errno, "no socket: %s; close something, or raise ulimit -n",
			       strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	error = errno;
	close(fd);
	if (error == ECONNREFUSED)
		return hv_fail(err, error, "%s: nobody listens there; start the daemon first",
			       path);
	if (error == EAGAIN)
		return hv_fail(err, ETIMEDOUT,
			       "%s: the daemon takes no connection; does it serve another VM?",
			       path);
	return hv_fail(err, error, "%s: %s; is it the socket of a daemon that runs?", path,
		       strerror(error));
}
