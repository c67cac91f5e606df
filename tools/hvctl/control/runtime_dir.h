/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directory where a user's VMs have their sockets. Nobody else may enter it: that is
 * what keeps others from them.
 */
#ifndef HV_CONTROL_RUNTIME_DIR_H
#define HV_CONTROL_RUNTIME_DIR_H

#include <limits.h>
#include <stdbool.h>

#include "lib/error.h"

#define HV_RUNTIME_DIR_VARIABLE "HVCTL_RUNTIME_DIR"

struct hv_runtime_dir {
	int fd;				/* -1: not open */
	char path[PATH_MAX];
};

/**
 * hv_runtime_dir_open() - find the directory of our VMs
 * @dir: filled in; hv_runtime_dir_close() it, also on failure
 * @make: make it if it is not there
 * @err: filled in on failure, with its subject
 *
 * Where HV_RUNTIME_DIR_VARIABLE says; else for root /run/hvctl, for others hvctl/ in
 * $XDG_RUNTIME_DIR or /run/user/UID, whichever is ours; else /tmp/hvctl-UID.
 *
 * Returns 0, or -errno: -ENOENT without @make means that there are no VMs. One that is
 * not ours, or open to others, is refused: -EPERM.
 */
int hv_runtime_dir_open(struct hv_runtime_dir *dir, bool make, struct hv_error *err);
void hv_runtime_dir_close(struct hv_runtime_dir *dir);

/* Does it go with the user's last session, as what is in /run/user does, while VMs go on? */
bool hv_runtime_dir_is_of_session(const struct hv_runtime_dir *dir);

#endif
