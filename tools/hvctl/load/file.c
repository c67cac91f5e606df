// SPDX-License-Identifier: GPL-2.0-only
/* Files, read into memory as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

static int open_file(const char *path, struct hv_error *err)
{
	/* O_NONBLOCK: a FIFO without a writer must be refused, not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		return fd;
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return hv_fail(err, errno, "no such file; check the path");
	case EACCES:
		return hv_fail(err, EACCES,
			       "no permission to read it; chmod it, or run hvctl as its owner");
	}
	return hv_fail(err, errno, "cannot be opened: %s; check the path", strerror(errno));
}

static int check_file(const struct stat *st, uint64_t max, struct hv_error *err)
{
	if (S_ISDIR(st->st_mode))
		return hv_fail(err, EISDIR, "is a directory; give the image file in it");
	if (!S_ISREG(st->st_mode))
		return hv_fail(err, EINVAL, "is not a regular file; copy the image into one");
	if (!st->st_size)
		return hv_fail(err, EINVAL, "is empty; make it first");
	if ((uint64_t)st->st_size > max)
		return hv_fail(err, EFBIG,
			       "is %llu KiB, larger than guest RAM (%llu KiB); use a larger --mem",
			       (unsigned long long)(st->st_size + 1023) / 1024,
			       (unsigned long long)max / 1024);
	return 0;
}

static int read_all(int fd, struct hv_file *file, struct hv_error *err)
{
	size_t done = 0;

	while (done < file->size) {
		ssize_t n = read(fd, file->data + done, file->size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hv_fail(err, errno, "cannot be read: %s; check the disk",
				       strerror(errno));
		if (!n)
			return hv_fail(
				err, EIO,
				"shrank while it was read; wait until its build is complete");
		done += n;
	}
	return 0;
}

int hv_file_read(struct hv_file *file, const char *path, uint64_t max, struct hv_error *err)
{
	int fd = open_file(path, err);
	struct stat st;
	int error;

	*file = (struct hv_file){ 0 };
	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		error = hv_fail(err, errno, "cannot be examined: %s; check the path",
				strerror(errno));
	else
		error = check_file(&st, max, err);
	if (!error) {
		file->size = st.st_size;
		file->data = malloc(file->size);
		error = file->data ?
				read_all(fd, file, err) :
				hv_fail(err, ENOMEM, "does not fit into memory; close something");
	}
	if (error)
		hv_file_free(file);
	close(fd);
	return error;
}

void hv_file_free(struct hv_file *file)
{
	free(file->data);
	*file = (struct hv_file){ 0 };
}

bool hv_file_has(const struct hv_file *file, size_t offset, const void *magic, size_t len)
{
	return file->size >= len && file->size - len >= offset &&
	       !memcmp(file->data + offset, magic, len);
}
