// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests become calls of the host, one after the other: a short read is continued, zeroes are
 * written where the host cannot make them, a write that is to be durable is followed by a flush.
 *
 * Flushes: fdatasync() is for all that was done before it begins, by whatever call: nothing has to
 * be ordered. When it fails, the kernel may have dropped what it could not write, and says so once:
 * the next one may succeed, for less. So there is no next one: all flushes of this disk fail from
 * then on, and writes that are to be durable, until it is opened anew. Nor is there one beside it,
 * which might succeed first: those that come meanwhile wait, and one call does for them all.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "bounce.h"
#include "lib/iov.h"

#define STEP_MAX (4u << 20)		/* bytes of a call */

/* Zeroes that are written, where nothing else makes them. */
#define ZEROES_PAGE 65536

static const _Alignas(4096) char zeroes[ZEROES_PAGE];

/* ------------------------------------------------------------------- lists */

static void list_init(struct hv_disk_list *list)
{
	*list = (struct hv_disk_list){ .end = &list->first };
}

static void list_add(struct hv_disk_list *list, struct hv_disk_request *request)
{
	request->next = NULL;
	*list->end = request;
	list->end = &request->next;
}

static struct hv_disk_request *list_take(struct hv_disk_list *list)
{
	struct hv_disk_request *request = list->first;

	if (request)
		list->first = request->next;
	if (!list->first)
		list->end = &list->first;
	return request;
}

/* ------------------------------------------------------------------- calls */

static bool is_durable(const struct hv_disk_queue *queue, const struct hv_disk_request *request)
{
	return request->durable || queue->disk->cache == HV_DISK_WRITETHROUGH;
}

/* No more than that at once: who cancels waits for what is under way, and guests ask for GiB. */
static void plan_transfer(struct hv_disk_queue *queue, struct hv_disk_request *request,
			  const struct iovec *iov, unsigned int nr_iov)
{
	unsigned int count = 0;
	uint64_t len = 0;

	while (count < nr_iov && count < IOV_MAX && len + iov[count].iov_len <= STEP_MAX)
		len += iov[count++].iov_len;
	if (!count) {
		request->piece = (struct iovec){ iov->iov_base, STEP_MAX };
		iov = &request->piece;
		count = 1;
	}
	request->step = (struct hv_disk_step){
		.call = request->op == HV_DISK_WRITE ? HV_DISK_PWRITEV : HV_DISK_PREADV,
		.fd = queue->disk->fd,
		.offset = request->offset + request->moved,
		.iov = iov,
		.nr_iov = count,
	};
}

/* A piece at a time; a flush for them all comes last. */
static void plan_zeroes(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	uint64_t left = request->len - request->moved;

	if (request->alone) {
		hv_disk_plan_bounce(queue, request);
		return;
	}
	request->piece = (struct iovec){
		.iov_base = (void *)(uintptr_t)zeroes,
		.iov_len = left < ZEROES_PAGE ? left : ZEROES_PAGE,
	};
	request->step = (struct hv_disk_step){
		.call = HV_DISK_PWRITEV,
		.fd = queue->disk->fd,
		.offset = request->offset + request->moved,
		.iov = &request->piece,
		.nr_iov = 1,
	};
}

static void plan_flush(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	request->step = (struct hv_disk_step){
		.call = HV_DISK_FDATASYNC,
		.fd = queue->disk->fd,
	};
}

/* Block devices know fallocate(), too: it discards there, where they can. */
static void plan_fallocate(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	bool punch = request->op == HV_DISK_DISCARD || request->unmap;

	request->step = (struct hv_disk_step){
		.call = HV_DISK_FALLOCATE,
		.fd = queue->disk->fd,
		.flags = (punch ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) |
			 FALLOC_FL_KEEP_SIZE,
		.offset = request->offset,
		.len = request->len,
	};
}

static void plan_first(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	switch (request->op) {
	case HV_DISK_READ:
	case HV_DISK_WRITE:
		if (request->alone)
			hv_disk_plan_bounce(queue, request);
		else
			plan_transfer(queue, request, request->iov, request->nr_iov);
		return;
	case HV_DISK_FLUSH:
		plan_flush(queue, request);
		return;
	default:
		plan_fallocate(queue, request);
	}
}

/* -------------------------------------------------------------- what follows */

#define MORE 1	/* there is another step */

/* Without what was moved. Not often, so the room for it is not there before. */
static int plan_rest(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	unsigned int count;

	if (!request->rest)
		request->rest = calloc(request->nr_iov, sizeof(*request->rest));
	if (!request->rest)
		return -ENOMEM;
	count = hv_iov_cut(request->iov, request->nr_iov, request->moved,
			   request->len - request->moved, request->rest);
	plan_transfer(queue, request, request->rest, count);
	return MORE;
}

/* A flush, if it is to be durable. Not by RWF_DSYNC: it would be told what others are to hear. */
static int after_write(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	if (!is_durable(queue, request))
		return 0;
	plan_flush(queue, request);
	return MORE;
}

