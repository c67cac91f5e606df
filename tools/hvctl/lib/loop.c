// SPDX-License-Identifier: GPL-2.0-only
/* The event loop. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
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

void hv_loop_add_poller(struct hv_loop *loop, struct hv_poller *poller)
{
	poller->next = loop->pollers;
	loop->pollers = poller;
}

void hv_loop_remove_poller(struct hv_loop *loop, struct hv_poller *poller)
{
	struct hv_poller **link = &loop->pollers;

	while (*link && *link != poller)
		link = &(*link)->next;
	if (*link)
		*link = poller->next;
}

void hv_loop_wake(struct hv_loop *loop)
{
	hv_signal_event(loop->wake_fd);
}

void hv_loop_stop(struct hv_loop *loop)
{
	atomic_store(&loop->stopped, true);
	hv_loop_wake(loop);
}

struct hv_pollset {
	struct pollfd *fds;
	unsigned int count, room;
	bool failed;
};

static bool grow(struct hv_pollset *set)
{
	unsigned int room = set->room ? 2 * set->room : 16;
	struct pollfd *fds = reallocarray(set->fds, room, sizeof(*fds));

	if (!fds)
		return false;
	set->fds = fds;
	set->room = room;
	return true;
}

int hv_pollset_add(struct hv_pollset *set, int fd, short events)
{
	if (set->count == set->room && !grow(set)) {
		set->failed = true;
		return -1;
	}
	set->fds[set->count] = (struct pollfd){ fd, events, 0 };
	return set->count++;
}

short hv_pollset_revents(const struct hv_pollset *set, int place)
{
	return place < 0 ? 0 : set->fds[place].revents;
}

/* poll() passes over negative descriptors. Returns false: there is no memory for it. */
static bool prepare(const struct hv_loop *loop, struct hv_pollset *set)
{
	set->count = 0;
	for (struct hv_watch *watch = loop->watches; watch; watch = watch->next) {
		short events = watch->wants ? watch->wants(watch->ctx) : POLLIN;

		watch->slot = hv_pollset_add(set, events ? watch->fd : -1, events);
	}
	for (struct hv_poller *poller = loop->pollers; poller; poller = poller->next)
		poller->ask(poller->ctx, set);
	return !set->failed;
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
static void serve(struct hv_loop *loop, const struct hv_pollset *set)
{
	struct hv_watch *watch;

	loop->cursor = loop->watches;
	while ((watch = loop->cursor)) {
		const struct pollfd *fd = &set->fds[watch->slot];

		loop->cursor = watch->next;
		/* Another may just have told it to wait for something else, or for nothing. */
		if (fd->revents && fd->fd == watch->fd)
			watch->ready(watch->ctx, fd->revents);
	}
}

static void answer(const struct hv_loop *loop, const struct hv_pollset *set)
{
	for (struct hv_poller *poller = loop->pollers; poller; poller = poller->next)
		poller->answer(poller->ctx, set);
}

int hv_loop_run(struct hv_loop *loop)
{
	struct hv_pollset set = { 0 };

	while (!atomic_load(&loop->stopped) && prepare(loop, &set)) {
		if (poll(set.fds, set.count, timeout_ms(loop)) > 0)
			serve(loop, &set);
		answer(loop, &set);
		hv_clock_run(&loop->clock);
	}
	free(set.fds);
	return set.failed ? -ENOMEM : 0;
}

int hv_loop_run_again(struct hv_loop *loop)
{
	atomic_store(&loop->stopped, false);
	return hv_loop_run(loop);
}
