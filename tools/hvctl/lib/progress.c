// SPDX-License-Identifier: GPL-2.0-only
/* How far something has come: a line on the terminal. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "progress.h"

#define FIRST_NS 1000000000
#define NEXT_NS 200000000

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

struct hv_progress hv_progress_begin(const char *doing)
{
	return (struct hv_progress){
		.doing = doing,
		.due_ns = isatty(STDERR_FILENO) ? now_ns() + FIRST_NS : 0,
	};
}

void hv_progress_tell(struct hv_progress *progress, uint64_t done, uint64_t total)
{
	if (!progress->due_ns || now_ns() < progress->due_ns)
		return;
	if (total)
		progress->columns = fprintf(stderr, "\rhvctl: %s: %llu MiB of %llu",
					    progress->doing, (unsigned long long)(done / HV_MIB),
					    (unsigned long long)(total / HV_MIB)) -
				    1;
	else
		progress->columns = fprintf(stderr, "\rhvctl: %s: %llu MiB", progress->doing,
					    (unsigned long long)(done / HV_MIB)) -
				    1;
	progress->due_ns = now_ns() + NEXT_NS;
}

void hv_progress_end(struct hv_progress *progress)
{
	if (progress->columns > 0)
		fprintf(stderr, "\r%*s\r", progress->columns, "");
	*progress = (struct hv_progress){ 0 };
}
