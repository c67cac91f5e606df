// SPDX-License-Identifier: GPL-2.0-only
/* Threads that do what others post. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "event.h"
#include "lock.h"
#include "worker.h"

static struct hv_job *take_job(struct hv_worker *worker)
{
	struct hv_job *job;

	pthread_mutex_lock(&worker->lock);
	job = worker->jobs;
	if (job) {
		worker->jobs = job->next;
		job->posted = false;
	}
	pthread_mutex_unlock(&worker->lock);
	return job;
}

/* Whoever posts one while it is done gets it done again. */
static void do_jobs(void *ctx, short revents)
{
	struct hv_worker *worker = ctx;
	struct hv_job *job;
	uint64_t count;

	(void)revents;
	(void)!read(worker->job_fd, &count, sizeof(count));
	while ((job = take_job(worker)))
		job->fn(job->ctx);
}

int hv_worker_init(struct hv_worker *worker, const char *name, struct hv_error *err)
{
	int error;

	*worker = (struct hv_worker){ .job_fd = -1 };
	error = hv_loop_init(&worker->loop, err);
	if (error)
		return error;
	worker->job_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->job_fd < 0) {
		hv_loop_exit(&worker->loop);
		return hv_fail(err, EMFILE,
			       "no file descriptors; close something, or raise ulimit -n");
	}
	snprintf(worker->name, sizeof(worker->name), "%s", name);
	hv_lock_init(&worker->lock);
	worker->job_watch = (struct hv_watch){
		.fd = worker->job_fd,
		.ready = do_jobs,
		.ctx = worker,
	};
	hv_loop_add(&worker->loop, &worker->job_watch);
	return 0;
}

static void *worker_thread(void *ctx)
{
	struct hv_worker *worker = ctx;

	pthread_setname_np(pthread_self(), worker->name);
	hv_sandbox_enter(worker->sandbox);
	if (worker->begin)
		worker->begin(worker->ctx);
	(void)hv_loop_run(&worker->loop);
	do_jobs(worker, 0);
	return NULL;
}

int hv_worker_start(struct hv_worker *worker, struct hv_error *err)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&worker->thread, NULL, worker_thread, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	worker->started = !error;
	if (!error)
		return 0;
	return hv_fail(err, error, "cannot start a thread: %s; close something, or raise ulimit -u",
		       strerror(error));
}

void hv_worker_stop(struct hv_worker *worker)
{
	if (!worker->started)
		return;
	hv_loop_stop(&worker->loop);
	pthread_join(worker->thread, NULL);
	worker->started = false;
}

void hv_worker_exit(struct hv_worker *worker)
{
	hv_worker_stop(worker);
	if (worker->job_fd < 0)
		return;
	close(worker->job_fd);
	worker->job_fd = -1;
	pthread_mutex_destroy(&worker->lock);
	hv_loop_exit(&worker->loop);
}

static void append(struct hv_worker *worker, struct hv_job *job)
{
	struct hv_job **end = &worker->jobs;

	while (*end)
		end = &(*end)->next;
	*end = job;
	job->next = NULL;
	job->posted = true;
}

void hv_worker_post(struct hv_worker *worker, struct hv_job *job)
{
	pthread_mutex_lock(&worker->lock);
	if (!job->posted)
		append(worker, job);
	pthread_mutex_unlock(&worker->lock);
	hv_signal_event(worker->job_fd);
}

struct call {
	void (*fn)(void *ctx);
	void *ctx;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
};

static void do_call(void *ctx)
{
	struct call *call = ctx;

	call->fn(call->ctx);
	pthread_mutex_lock(&call->lock);
	call->done = true;
	pthread_cond_signal(&call->changed);
	pthread_mutex_unlock(&call->lock);
}

void hv_worker_run(struct hv_worker *worker, void (*fn)(void *ctx), void *ctx)
{
	struct call call = {
		.fn = fn,
		.ctx = ctx,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	struct hv_job job = { .fn = do_call, .ctx = &call };

	if (!worker->started) {
		do_jobs(worker, 0);
		fn(ctx);
		return;
	}
	hv_worker_post(worker, &job);
	pthread_mutex_lock(&call.lock);
	while (!call.done)
		pthread_cond_wait(&call.changed, &call.lock);
	pthread_mutex_unlock(&call.lock);
}

static void confine(void *ctx)
{
	const struct hv_worker *worker = ctx;

	hv_sandbox_enter(worker->sandbox);
}

void hv_worker_confine(struct hv_worker *worker)
{
	if (worker->started)
		hv_worker_run(worker, confine, worker);
}
