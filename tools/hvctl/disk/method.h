/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the host is asked to read and write without being waited for. A method knows calls, one for
 * each request at a time; what they are for, and what comes next, is disk/queue.c's.
 */
#ifndef HV_DISK_METHOD_H
#define HV_DISK_METHOD_H

#include "disk.h"

/**
 * struct hv_disk_method - one way to have it done
 * @name: for who wants to know
 * @create: set queue->method_ctx, and add watches to queue->loop. 0 or -errno: there is no such way
 * @destroy: undo that; nothing is under way
 * @start: take request->step, of which there are never more than queue->depth; it cannot fail
 * @kick: hand over what was started; NULL: start() does
 * @wait: until at least one is done, and hand it in: hv_disk_step_done()
 */
struct hv_disk_method {
	const char *name;
	int (*create)(struct hv_disk_queue *queue);
	void (*destroy)(struct hv_disk_queue *queue);
	void (*start)(struct hv_disk_queue *queue, struct hv_disk_request *request);
	void (*kick)(struct hv_disk_queue *queue);
	void (*wait)(struct hv_disk_queue *queue);
};

extern const struct hv_disk_method hv_disk_uring, hv_disk_threads;

struct hv_disk_list {
	struct hv_disk_request *first, **end;
};

struct hv_disk_queue {
	struct hv_disk *disk;
	struct hv_loop *loop;
	unsigned int depth;
	const struct hv_disk_method *method;
	void *method_ctx;
	char *bounce;			/* a buffer; NULL: nobody needs it. See disk/bounce.h */

	struct hv_disk_list waiting;	/* for their turn */
	struct hv_disk_list decided;	/* done, without a call of the host's */
	unsigned int under_way;
	bool has_lone;			/* ... and it is one that must be alone */
	bool cancelling;		/* nothing begins, and nothing goes on */
	/* Of those under way: the one whose flush the host is at, those that it is for, too ... */
	struct hv_disk_request *flushing, *flushed_with;
	struct hv_disk_list to_flush;	/* ... and those that came since */
	struct hv_timer soon;		/* for @decided */
	void (*batch)(void *ctx);
	void *batch_ctx;
};

/* A queue by this very method, for hv_disk_queue_create() and for tests. */
struct hv_disk_queue *hv_disk_queue_create_by(const struct hv_disk_method *method,
					      struct hv_disk *disk, struct hv_loop *loop,
					      unsigned int depth, struct hv_error *err);

/* What the call returned: bytes or 0, or -errno. */
void hv_disk_step_done(struct hv_disk_queue *queue, struct hv_disk_request *request,
		       int64_t result);

/* After some hv_disk_step_done(): whoever waited has a turn. */
void hv_disk_batch_done(struct hv_disk_queue *queue);

#endif
