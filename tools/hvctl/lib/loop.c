// SPDX-License-Identifier: GPL-2.0-only
/* The event loop. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

uint64_t hv_monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static uint64_t now_ns(struct hv_clock *clock)
{
	(void)clock;
	return hv_monotonic_ns();
}

static void on_wake(void *ctx, short revents)
{
	struct hv_loop *loop = ctx;
	uint64_t count;

	(void)revents;
	(void)!read(loop->wake_fd, &count, sizeof(count));
}

int hv_loop_init(struct hv_loop *loop, struct hv_error *err)
{
	*loop = (struct hv_loop){ .clock.now_ns = now_ns };
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake_fd < 0)
		return hv_fail(err, errno,
			       "no file descriptors: %s; close something, or raise ulimit -n",
			       strerror(errno));
	loop->wake = (struct hv_watch){ .fd = loop->wake_fd, .ready = on_wake, .ctx = loop };
	hv_loop_add(loop, &loop->wake);
	return 0;
}

void hv_loop_exit(struct hv_loop *loop)
{
	close(loop->wake_fd);
	*loop = (struct hv_loop){ .wake_fd = -1 };
}

void hv_loop_add(struct hv_loop *loop, struct hv_watch *watch)
{
	watch->next = loop->watches;
	loop->watches = watch;
	loop->count++;
}

void hv_loop_remove(struct hv_loop *loop, struct hv_watch *watch)
{
	struct hv_watch **link = &loop->watches;

	while (*link && *link != watch)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = watch->next;
	loop->count--;
	if (loop->cursor == watch)
		loop->cursor = watch->next;
}

void hv_loop_wake(struct hv_loop *loop)
{
	uint64_t one = 1;

	/* It can only fail when it is readable already. */
	(void)!write(loop->wake_fd, &one, sizeof(one));
}

void hv_loop_stop(struct hv_loop *loop)
{
	atomic_store(&loop->stopped, true);
	hv_loop_wake(loop);
}

/* poll() passes over negative descriptors. */
static void prepare(const struct hv_loop *loop, struct pollfd *fds)
{
	unsigned int slot = 0;

	for (struct hv_watch *watch = loop->watches; watch; watch = watch->next) {
		short events = watch->wants ? watch->wants(watch->ctx) : POLLIN;

		watch->slot = slot;
		fds[slot++] = (struct pollfd){ events ? watch->fd : -1, events, 0 };
	}
}

/* Milliseconds to the earliest timer, rounded up; -1: there is none. */
static int timeout_ms(struct hv_loop *loop)
{
	uint64_t next = hv_clock_next(&loop->clock), now = hv_monotonic_ns();

	if (next == UINT64_MAX)
		return -1;
	if (next <= now)
		return 0;
	return next - now < 1000000000ULL ? (next - now + 999999) / 1000000 : 1000;
}

/*
 * All that were asked, whoever comes and goes meanwhile: who is busy keeps nobody's turn from
 * coming. One that is added is put before them all, and asked the next time.
 */
static void serve(struct hv_loop *loop, const struct pollfd *fds)
{
	struct hv_watch *watch;

	loop->cursor = loop->watches;
	while ((watch = loop->cursor)) {
		const struct pollfd *fd = &fds[watch->slot];

		loop->cursor = watch->next;
		/* Another may just have told it to wait for something else, or for nothing. */
		if (fd->revents && fd->fd == watch->fd)
			watch->ready(watch->ctx, fd->revents);
	}
}

/* Room for one a watch, which may have become more. */
static struct pollfd *grow(struct pollfd *fds, unsigned int count, unsigned int *room)
{
	struct pollfd *grown = fds;

	if (count > *room) {
		grown = reallocarray(fds, count, sizeof(*fds));
		if (!grown)
			free(fds);
		*room = count;
	}
	return grown;
}

int hv_loop_run(struct hv_loop *loop)
{
	struct pollfd *fds = NULL;
	unsigned int room = 0;

	while (!atomic_load(&loop->stopped)) {
		unsigned int count = loop->count;

		fds = grow(fds, count, &room);
		if (!fds)
			return -ENOMEM;
		prepare(loop, fds);
		if (poll(fds, count, timeout_ms(loop)) > 0)
			serve(loop, fds);
		hv_clock_run(&loop->clock);
	}
	free(fds);
	return 0;
}

int hv_loop_run_again(struct hv_loop *loop)
{
	atomic_store(&loop->stopped, false);
	return hv_loop_run(loop);
}