/*
 * Nothing at all: the image has become shorter under us. Past the page cache it goes on with a
 * whole block.
 */
static int after_transfer(struct hv_disk_queue *queue, struct hv_disk_request *request,
			  int64_t result)
{
	const uint64_t mask = queue->disk->alignment - 1, before = request->moved;

	if (result < 0)
		return (int)result;
	request->moved = (before + (uint64_t)result) & ~mask;
	if (request->moved == before)
		return -EIO;
	if (request->moved >= request->len)
		return 0;
	if (request->op != HV_DISK_ZEROES)
		return plan_rest(queue, request);
	plan_zeroes(queue, request);
	return MORE;
}

static int after_part(struct hv_disk_queue *queue, struct hv_disk_request *request, int64_t result)
{
	int next = request->alone ? hv_disk_bounced(queue, request, result) :
				    after_transfer(queue, request, result);

	return next || request->op == HV_DISK_READ ? next : after_write(queue, request);
}

static int after_flush(struct hv_disk_queue *queue, int64_t result)
{
	if (result < 0)
		atomic_store(&queue->disk->flush_error, (int)-result);
	/* Of another queue's, too. */
	return -atomic_load(&queue->disk->flush_error);
}

/* EINVAL: a block device with larger blocks than that. To discard is a hint, and no more. */
static bool is_unknown(int64_t result)
{
	return result == -EOPNOTSUPP || result == -ENODEV || result == -EINVAL;
}

static int after_fallocate(struct hv_disk_queue *queue, struct hv_disk_request *request,
			   int64_t result)
{
	if (request->op == HV_DISK_DISCARD)
		return is_unknown(result) ? 0 : (int)result;
	if (!is_unknown(result))
		return result < 0 ? (int)result : after_write(queue, request);
	plan_zeroes(queue, request);
	return MORE;
}

static int follow(struct hv_disk_queue *queue, struct hv_disk_request *request, int64_t result)
{
	/* The latter comes through io_uring from some drivers: nothing was done. */
	if (result == -EINTR || result == -EAGAIN)
		return queue->cancelling ? -ECANCELED : MORE;
	switch (request->step.call) {
	case HV_DISK_PREADV:
	case HV_DISK_PWRITEV:
		return after_part(queue, request, result);
	case HV_DISK_FDATASYNC:
		return after_flush(queue, result);
	default:
		return after_fallocate(queue, request, result);
	}
}

/* ------------------------------------------------------------------- turns */

static void finish(struct hv_disk_request *request, int result)
{
	free(request->rest);
	request->rest = NULL;
	request->done(request, result);
}

/* May it begin now? Who is to be alone waits until all are done, and all wait for him. */
static bool has_turn(const struct hv_disk_queue *queue, const struct hv_disk_request *request)
{
	return queue->under_way < queue->depth && !queue->has_lone &&
	       !(request->alone && queue->under_way);
}

/* All that wait for a flush, by one call. */
static void begin_flush(struct hv_disk_queue *queue)
{
	queue->flushing = list_take(&queue->to_flush);
	queue->flushed_with = queue->to_flush.first;
	list_init(&queue->to_flush);
	if (queue->flushing)
		queue->method->start(queue, queue->flushing);
}

static void start_step(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	if (request->step.call != HV_DISK_FDATASYNC || request == queue->flushing) {
		queue->method->start(queue, request);
		return;
	}
	list_add(&queue->to_flush, request);
	if (!queue->flushing)
		begin_flush(queue);
}

static void leave(struct hv_disk_queue *queue, struct hv_disk_request *request, int result)
{
	queue->under_way--;
	if (request->alone)
		queue->has_lone = false;
	finish(request, result);
}

static void leave_all(struct hv_disk_queue *queue, struct hv_disk_request *request, int result)
{
	while (request) {
		struct hv_disk_request *next = request->next;

		leave(queue, request, result);
		request = next;
	}
}

/* For those that came while it was under way there is another one. */
static void flush_done(struct hv_disk_queue *queue, int result)
{
	struct hv_disk_request *late = queue->to_flush.first;

	leave_all(queue, queue->flushed_with, result);
	queue->flushing = queue->flushed_with = NULL;
	if (queue->cancelling) {
		list_init(&queue->to_flush);
		leave_all(queue, late, -ECANCELED);
	}
	begin_flush(queue);
}

static void cancel_waiting(struct hv_disk_queue *queue)
{
	struct hv_disk_request *request;

	while ((request = list_take(&queue->waiting)))
		finish(request, -ECANCELED);
}

static void start_waiting(struct hv_disk_queue *queue)
{
	if (queue->cancelling)
		cancel_waiting(queue);
	while (queue->waiting.first && has_turn(queue, queue->waiting.first)) {
		struct hv_disk_request *request = list_take(&queue->waiting);

		queue->under_way++;
		queue->has_lone = request->alone;
		start_step(queue, request);
	}
}

