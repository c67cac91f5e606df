/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests that hold hvctl to other sources of the project. */
#ifndef HV_TESTS_SOURCE_TEST_H
#define HV_TESTS_SOURCE_TEST_H

#include <limits.h>
#include <stdio.h>

#include "hv_test.h"

/* Open @name, a path from the top of the tree that this was built from. */
static inline FILE *test_open_source(const char *name)
{
	char path[PATH_MAX] = __FILE__;
	FILE *file;

	snprintf(strrchr(path, '/'), sizeof(path) - strlen(path), "/../../../%s", name);
	file = fopen(path, "r");
	assert_non_null(file);
	return file;
}

#endif
