/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's name, held by its process. In the runtime directory it has
 *
 *   NAME.lock	the process' number; the process holds a lock on it (flock) as long as it lives
 *   NAME.sock	its control socket
 *   NAME.log	what it says, if it is detached
 *
 * Whoever removes NAME.lock holds the lock, and whoever has got the lock looks whether the file
 * still has the name: so one process at a time has it. The kernel gives the lock back whatever
 * ends the process; then the files are stale, and whoever comes next removes them.
 */
#ifndef HV_CONTROL_CLAIM_H
#define HV_CONTROL_CLAIM_H

#include <stdbool.h>
#include <sys/types.h>

#include "name.h"
#include "runtime_dir.h"

struct hv_claim {
	const struct hv_runtime_dir *dir;
	int lock_fd;			/* -1: it has no name */
	char name[HV_NAME_MAX + 1];
};

#define HV_CLAIM_NONE { .lock_fd = -1 }

/* Of NAME, a dot and a suffix */
#define HV_CLAIM_FILE_MAX (HV_NAME_MAX + 8)

/* Returns 0, or -errno: -EBUSY if another process has the name, which @err tells. */
int hv_claim_take(struct hv_claim *claim, const struct hv_runtime_dir *dir, const char *name,
		  struct hv_error *err);
void hv_claim_release(struct hv_claim *claim);

/* Is there a process that has it? If not, its files go. Where nobody can tell, there is. */
bool hv_claim_is_alive(const struct hv_runtime_dir *dir, const char *name);

/* The process that has it; 0: nobody knows. */
pid_t hv_claim_pid(const struct hv_runtime_dir *dir, const char *name);

/**
 * hv_claim_list() - the names of all VMs that there are, sorted
 * @dir: where; files of those that are dead go
 * @names: filled in; free() it
 * @err: filled in on failure: also when nobody can tell of one whether it is dead
 *
 * Returns how many, or -errno.
 */
int hv_claim_list(const struct hv_runtime_dir *dir, struct hv_name **names, struct hv_error *err);

#endif