void hv_disk_step_done(struct hv_disk_queue *queue, struct hv_disk_request *request, int64_t result)
{
	bool flushes = request == queue->flushing;
	int next = follow(queue, request, result);

	if (next == MORE && queue->cancelling)
		next = -ECANCELED;
	if (next == MORE) {
		start_step(queue, request);
		return;
	}
	leave(queue, request, next);
	if (flushes)
		flush_done(queue, next);
}

void hv_disk_batch_done(struct hv_disk_queue *queue)
{
	if (queue->batch)
		queue->batch(queue->batch_ctx);
	hv_disk_kick(queue);
}

static void finish_decided(void *ctx)
{
	struct hv_disk_queue *queue = ctx;
	struct hv_disk_request *request = queue->decided.first;

	list_init(&queue->decided);
	while (request) {
		struct hv_disk_request *next = request->next;

		finish(request, request->result);
		request = next;
	}
	hv_disk_batch_done(queue);
}

/* ------------------------------------------------------------- the caller's */

/* What needs no call: 0 or -errno; MORE: it does. */
static int decide(const struct hv_disk *disk, const struct hv_disk_request *request)
{
	if (request->op == HV_DISK_FLUSH)
		return disk->read_only ? 0 : -atomic_load(&disk->flush_error) ?: MORE;
	if (disk->read_only && request->op != HV_DISK_READ)
		return -EROFS;
	if (request->offset % HV_DISK_SECTOR || request->len % HV_DISK_SECTOR ||
	    request->offset > disk->size || request->len > disk->size - request->offset)
		return -EINVAL;
	return request->len ? MORE : 0;
}

void hv_disk_submit(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	request->moved = 0;
	request->rest = NULL;
	request->alone = false;
	request->result = decide(queue->disk, request);
	if (request->result == MORE) {
		request->alone = hv_disk_bounces(queue->disk, request);
		plan_first(queue, request);
		list_add(&queue->waiting, request);
		return;
	}
	list_add(&queue->decided, request);
	hv_timer_arm(&queue->loop->clock, &queue->soon, 0);
}

void hv_disk_kick(struct hv_disk_queue *queue)
{
	start_waiting(queue);
	if (queue->method->kick)
		queue->method->kick(queue);
}

void hv_disk_drain(struct hv_disk_queue *queue)
{
	for (;;) {
		if (queue->decided.first) {
			hv_timer_cancel(&queue->loop->clock, &queue->soon);
			finish_decided(queue);
		} else if (queue->waiting.first || queue->under_way) {
			hv_disk_kick(queue);
			if (queue->under_way)
				queue->method->wait(queue);
		} else {
			return;
		}
	}
}

/* What waits is a guest's to make as much of as it likes: nobody does it for one that is gone. */
void hv_disk_cancel(struct hv_disk_queue *queue)
{
	queue->cancelling = true;
	hv_disk_drain(queue);
	queue->cancelling = false;
}

void hv_disk_queue_on_batch(struct hv_disk_queue *queue, void (*fn)(void *ctx), void *ctx)
{
	queue->batch = fn;
	queue->batch_ctx = ctx;
}

const char *hv_disk_queue_method(const struct hv_disk_queue *queue)
{
	return queue->method->name;
}

/* ------------------------------------------------------- creation, and end */

static int make(struct hv_disk_queue *queue)
{
	if (queue->disk->cached_fd >= 0) {
		queue->bounce = aligned_alloc(HV_DISK_BOUNCE, HV_DISK_BOUNCE);
		if (!queue->bounce)
			return -ENOMEM;
	}
	return queue->method->create(queue);
}

struct hv_disk_queue *hv_disk_queue_create_by(const struct hv_disk_method *method,
					      struct hv_disk *disk, struct hv_loop *loop,
					      unsigned int depth, struct hv_error *err)
{
	struct hv_disk_queue *queue = calloc(1, sizeof(*queue));
	int error = -ENOMEM;

	if (queue) {
		queue->disk = disk;
		queue->loop = loop;
		queue->depth = depth;
		queue->method = method;
		queue->soon = (struct hv_timer){ .fn = finish_decided, .dev = queue };
		list_init(&queue->waiting);
		list_init(&queue->decided);
		list_init(&queue->to_flush);
		error = make(queue);
		if (!error)
			return queue;
		free(queue->bounce);
	}
	free(queue);
	hv_fail(err, -error, "no disk I/O by %s: %s; close something, or raise ulimit -u and -n",
		method->name, strerror(-error));
	return NULL;
}

struct hv_disk_queue *hv_disk_queue_create(struct hv_disk *disk, struct hv_loop *loop,
					   unsigned int depth, struct hv_error *err)
{
	return hv_disk_queue_create_by(&hv_disk_uring, disk, loop, depth, err) ?:
		       hv_disk_queue_create_by(&hv_disk_threads, disk, loop, depth, err);
}

void hv_disk_queue_destroy(struct hv_disk_queue *queue)
{
	if (!queue)
		return;
	hv_timer_cancel(&queue->loop->clock, &queue->soon);
	queue->method->destroy(queue);
	free(queue->bounce);
	free(queue);
}
