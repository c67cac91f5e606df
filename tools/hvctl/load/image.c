// SPDX-License-Identifier: GPL-2.0-only
/* From a file to guest RAM: read, recognise, check, copy. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"

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

static bool ranges_overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a <= b ? b - a < a_len : a - b < b_len;
}

static int check_overlap(const struct hv_image *image, size_t index, struct hv_error *err)
{
	const struct hv_image_segment *a = &image->segment[index];

	for (size_t i = 0; i < index; i++) {
		const struct hv_image_segment *b = &image->segment[i];

		if (ranges_overlap(a->gpa, a->mem_size, b->gpa, b->mem_size))
			return hv_fail(
				err, EINVAL,
				"segments at 0x%llx and 0x%llx overlap; mend the linker script",
				(unsigned long long)b->gpa, (unsigned long long)a->gpa);
	}
	return 0;
}

int hv_image_check(const struct hv_image *image, const struct hv_memory *memory,
		   struct hv_error *err)
{
	for (size_t i = 0; i < image->count; i++) {
		const struct hv_image_segment *segment = &image->segment[i];
		int error = check_overlap(image, i, err);

		if (error)
			return error;
		if (hv_memory_at(memory, segment->gpa, segment->mem_size))
			continue;
		return hv_fail(
			err, EFBIG,
			"0x%llx bytes at 0x%llx do not fit into guest RAM (0-0x%llx); use a larger --mem or another load address",
			(unsigned long long)segment->mem_size, (unsigned long long)segment->gpa,
			(unsigned long long)hv_memory_low_end(memory) - 1);
	}
	if (!hv_memory_at(memory, image->entry, 1))
		return hv_fail(err, EINVAL,
			       "entry 0x%llx is outside guest RAM (0-0x%llx); mend --entry",
			       (unsigned long long)image->entry,
			       (unsigned long long)hv_memory_low_end(memory) - 1);
	return 0;
}

void hv_image_copy(const struct hv_image *image, const struct hv_file *file,
		   const struct hv_memory *memory)
{
	/* RAM is zero already: only what comes from the file is written. */
	for (size_t i = 0; i < image->count; i++) {
		const struct hv_image_segment *segment = &image->segment[i];

		memcpy(hv_memory_at(memory, segment->gpa, segment->mem_size),
		       file->data + segment->file_offset, segment->file_size);
	}
}

bool hv_image_uses(const struct hv_image *image, uint64_t gpa, uint64_t len)
{
	for (size_t i = 0; i < image->count; i++)
		if (ranges_overlap(gpa, len, image->segment[i].gpa, image->segment[i].mem_size))
			return true;
	return false;
}

uint64_t hv_image_begin(const struct hv_image *image)
{
	uint64_t begin = UINT64_MAX;

	for (size_t i = 0; i < image->count; i++)
		if (image->segment[i].gpa < begin)
			begin = image->segment[i].gpa;
	return begin;
}

uint64_t hv_image_end(const struct hv_image *image)
{
	uint64_t end = 0;

	for (size_t i = 0; i < image->count; i++)
		if (image->segment[i].gpa + image->segment[i].mem_size > end)
			end = image->segment[i].gpa + image->segment[i].mem_size;
	return end;
}
