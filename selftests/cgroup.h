/* SPDX-License-Identifier: GPL-2.0-only */
/* A memory cgroup of the test's own. */
#ifndef SELFTESTS_CGROUP_H
#define SELFTESTS_CGROUP_H

#include "lib.h"

/* One at a time. False: there are no memory cgroups here. */
bool cgroup_create(void);
/* All processes that were in it are gone. */
void cgroup_destroy(void);

/* Put the calling process into it; its memory is charged there from now on. */
bool cgroup_enter(void);
/* A file of it, such as "memory.max". */
bool cgroup_write(const char *file, const char *text);
long cgroup_read(const char *file);
/* The line @name of a file such as "memory.stat", -1: there is none. */
long cgroup_read_line(const char *file, const char *name);

#endif
