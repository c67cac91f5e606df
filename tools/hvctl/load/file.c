// SPDX-License-Identifier: GPL-2.0-only
/* Files in memory, whole or in parts. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "lib/memory.h"
#include "lib/progress.h"

#define PIPE_FIRST (64 * HV_KIB)	/* bytes that are read of one at first */
#define PIECE (16 * HV_MIB)		/* what is read at once: then one may tell how far it is */
#define PARTS_MAX (16 * HV_GIB)		/* bytes of a file of which only parts are read */

static int open_stdin(struct hv_error *err)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		return fd;
	return hv_fail(err, errno, "standard input cannot be used: %s; give a file",
		       strerror(errno));
}

static int open_file(const char *path, struct hv_error *err)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY, fd;
	struct stat st;

	if (!strcmp(path, "-"))
		return open_stdin(err);
	/* A FIFO's writer is waited for; what else would wait is refused. */
	if (stat(path, &st) || !S_ISFIFO(st.st_mode))
		flags |= O_NONBLOCK;
	fd = open(path, flags);
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

static int check_kind(mode_t mode, struct hv_error *err)
{
	if (S_ISREG(mode) || S_ISFIFO(mode))
		return 0;
	if (S_ISDIR(mode))
		return hv_fail(err, EISDIR, "is a directory; give a file in it");
	return hv_fail(err, EINVAL, "is neither a file nor a pipe; copy it into a file");
}

static int check_size(uint64_t size, uint64_t max, struct hv_error *err)
{
	if (!size)
		return hv_fail(err, EINVAL, "is empty; make it first");
	if (size <= max)
		return 0;
	return hv_fail(err, EFBIG,
		       "is larger than %llu MiB; use --mem %lluM or more, or a smaller file",
		       (unsigned long long)(max / HV_MIB), (unsigned long long)(size / HV_MIB + 1));
}

static int no_memory(struct hv_error *err)
{
	return hv_fail(err, ENOMEM, "does not fit into memory; close something");
}

static int bad_read(struct hv_error *err)
{
	return hv_fail(err, errno, "cannot be read: %s; check the disk", strerror(errno));
}

static size_t piece(uint64_t len)
{
	return len < PIECE ? len : PIECE;
}

/* Up to @room bytes in all; fewer: the file ends there. */
static int read_up_to(int fd, struct hv_file *file, size_t room, struct hv_progress *progress,
		      struct hv_error *err)
{
	void *data = realloc(file->data, room);

	if (!data)
		return no_memory(err);
	file->data = data;
	while (file->size < room) {
		ssize_t n = read(fd, file->data + file->size, piece(room - file->size));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bad_read(err);
		if (!n)
			break;
		file->size += n;
		hv_progress_tell(progress, file->size, 0);
	}
	return 0;
}

/* The size of a pipe, and of a file that is being made, is known at its end only. */
static int read_all(int fd, struct hv_file *file, size_t expected, uint64_t max,
		    struct hv_error *err)
{
	struct hv_progress progress = hv_progress_begin("reading");
	size_t room = expected ? expected + 1 : PIPE_FIRST;
	int error = read_up_to(fd, file, room, &progress, err);

	/* One byte too many is enough to know. */
	while (!error && file->size == room && room <= max) {
		room = room < max / 2 ? room * 2 : max + 1;
		error = read_up_to(fd, file, room, &progress, err);
	}
	hv_progress_end(&progress);
	return error ? error : check_size(file->size, max, err);
}

static int examine(int fd, struct stat *st, struct hv_error *err)
{
	if (fstat(fd, st))
		return hv_fail(err, errno, "cannot be examined: %s; check the path",
			       strerror(errno));
	return check_kind(st->st_mode, err);
}

static int read_open(int fd, struct hv_file *file, uint64_t max, struct hv_error *err)
{
	struct stat st;
	int error = examine(fd, &st, err);

	/* Some files in /proc do not tell their size. */
	if (!error && st.st_size)
		error = check_size(st.st_size, max, err);
	return error ? error : read_all(fd, file, st.st_size, max, err);
}

void hv_file_give_back(struct hv_file *file)
{
	void *data = realloc(file->data, file->size);

	if (data)
		file->data = data;
}

int hv_file_read(struct hv_file *file, const char *path, uint64_t max, struct hv_error *err)
{
	int fd = open_file(path, err), error;

	*file = (struct hv_file){ 0 };
	if (fd < 0)
		return fd;
	error = read_open(fd, file, max, err);
	if (error)
		hv_file_free(file);
	else
		hv_file_give_back(file);
	close(fd);
	return error;
}

/* The first bytes, and room for all: what is never written to takes no memory. */
static int read_head(int fd, struct hv_file *file, uint64_t size, struct hv_error *err)
{
	int error = read_up_to(fd, file, HV_FILE_HEAD, &(struct hv_progress){ 0 }, err);
	uint8_t *all;

	if (error)
		return error;
	if (size > PARTS_MAX)
		return hv_fail(err, EFBIG, "is larger than %llu MiB; give the kernel alone",
			       PARTS_MAX / HV_MIB);
	all = calloc(1, size);
	if (!all)
		return no_memory(err);
	memcpy(all, file->data, file->size);
	free(file->data);
	*file = (struct hv_file){ all, size };
	return 0;
}

/* What is read at standard input begins where somebody else has left off. */
static bool has_parts(const char *path, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_size > HV_FILE_HEAD && strcmp(path, "-");
}

int hv_file_open(struct hv_file *file, int *fd, const char *path, uint64_t max,
		 struct hv_error *err)
{
	struct stat st = { 0 };
	int error;

	*file = (struct hv_file){ 0 };
	*fd = open_file(path, err);
	if (*fd < 0)
		return *fd;
	error = examine(*fd, &st, err);
	if (!error && has_parts(path, &st))
		return read_head(*fd, file, st.st_size, err);
	if (!error)
		error = read_open(*fd, file, max, err);
	close(*fd);
	*fd = -1;
	return error;
}

int hv_file_fetch(struct hv_file *file, int fd, uint64_t offset, uint64_t len, struct hv_error *err)
{
	struct hv_progress progress = hv_progress_begin("reading");
	uint64_t done = 0;
	int error = 0;

	if (fd < 0 || offset > file->size)
		return 0;
	if (len > file->size - offset)
		len = file->size - offset;
	while (done < len && !error) {
		ssize_t n = pread(fd, file->data + offset + done, piece(len - done), offset + done);

		if (n > 0)
			done += n;
		else if (!n)
			error = hv_fail(err, EIO,
					"has become shorter while it was read; start it again");
		else if (errno != EINTR)
			error = bad_read(err);
		hv_progress_tell(&progress, done, len);
	}
	hv_progress_end(&progress);
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
