// SPDX-License-Identifier: GPL-2.0-only
/* Standard streams: transfers that wait for nobody. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream.h"

/* Standard streams whose description we share and have changed; a crash handler looks here. */
static volatile sig_atomic_t shared[STDERR_FILENO + 1];

static void set_nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

/* Do its transfers wait for others, as they are? */
static bool may_wait(int fd, const struct stat *st)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !(flags & O_NONBLOCK) &&
	       (S_ISFIFO(st->st_mode) || (S_ISCHR(st->st_mode) && isatty(fd)));
}

/* The description of our own, or -1: there is no /proc, or the terminal is another user's. */
static int open_again(int fd, bool write)
{
	char path[32];

	/* The master of a pseudo-terminal: that would be another one. */
	if (!ptsname_r(fd, path, sizeof(path)))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, (write ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void hv_stream_open(struct hv_stream *stream, int fd, bool write)
{
	struct stat st;
	int own;

	*stream = (struct hv_stream){ .fd = fd };
	if (fd < 0 || fstat(fd, &st))
		return;
	stream->socket = S_ISSOCK(st.st_mode);
	if (!may_wait(fd, &st))
		return;
	own = open_again(fd, write);
	if (own >= 0) {
		stream->fd = own;
		stream->own = true;
		return;
	}
	set_nonblocking(fd, true);
	if (fd <= STDERR_FILENO)
		shared[fd] = true;
}

void hv_stream_close(struct hv_stream *stream)
{
	if (stream->own) {
		close(stream->fd);
	} else if (stream->fd >= 0 && stream->fd <= STDERR_FILENO && shared[stream->fd]) {
		set_nonblocking(stream->fd, false);
		shared[stream->fd] = false;
	}
	*stream = (struct hv_stream){ .fd = -1 };
}

ssize_t hv_stream_read(const struct hv_stream *stream, void *buf, size_t len)
{
	if (stream->socket)
		return recv(stream->fd, buf, len, MSG_DONTWAIT);
	return read(stream->fd, buf, len);
}

ssize_t hv_stream_write(const struct hv_stream *stream, const void *buf, size_t len)
{
	if (stream->socket)
		return send(stream->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(stream->fd, buf, len);
}

void hv_stream_lend_shared(bool to_others)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (shared[fd])
			set_nonblocking(fd, !to_others);
}
