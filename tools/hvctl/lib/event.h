/* SPDX-License-Identifier: GPL-2.0-only */
/* Eventfds: something has happened. */
#ifndef HV_LIB_EVENT_H
#define HV_LIB_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

/* It can only fail when it is readable already. */
static inline void hv_signal_event(int fd)
{
	const uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

/*
 * The same for one that a process has which is not trusted: it may fill it, and make writes wait,
 * at any moment. There is such a process from hv_share_events() on; before the sandbox closes.
 */
void hv_share_events(void);
void hv_signal_shared_event(int fd);

/*
 * Take what an eventfd has counted; false: nothing. Never waits, whatever others who share it have
 * made of its O_NONBLOCK.
 */
static inline bool hv_take_event(int fd)
{
	uint64_t count;
#ifdef __SANITIZE_THREAD__
	/* It knows by read() alone that what was done before a signal is seen behind it. */
	return read(fd, &count, sizeof(count)) == sizeof(count);
#else
	const struct iovec iov = { &count, sizeof(count) };

	return preadv2(fd, &iov, 1, -1, RWF_NOWAIT) == sizeof(count);
#endif
}

#endif
