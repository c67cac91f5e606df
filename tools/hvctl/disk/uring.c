// SPDX-License-Identifier: GPL-2.0-only
/* Disks by io_uring: calls that the kernel does by itself, handed over many at a time. */
#include <errno.h>
#include <stdlib.h>

#include "method.h"

#ifdef HV_HAVE_URING
#include <liburing.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"

#define RETRY_NS 1000000

struct uring {
	struct io_uring ring;
	struct hv_watch watch;
	struct hv_timer retry;
};

static void prepare(struct io_uring_sqe *sqe, const struct hv_disk_step *step)
{
	switch (step->call) {
	case HV_DISK_PREADV:
		io_uring_prep_readv2(sqe, step->fd, step->iov, step->nr_iov, step->offset,
				     step->flags);
		return;
	case HV_DISK_PWRITEV:
		io_uring_prep_writev2(sqe, step->fd, step->iov, step->nr_iov, step->offset,
				      step->flags);
		return;
	case HV_DISK_FDATASYNC:
		io_uring_prep_fsync(sqe, step->fd, IORING_FSYNC_DATASYNC);
		return;
	case HV_DISK_FALLOCATE:
		io_uring_prep_fallocate(sqe, step->fd, step->flags, (off_t)step->offset,
					(off_t)step->len);
	}
}

/* There is an entry: there are as many as may be under way. */
static void start(struct hv_disk_queue *queue, struct hv_disk_request *request)
{
	struct uring *uring = queue->method_ctx;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

	prepare(sqe, &request->step);
	io_uring_sqe_set_data(sqe, request);
}

/* Without memory the kernel takes none, or some: the others stay where they are. */
static void kick(struct hv_disk_queue *queue)
{
	struct uring *uring = queue->method_ctx;

	if (!io_uring_sq_ready(&uring->ring))
		return;
	(void)io_uring_submit(&uring->ring);
	if (io_uring_sq_ready(&uring->ring))
		hv_timer_arm(&queue->loop->clock, &uring->retry, hv_monotonic_ns() + RETRY_NS);
}

static void retry(void *ctx)
{
	kick(ctx);
}

/* Those that are there; who comes meanwhile has the loop's next turn. */
static void reap(struct hv_disk_queue *queue)
{
	struct uring *uring = queue->method_ctx;
	unsigned int left = io_uring_cq_ready(&uring->ring);
	struct io_uring_cqe *cqe;

	while (left-- && !io_uring_peek_cqe(&uring->ring, &cqe)) {
		struct hv_disk_request *request = io_uring_cqe_get_data(cqe);
		int result = cqe->res;

		io_uring_cqe_seen(&uring->ring, cqe);
		hv_disk_step_done(queue, request, result);
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
	const struct timespec pause = { .tv_nsec = RETRY_NS };
	struct uring *uring = queue->method_ctx;

	if (io_uring_submit_and_wait(&uring->ring, 1) < 0)
		nanosleep(&pause, NULL);
	reap(queue);
}

/* Not by liburing's functions for it, which its library hides up to version 2.3. */
static int register_with(const struct io_uring *ring, unsigned int what, const void *arg,
			 unsigned int count)
{
	return syscall(__NR_io_uring_register, ring->ring_fd, what, arg, count) < 0 ? -errno : 0;
}

/*
 * What goes through a ring passes by the filter of system calls (lib/sandbox.h): so it takes from
 * the first no more than prepare() makes, whoever fills it, and stays as it is.
 */
static int restrict_calls(const struct io_uring *ring)
{
	static const uint8_t ops[] = { IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_FSYNC,
				       IORING_OP_FALLOCATE };
	struct io_uring_restriction allowed[ARRAY_SIZE(ops)] = { 0 };
	int error;

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		allowed[i].opcode = IORING_RESTRICTION_SQE_OP;
		allowed[i].sqe_op = ops[i];
	}
	error = register_with(ring, IORING_REGISTER_RESTRICTIONS, allowed, ARRAY_SIZE(allowed));
	return error ? error : register_with(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

/*
 * Our thread is in poll() most of the time: work that the kernel has for it needs no interrupt of
 * its CPU (Linux 5.19).
 */
static int open_ring(struct io_uring *ring, unsigned int depth)
{
	int error = io_uring_queue_init(depth, ring,
					IORING_SETUP_R_DISABLED | IORING_SETUP_COOP_TASKRUN);

	if (error == -EINVAL)
		error = io_uring_queue_init(depth, ring, IORING_SETUP_R_DISABLED);
	if (error)
		return error;
	(void)io_uring_ring_dontfork(ring);
	error = restrict_calls(ring);
	if (error)
		io_uring_queue_exit(ring);
	return error;
}

static int create(struct hv_disk_queue *queue)
{
	struct uring *uring = calloc(1, sizeof(*uring));
	int error;

	if (!uring)
		return -ENOMEM;
	error = open_ring(&uring->ring, queue->depth);
	if (error) {
		free(uring);
		return error;
	}
	uring->retry = (struct hv_timer){ .fn = retry, .dev = queue };
	uring->watch = (struct hv_watch){
		.fd = uring->ring.ring_fd,
		.ready = on_ready,
		.ctx = queue,
	};
	hv_loop_add(queue->loop, &uring->watch);
	queue->method_ctx = uring;
	return 0;
}

static void destroy(struct hv_disk_queue *queue)
{
	struct uring *uring = queue->method_ctx;

	hv_timer_cancel(&queue->loop->clock, &uring->retry);
	hv_loop_remove(queue->loop, &uring->watch);
	io_uring_queue_exit(&uring->ring);
	free(uring);
}

const struct hv_disk_method hv_disk_uring = {
	.name = "io_uring",
	.create = create,
	.destroy = destroy,
	.start = start,
	.kick = kick,
	.wait = wait_for_one,
};
#else
static int create(struct hv_disk_queue *queue)
{
	(void)queue;
	return -EOPNOTSUPP;
}

/* Built without liburing. */
const struct hv_disk_method hv_disk_uring = { .name = "io_uring", .create = create };
#endif
