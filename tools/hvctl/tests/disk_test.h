/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of disks share: images that last as long as a test. */
#ifndef HV_DISK_TEST_H
#define HV_DISK_TEST_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"
#include "hv_test.h"

static char test_dir[64], test_image[80];

static inline void test_image_make(uint64_t bytes)
{
	int fd = open(test_image, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	close(fd);
}

/* In @parent, whose file system matters. */
static inline void test_image_begin_in(const char *parent)
{
	snprintf(test_dir, sizeof(test_dir), "%s/hvctl-disk-XXXXXX", parent);
	assert_non_null(mkdtemp(test_dir));
	snprintf(test_image, sizeof(test_image), "%s/a.img", test_dir);
}

static inline int test_image_begin(void **state)
{
	(void)state;
	test_image_begin_in("/tmp");
	return 0;
}

static inline int test_image_end(void **state)
{
	(void)state;
	unlink(test_image);
	rmdir(test_dir);
	return 0;
}

static inline void test_image_read(void *to, size_t len, off_t offset)
{
	int fd = open(test_image, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, to, len, offset), len);
	close(fd);
}

static inline void test_image_write(const void *from, size_t len, off_t offset)
{
	int fd = open(test_image, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, from, len, offset), len);
	close(fd);
}

#endif
