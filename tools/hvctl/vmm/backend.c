// SPDX-License-Identifier: GPL-2.0-only
/* What consoles and serial ports are connected to. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "lib/util.h"

static int open_file(struct hv_backend *backend, struct hv_error *err)
{
	const char *path = backend->choice.path;

	/* O_NONBLOCK: a FIFO without a reader is refused, not waited for. */
	backend->out_fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
	if (backend->out_fd >= 0)
		return 0;
	return hv_fail(err, errno, "%s cannot be written: %s; check the path", path,
		       strerror(errno));
}

/* We keep the other side open, too: without it, reading fails until somebody comes. */
static int open_pty(struct hv_backend *backend, const char *who, struct hv_error *err)
{
	struct termios raw;

	cfmakeraw(memset(&raw, 0, sizeof(raw)));
	raw.c_cflag |= CREAD;
	cfsetspeed(&raw, B115200);
	if (openpty(&backend->out_fd, &backend->slave_fd, NULL, &raw, NULL) ||
	    ttyname_r(backend->slave_fd, backend->pty, sizeof(backend->pty)))
		return hv_fail(err, errno, "no pseudo-terminal: %s; close one, or mount devpts",
			       strerror(errno));
	fcntl(backend->out_fd, F_SETFD, FD_CLOEXEC);
	fcntl(backend->slave_fd, F_SETFD, FD_CLOEXEC);
	fcntl(backend->out_fd, F_SETFL, O_NONBLOCK);
	backend->in_fd = backend->out_fd;
	fprintf(stderr, "hvctl: %s is %s\n", who, backend->pty);
	return 0;
}

int hv_backend_open(struct hv_backend *backend, const struct hv_serial_choice *choice,
		    const char *who, struct hv_error *err)
{
	*backend = (struct hv_backend)HV_BACKEND_NONE;
	backend->choice = *choice;
	switch (choice->kind) {
	case HV_SERIAL_PTY:
		return open_pty(backend, who, err);
	case HV_SERIAL_FILE:
		return open_file(backend, err);
	default:
		return 0;
	}
}

void hv_backend_close(struct hv_backend *backend)
{
	hv_close(backend->out_fd);
	hv_close(backend->slave_fd);
	*backend = (struct hv_backend)HV_BACKEND_NONE;
}

void hv_backend_empty(const struct hv_backend *backend)
{
	if (backend->choice.kind == HV_SERIAL_FILE)
		/* What is no regular file has nothing to be emptied of. */
		(void)!ftruncate(backend->out_fd, 0);
}

bool hv_backend_is_lossy(const struct hv_backend *backend)
{
	return backend->choice.kind == HV_SERIAL_PTY;
}
