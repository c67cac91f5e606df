// SPDX-License-Identifier: GPL-2.0-only
/* Images are opened, looked at, and closed. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounce.h"
#include "disk.h"
#include "format.h"
#include "lib/util.h"
#include "lock.h"

/* ------------------------------------------------------------------ opening */

static int fail_open(const struct hv_disk_config *config, int errnum, struct hv_error *err)
{
	const char *path = config->path;
	bool readable = !config->read_only && !eaccess(path, R_OK);

	if (errnum == ENOENT)
		return hv_fail(err, errnum, "%.150s: no such file; %s", path,
			       config->disc ? "give an ISO image" :
					      "truncate -s 8G FILE makes one");
	if (errnum == EISDIR)
		return hv_fail(err, errnum,
			       "%.150s is a directory; --share DIR shows one to the guest", path);
	if ((errnum == EACCES || errnum == EPERM || errnum == EROFS) && readable)
		return hv_fail(err, errnum, "%.150s may not be written; say ro, or chmod u+w FILE",
			       path);
	if (errnum == EACCES)
		return hv_fail(
			err, errnum,
			"%.150s: no permission; chmod u+rw FILE, or for a device join group disk",
			path);
	if (errnum == EBUSY)
		return hv_fail(err, errnum, "%.150s: the host uses it; umount it, or say ro", path);
	if (errnum == EINVAL && config->cache == HV_DISK_NONE)
		return hv_fail(err, errnum,
			       "%.150s: no way past the page cache there; leave out cache=none",
			       path);
	return hv_fail(err, errnum, "%.150s: %s", path, strerror(errnum));
}

/*
 * Whoever has mounted a block device is not to find it changed: O_EXCL. Does not wait for who
 * writes to a pipe of that name, but for the disk, later, it does.
 */
static int open_file(const struct hv_disk_config *config)
{
	int fd, flags = O_CLOEXEC | O_NOCTTY | (config->read_only ? O_RDONLY : O_RDWR);
	struct stat st;

	if (!config->read_only && !stat(config->path, &st) && S_ISBLK(st.st_mode))
		flags |= O_EXCL;
	fd = open(config->path, flags | O_NONBLOCK);
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, flags);
	return fd;
}

/* The same file by the page cache: not by its name, which may be another's by now. */
static int open_again(const struct hv_disk *disk)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk->fd);
	return open(path, O_CLOEXEC | (disk->read_only ? O_RDONLY : O_RDWR));
}

/* ------------------------------------------------------------------- facts */

static int64_t read_size(const struct hv_disk *disk)
{
	uint64_t bytes;
	struct stat st;

	if (disk->is_block_device)
		return ioctl(disk->fd, BLKGETSIZE64, &bytes) ? -1 : (int64_t)bytes;
	return fstat(disk->fd, &st) ? -1 : st.st_size;
}

static void set_size(struct hv_disk *disk, uint64_t bytes)
{
	disk->odd = bytes % HV_DISK_SECTOR;
	disk->size = bytes - disk->odd;
}

bool hv_disk_look_at_size(struct hv_disk *disk)
{
	int64_t bytes = read_size(disk);
	uint64_t before = disk->size;

	if (bytes < 0)
		return false;
	set_size(disk, (uint64_t)bytes);
	return disk->size != before;
}

/* Of O_DIRECT. For files the kernel tells since Linux 6.1; a page was always enough. */
static unsigned int read_alignment(const struct hv_disk *disk)
{
	unsigned int alignment = 4096;

	if (disk->is_block_device) {
		(void)ioctl(disk->fd, BLKSSZGET, &alignment);
		return alignment;
	}
#ifdef STATX_DIOALIGN
	struct statx stx;

	if (!statx(disk->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) &&
	    stx.stx_mask & STATX_DIOALIGN && stx.stx_dio_offset_align)
		alignment = stx.stx_dio_offset_align > stx.stx_dio_mem_align ?
				    stx.stx_dio_offset_align :
				    stx.stx_dio_mem_align;
#endif
	return alignment;
}

