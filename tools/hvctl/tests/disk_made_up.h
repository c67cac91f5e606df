/* SPDX-License-Identifier: GPL-2.0-only */
/* A host whose answers the test makes up: short, late and failed ones. */
#ifndef HV_DISK_MADE_UP_H
#define HV_DISK_MADE_UP_H

#include "disk/method.h"
#include "hv_test.h"
#include "lib/util.h"

#define MADE_UP_DEPTH 8

/* What becomes of the next calls; 0: bytes that it asks for. */
static int64_t answers[16];
static unsigned int nr_calls;
static struct hv_disk_step calls[600];	/* that were made; their buffers may be gone, ... */
static int64_t call_bytes[600];		/* ... and so many were in them */
static struct hv_disk_request *held[MADE_UP_DEPTH];
static unsigned int nr_held;

static inline int made_up_create(struct hv_disk_queue *made_up)
{
	(void)made_up;
	nr_calls = nr_held = 0;
	memset(answers, 0, sizeof(answers));
	return 0;
}

static inline void made_up_destroy(struct hv_disk_queue *made_up)
{
	(void)made_up;
}

static inline void made_up_start(struct hv_disk_queue *made_up, struct hv_disk_request *request)
{
	assert_true(nr_held < made_up->depth && nr_held < MADE_UP_DEPTH);
	held[nr_held++] = request;
}

static inline int64_t asked_for(const struct hv_disk_step *step)
{
	int64_t sum = 0;

	for (unsigned int i = 0; i < step->nr_iov; i++)
		sum += (int64_t)step->iov[i].iov_len;
	return sum;
}

/* The latest first: hosts do as they like. */
static inline void made_up_wait(struct hv_disk_queue *made_up)
{
	struct hv_disk_request *request = held[--nr_held];
	int64_t answer = nr_calls < ARRAY_SIZE(answers) ? answers[nr_calls] : 0;

	assert_true(nr_calls < ARRAY_SIZE(calls));
	call_bytes[nr_calls] = asked_for(&request->step);
	calls[nr_calls] = request->step;
	hv_disk_step_done(made_up, request, answer ?: call_bytes[nr_calls]);
	nr_calls++;
	hv_disk_batch_done(made_up);
}

static const struct hv_disk_method made_up = {
	.name = "made up",
	.create = made_up_create,
	.destroy = made_up_destroy,
	.start = made_up_start,
	.wait = made_up_wait,
};

#endif
