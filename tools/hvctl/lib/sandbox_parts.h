/* SPDX-License-Identifier: GPL-2.0-only */
/* The halves of the sandbox, for lib/sandbox.c: system calls (seccomp), and files (Landlock). */
#ifndef HV_LIB_SANDBOX_PARTS_H
#define HV_LIB_SANDBOX_PARTS_H

#include "sandbox.h"

/* Make the lists. Returns 0, or -EOPNOTSUPP: this kernel, or this hvctl, has none; or -errno. */
int hv_sandbox_calls_prepare(void);

/* For this thread. Returns 0 or -errno. */
int hv_sandbox_calls_enter(enum hv_sandbox_kind kind);

/* Of a system call that has a row, or NULL. Safe in a signal handler. */
const char *hv_sandbox_call_name(int nr);

/* Make the rules. Returns a version of Landlock, 0: this kernel has none; or -errno. */
int hv_sandbox_files_prepare(const struct hv_sandbox_config *config);

/* For this thread; nothing where there is no Landlock. Returns 0 or -errno. */
int hv_sandbox_files_enter(void);

#endif
