// SPDX-License-Identifier: GPL-2.0-only
/* Disks by threads that wait for the host, where there is no io_uring. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/event.h"
#include "lib/lock.h"
#include "lib/sandbox.h"
#include "lib/util.h"
#include "method.h"

#define THREADS 8

struct pool {
	pthread_mutex_t lock;	/* all of this; innermost */
	pthread_cond_t work;
	struct hv_disk_request *todo, **todo_end;
	struct hv_disk_request *done;	/* latest first */
	bool ends;
	pthread_t thread[THREADS];
	unsigned int nr_threads;
	int done_fd;		/* eventfd: there are some in @done */
	struct hv_watch watch;
};

static int64_t call(const struct hv_disk_step *step)
{
	switch (step->call) {
	case HV_DISK_PREADV:
		return preadv2(step->fd, step->iov, (int)step->nr_iov, (off_t)step->offset,
			       step->flags);
	case HV_DISK_PWRITEV:
		return pwritev2(step->fd, step->iov, (int)step->nr_iov, (off_t)step->offset,
				step->flags);
	case HV_DISK_FDATASYNC:
		return fdatasync(step->fd);
	default:
		return fallocate(step->fd, step->flags, (off_t)step->offset, (off_t)step->len);
	}
}

/* The next one; NULL: there will be none. */
static struct hv_disk_request *take(struct pool *pool)
{
	struct hv_disk_request *request;

	while (!pool->todo && !pool->ends)
		pthread_cond_wait(&pool->work, &pool->lock);
	request = pool->todo;
	if (request)
		pool->todo = request->next;
	if (!pool->todo)
		pool->todo_end = &pool->todo;
	return request;
}

static void give_back(struct pool *pool, struct hv_disk_request *request)
{
	request->next = pool->done;
	pool->done = request;
	hv_signal_event(pool->done_fd);
}

static void *work(void *ctx)
{
	struct hv_disk_request *request;
	struct pool *pool = ctx;

	pthread_setname_np(pthread_self(), "disk");
	pthread_mutex_lock(&pool->lock);
	while ((request = take(pool))) {
		pthread_mutex_unlock(&pool->lock);
		/* It was started before there was a sandbox. */
		hv_sandbox_enter(HV_SANDBOX_DISK);
		request->step.result = call(&request->step);
		if (request->step.result < 0)
			request->step.result = -errno;
		pthread_mutex_lock(&pool->lock);
		give_back(pool, request);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static void start(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	struct pool *pool = queue->method_ctx;

	request->next = NULL;
	pthread_mutex_lock(&pool->lock);
	*pool->todo_end = request;
	pool->todo_end = &request->next;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

static void reap(struct hv_disk_queue *queue)
{
	struct pool *pool = queue->method_ctx;
	struct hv_disk_request *request;
	uint64_t count;

	(void)!read(pool->done_fd, &count, sizeof(count));
	pthread_mutex_lock(&pool->lock);
	request = pool->done;
	pool->done = NULL;
	pthread_mutex_unlock(&pool->lock);
	while (request) {
		struct hv_disk_request *next = request->next;

		hv_disk_step_done(queue, request, request->step.result);
		request = next;
	}
	hv_disk_batch_done(queue);
}

static void on_ready(void *ctx, short revents)
{
	(void)revents;
	reap(ctx);
}

static void wait_for_one(struct hv_disk_queue *queue)
{
	struct pool *pool = queue->method_ctx;
	struct pollfd fd = { .fd = pool->done_fd, .events = POLLIN };

	(void)poll(&fd, 1, -1);
	reap(queue);
}

static void end(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->ends = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	while (pool->nr_threads)
		pthread_join(pool->thread[--pool->nr_threads], NULL);
	hv_close(pool->done_fd);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Signals are for the others. */
static int start_threads(struct pool *pool, unsigned int count)
{
	sigset_t all, before;
	int error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (!error && pool->nr_threads < count) {
		error = pthread_create(&pool->thread[pool->nr_threads], NULL, work, pool);
		pool->nr_threads += !error;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	/* One would do. */
	return pool->nr_threads ? 0 : -error;
}

static int create(struct hv_disk_queue *queue)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	int error;

	if (!pool)
		return -ENOMEM;
	hv_lock_init(&pool->lock);
	pthread_cond_init(&pool->work, NULL);
	pool->todo_end = &pool->todo;
	pool->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = pool->done_fd < 0 ? -errno : 0;
	if (!error)
		error = start_threads(pool, queue->depth < THREADS ? queue->depth : THREADS);
	if (error) {
		end(pool);
		return error;
	}
	pool->watch = (struct hv_watch){ .fd = pool->done_fd, .ready = on_ready, .ctx = queue };
	hv_loop_add(queue->loop, &pool->watch);
	queue->method_ctx = pool;
	return 0;
}

static void destroy(struct hv_disk_queue *queue)
{
	struct pool *pool = queue->method_ctx;

	hv_loop_remove(queue->loop, &pool->watch);
	end(pool);
}

const struct hv_disk_method hv_disk_threads = {
	.name = "threads",
	.create = create,
	.destroy = destroy,
	.start = start,
	.wait = wait_for_one,
};
