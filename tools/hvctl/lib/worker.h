/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread with an event loop of its own, for work that waits for a disk or a network. Others
 * give it jobs; it takes no lock that they hold while they wait for it.
 */
#ifndef HV_LIB_WORKER_H
#define HV_LIB_WORKER_H

#include <pthread.h>

#include "error.h"
#include "loop.h"
#include "sandbox.h"

/* Something to be done once; posting what is posted already does nothing. */
struct hv_job {
	void (*fn)(void *ctx);
	void *ctx;
	struct hv_job *next;
	bool posted;
};

struct hv_worker {
	struct hv_loop loop;		/* its thread's: watches, timers */
	char name[16];			/* of the thread */
	enum hv_sandbox_kind sandbox;	/* what the thread may do */
	void (*begin)(void *ctx);	/* the first thing that the thread does; may be NULL */
	void *ctx;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;		/* @jobs; innermost */
	struct hv_job *jobs;		/* in the order in which they came */
	int job_fd;			/* eventfd: there are some */
	struct hv_watch job_watch;
};

/**
 * hv_worker_init() - a worker whose thread does not run yet
 * @worker: filled in; to be given to hv_worker_exit(). All of its loop is the caller's to set up
 * @name: of the thread, for ps and gdb
 * @err: filled in on failure
 *
 * Returns 0 or -errno.
 */
int hv_worker_init(struct hv_worker *worker, const char *name, struct hv_error *err);

/* Start the thread. Signals are blocked in it. Returns 0 or -errno. */
int hv_worker_start(struct hv_worker *worker, struct hv_error *err);

/* End the thread, once it has done what was posted; nothing if it does not run. */
void hv_worker_stop(struct hv_worker *worker);
void hv_worker_exit(struct hv_worker *worker);

/* Have the thread do @job; any thread. It stays the caller's, and must last until it is done. */
void hv_worker_post(struct hv_worker *worker, struct hv_job *job);

/*
 * Have the thread do @fn and wait for it; here and now if the thread does not run. Not by the
 * thread itself.
 */
void hv_worker_run(struct hv_worker *worker, void (*fn)(void *ctx), void *ctx);

/* Have the thread give up what it does not need, if it runs: there is a sandbox now. */
void hv_worker_confine(struct hv_worker *worker);

#endif