/* What is written without reading first. */
static unsigned int read_block(const struct hv_disk *disk)
{
	unsigned int block = 0;
	struct stat st;

	if (disk->is_block_device)
		(void)ioctl(disk->fd, BLKPBSZGET, &block);
	else if (!fstat(disk->fd, &st))
		block = (unsigned int)st.st_blksize;
	/* A network file system may tell what it likes best, a MiB. */
	if (block < HV_DISK_SECTOR || block & (block - 1))
		return HV_DISK_SECTOR;
	return block < 4096 ? block : 4096;
}

static void set_serial(struct hv_disk *disk, const struct hv_disk_config *config)
{
	char path[PATH_MAX];
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	if (config->serial) {
		snprintf(disk->serial, sizeof(disk->serial), "%s", config->serial);
		return;
	}
	if (!realpath(config->path, path))
		snprintf(path, sizeof(path), "%s", config->path);
	for (const char *c = path; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
	snprintf(disk->serial, sizeof(disk->serial), "tvx%016llx", (unsigned long long)hash);
}

static int check_kind(struct hv_disk *disk, const struct hv_disk_config *config,
		      struct hv_error *err)
{
	struct stat st;
	int64_t bytes;

	if (fstat(disk->fd, &st))
		return fail_open(config, errno, err);
	if (S_ISDIR(st.st_mode))
		return fail_open(config, EISDIR, err);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return hv_fail(err, EINVAL, "%.150s is neither a file nor a block device",
			       config->path);
	disk->is_block_device = S_ISBLK(st.st_mode);
	bytes = read_size(disk);
	if (bytes < 0)
		return fail_open(config, errno, err);
	if (config->disc && bytes < HV_DISK_DISC_BLOCK)
		return hv_fail(err, EINVAL,
			       "%.150s has %u bytes, less than a block of a CD; give an ISO image",
			       config->path, (unsigned int)bytes);
	if (bytes < HV_DISK_SECTOR)
		return hv_fail(
			err, EINVAL,
			"%.150s has %u bytes, less than a sector; truncate -s 8G FILE makes it larger",
			config->path, (unsigned int)bytes);
	set_size(disk, (uint64_t)bytes);
	return 0;
}

/* ------------------------------------------------------------ all together */

/* Two descriptors: the page cache has what is behind the last whole block. */
static int open_direct(struct hv_disk *disk, const struct hv_disk_config *config,
		       struct hv_error *err)
{
	disk->cached_fd = open_again(disk);
	if (disk->cached_fd < 0)
		return fail_open(config, errno, err);
	if (fcntl(disk->fd, F_SETFL, O_DIRECT))
		return fail_open(config, errno, err);
	disk->alignment = read_alignment(disk);
	return disk->alignment <= HV_DISK_BOUNCE ? 0 : fail_open(config, EINVAL, err);
}

static int open_checked(struct hv_disk *disk, const struct hv_disk_config *config,
			struct hv_error *err)
{
	int error;

	disk->fd = open_file(config);
	if (disk->fd < 0)
		return fail_open(config, errno, err);
	error = check_kind(disk, config, err);
	if (error)
		return error;
	error = config->raw ? 0 : hv_disk_check_format(disk->fd, config, err);
	if (error)
		return error;
	error = hv_disk_lock(disk->fd, disk->read_only, config->path, err);
	if (error)
		return error;
	disk->block = read_block(disk);
	set_serial(disk, config);
	return config->cache == HV_DISK_NONE ? open_direct(disk, config, err) : 0;
}

int hv_disk_open(struct hv_disk *disk, const struct hv_disk_config *config, struct hv_error *err)
{
	int error;

	*disk = (struct hv_disk){
		.fd = -1,
		.cached_fd = -1,
		.read_only = config->read_only,
		.cache = config->cache,
		.alignment = 1,
	};
	error = open_checked(disk, config, err);
	if (error)
		hv_disk_close(disk);
	return error;
}

void hv_disk_close(struct hv_disk *disk)
{
	hv_close(disk->fd);
	hv_close(disk->cached_fd);
	disk->fd = -1;
	disk->cached_fd = -1;
}
