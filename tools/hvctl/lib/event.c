// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that are shared with who is not trusted. O_NONBLOCK is theirs as much as ours, and so
 * is what is counted: a write may wait, whatever was seen just before. So the kernel signals for
 * us, which never waits: at the end of a request of asynchronous I/O, which is there at once.
 */
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>

#include "event.h"

/* More than there are threads that signal at once: each takes back what it has put in. */
#define REQUESTS 64

static aio_context_t requests;	/* 0: there are none here */

static void set_up(void)
{
	if (syscall(SYS_io_setup, REQUESTS, &requests))
		requests = 0;
}

void hv_share_events(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, set_up);
}

/* An eventfd can be read or written, or both: to wait for that takes no time. */
static bool signal_by_kernel(int fd)
{
	struct iocb request = {
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = POLLIN | POLLOUT,
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (uint32_t)fd,
	};
	struct iocb *const one[] = { &request };
	struct timespec at_once = { 0 };
	struct io_event event;

	if (!requests || syscall(SYS_io_submit, requests, 1, one) != 1)
		return false;
	(void)syscall(SYS_io_getevents, requests, 1, 1, &event, &at_once);
	return true;
}

void hv_signal_shared_event(int fd)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	if (signal_by_kernel(fd))
		return;
	/* What is full is readable already. */
	if (poll(&room, 1, 0) > 0 && room.revents & POLLOUT)
		hv_signal_event(fd);
}
